"""A region of pixels as text, so that it can be kept with a model and compared."""

from __future__ import annotations

import os
import zlib
from base64 import b64decode, b64encode
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.readers import read_image

MaskLike: TypeAlias = ArrayLike | str | os.PathLike[str] | None


def pack_mask(mask: MaskLike) -> str | None:
    """Return a region as text.

    Parameters
    ----------
    mask : array-like of shape (h, w), path-like or None
        The region, True or not zero inside; or an image file of it.

    Returns
    -------
    str or None
        Height, width and compressed bits; None if no pixel is inside.

    Raises
    ------
    ValueError
        If the mask is no image (h, w) of numbers, or holds all pixels.

    See Also
    --------
    unpack_mask : Return the region.
    """
    if mask is None:
        return None
    inside = _inside(mask)
    if inside.all():
        raise ValueError(
            f"mask hides all {inside.shape} pixels: mark only those to replace by the "
            "background, as True or other than 0."
        )
    if not inside.any():
        return None
    height, width = inside.shape
    bits = b64encode(zlib.compress(np.packbits(inside).tobytes())).decode("ascii")
    return f"{height} {width} {bits}"


def _inside(mask: MaskLike) -> NDArray[np.bool_]:
    """Return a mask as an array (h, w) of bool."""
    if isinstance(mask, str | os.PathLike):
        values = read_image(mask, color="grey").pixels
    else:
        values = np.asarray(mask)
    if values.ndim != 2 or values.size == 0 or values.dtype.kind not in "biuf":
        raise ValueError(
            f"mask has the shape {values.shape} and the dtype {values.dtype}: give "
            "bool of shape (h, w), or the path of an image file."
        )
    return values != 0


@lru_cache(maxsize=8)
def unpack_mask(packed: str) -> NDArray[np.bool_]:
    """Return the region that :func:`pack_mask` packed.

    Parameters
    ----------
    packed : str
        Height, width and compressed bits.

    Returns
    -------
    ndarray of bool of shape (h, w)
        True inside the region; read-only.
    """
    height, width, bits = packed.split(" ")
    shape = int(height), int(width)
    flat = np.frombuffer(zlib.decompress(b64decode(bits)), dtype=np.uint8)
    inside = np.unpackbits(flat, count=shape[0] * shape[1]).reshape(shape).astype(bool)
    inside.setflags(write=False)
    return inside
