"""What kind of file it is, told by its first bytes."""

from __future__ import annotations

import gzip
from typing import BinaryIO

from invariant_cluster.readers._formats import FORMATS
from invariant_cluster.readers._picture import Refused

HEAD = 512  # bytes that tell the kind

# First bytes -> what is read; the names of Pillow's formats where Pillow reads them.
_READ = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",  # BigTIFF
    b"MM\0+": "TIFF",
    b"SIMPLE  =": "FITS",
    b"BM": "BMP",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
}
_PNM = tuple(b"P" + kind for kind in (b"1", b"2", b"3", b"4", b"5", b"6"))

# Position and bytes of what is not read -> name in the error.
_REFUSED = (
    (0, b"8BPS", "a Photoshop document (PSD)"),
    (0, b"\0\0\1\0", "an icon (ICO)"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftyphei", "a HEIC image"),
    (4, b"ftypmif1", "a HEIC image"),
    (4, b"ftyp", "a video (MP4)"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"v/1\1", "an OpenEXR image"),
    (0, b"DDS ", "a DirectDraw image (DDS)"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89HDF", "an HDF5 file"),
    (0, b"PK\3\4", "a ZIP archive"),
    (0, b"SQLite format 3", "a SQLite database"),
    (128, b"DICM", "a DICOM image"),
    (208, b"MAP ", "an MRC map"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<?xml", "an XML text"),
    (0, b"Pf", "a PFM image"),
    (0, b"PF", "a PFM image"),
    (0, b"P7", "a PAM image"),
)


def find_kind(handle: BinaryIO) -> str:
    """Return the name of the format of an open file, or refuse it by name.

    Parameters
    ----------
    handle : binary file
        The file, at its start. It is at its start afterwards too.

    Returns
    -------
    str
        "FITS", "TIFF" or a format of Pillow.

    Raises
    ------
    Refused
        If the file is empty, or of a format that is not read.
    """
    head = handle.read(HEAD)
    handle.seek(0)
    kind = _name_read(head)
    if kind is None and head.startswith(b"\x1f\x8b"):
        kind = _look_into_gzip(handle)
    if kind is None:
        raise Refused(_name_refused(head))
    return kind


def _name_read(head: bytes) -> str | None:
    """Return the format that is read, or None."""
    for magic, kind in _READ.items():
        if head.startswith(magic):
            return kind
    if head.startswith(_PNM) and head[2:3].isspace():
        return "PPM"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    return None


def _look_into_gzip(handle: BinaryIO) -> str:
    """Return "FITS" if a compressed file holds it, which astropy reads as it is."""
    with gzip.open(handle) as inner:
        head = inner.read(HEAD)
    handle.seek(0)
    if _name_read(head) != "FITS":
        raise Refused("it is a gzip archive that holds no FITS: decompress it")
    return "FITS"


def _name_refused(head: bytes) -> str:
    """Return why a file with these first bytes is not read."""
    if not head:
        return "it is empty (0 bytes): copy or download it again"
    for start, magic, name in _REFUSED:
        if head.startswith(magic, start):
            return f"it is {name}, which is not read: save it as PNG or TIFF"
    names = ", ".join(form.name for form in FORMATS)
    return (
        f"its content is of none of the formats that are read ({names}): save it as "
        "PNG or TIFF, or take it out of the folder"
    )
