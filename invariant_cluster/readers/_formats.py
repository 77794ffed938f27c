"""The formats vouched for, and what the name of a file says."""

from __future__ import annotations

from typing import NamedTuple


class Format(NamedTuple):
    """One format that is read without silent loss.

    Parameters
    ----------
    name : str
        Name of the format.
    suffixes : tuple of str
        Endings of file names, in lower case. The content of a file decides how it is
        read; the ending only says that it is meant to be an image.
    package : str
        Package that decodes it.
    dtypes : tuple of str
        Types of the values.
    channels : str
        What a pixel may hold.
    """

    name: str
    suffixes: tuple[str, ...]
    package: str
    dtypes: tuple[str, ...]
    channels: str


_INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")

FORMATS = (
    Format(
        "PNG",
        (".png",),
        "Pillow",
        ("uint8", "uint16 (grey)"),
        "grey, RGB, palette, transparency",
    ),
    Format(
        "JPEG",
        (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"),
        "Pillow",
        ("uint8",),
        "grey, RGB, CMYK",
    ),
    Format(
        "TIFF",
        (".tif", ".tiff"),
        "tifffile",
        (*_INTEGERS, "float32", "float64"),
        "grey, RGB, palette, 4 channels, transparency",
    ),
    Format(
        "FITS",
        (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fits.fz"),
        "astropy",
        (*_INTEGERS, "float32", "float64"),
        "grey, 3 or 4 planes",
    ),
    Format(
        "PNM",
        (".pgm", ".ppm", ".pbm", ".pnm"),
        "Pillow",
        ("uint8", "uint16 (grey)"),
        "grey, RGB",
    ),
    Format("BMP", (".bmp",), "Pillow", ("uint8",), "grey, RGB, palette, transparency"),
    Format(
        "GIF", (".gif",), "Pillow", ("uint8",), "RGB from its palette, transparency"
    ),
    Format("WebP", (".webp",), "Pillow", ("uint8",), "RGB, transparency"),
)

_IMAGE_ENDINGS = tuple(suffix for form in FORMATS for suffix in form.suffixes)
_OTHERS = {
    "tables": (".csv", ".tsv", ".xls", ".xlsx", ".ods", ".db", ".sqlite"),
    "texts": (".txt", ".md", ".rst", ".log", ".doc", ".docx", ".pdf"),
    "markup": (".xml", ".html", ".htm", ".json", ".jsonl", ".yaml", ".yml", ".toml"),
    "settings": (".cfg", ".ini", ".lnk", ".tmp", ".cache", ".partial"),
    "programs": (".py", ".ipynb", ".r", ".m", ".js", ".css", ".sh", ".bat", ".exe"),
    "archives": (".zip", ".gz", ".bz2", ".xz", ".7z", ".tar", ".tgz", ".rar"),
    "models": (".pkl", ".pickle", ".pt", ".pth"),
    "media": (".mp3", ".mp4", ".wav", ".avi", ".mov"),
}
_OTHER_ENDINGS = tuple(ending for group in _OTHERS.values() for ending in group)


def is_image_name(name: str) -> bool | None:
    """Tell by its name whether a file is an image.

    Parameters
    ----------
    name : str
        Name of a file, with or without its folder.

    Returns
    -------
    bool or None
        True if the name ends as those of the formats vouched for, in any case; False
        if it ends as those of tables, texts, archives or programs; None otherwise.

    See Also
    --------
    read_image : Read an image file, whatever its name.

    Examples
    --------
    >>> is_image_name("M51.FITS.gz"), is_image_name("labels.csv"), is_image_name("x1")
    (True, False, None)
    """
    lower = name.lower()
    if lower.endswith(_IMAGE_ENDINGS):
        return True
    return False if lower.endswith(_OTHER_ENDINGS) else None
