"""The decoder of each format."""

from __future__ import annotations

from typing import BinaryIO

from invariant_cluster.readers._content import find_kind
from invariant_cluster.readers._fits_file import read_fits
from invariant_cluster.readers._picture import Layers
from invariant_cluster.readers._pillow_file import (
    pillow_states_opacity,
    read_with_pillow,
)
from invariant_cluster.readers._tiff_file import read_tiff, tiff_states_opacity

_OPAQUE = ("FITS", "JPEG", "PPM")  # formats without opacity


def decode_image(handle: BinaryIO) -> Layers:
    """Return the image in an open file.

    Parameters
    ----------
    handle : binary file
        The file, at its start.

    Returns
    -------
    Layers
        Colours and opacity, as they are shown.

    Raises
    ------
    ImportError
        If Pillow is needed and not installed.
    Refused
        If the file is not read, with the reason. Damaged files raise errors of any
        kind.
    """
    kind = find_kind(handle)
    if kind == "FITS":
        return read_fits(handle)
    if kind == "TIFF":
        return read_tiff(handle)
    return read_with_pillow(handle, kind)


def states_opacity(handle: BinaryIO) -> bool:
    """Return whether the header of an open file says that it may be transparent.

    Parameters
    ----------
    handle : binary file
        The file, at its start. It is at its start afterwards too.

    Returns
    -------
    bool
        False for formats and headers without opacity; no pixel is decoded.
    """
    kind = find_kind(handle)
    if kind in _OPAQUE:
        return False
    if kind == "TIFF":
        stated = tiff_states_opacity(handle)
    else:
        stated = pillow_states_opacity(handle, kind)
    handle.seek(0)
    return stated
