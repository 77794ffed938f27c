"""Colours that a caller asks for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.readers._picture import Refused

_WEIGHTS = np.array([0.299, 0.587, 0.114])  # of R, G and B, ITU-R BT.601


def convert_color(pixels: NDArray, color: str) -> NDArray:
    """Return an image with the colours asked for.

    Parameters
    ----------
    pixels : ndarray of shape (h, w) or (h, w, c)
        Grey or RGB image, or four channels without meaning as colours.
    color : {"auto", "grey", "rgb"}
        "auto" returns the pixels as they are. Grey is 0.299 R + 0.587 G + 0.114 B.

    Returns
    -------
    ndarray of shape (h, w) or (h, w, c), of the same dtype
        The image; integers are rounded.

    Raises
    ------
    Refused
        If the image has four channels and a colour is asked for.
    """
    if color == "auto":
        return pixels
    if pixels.ndim == 3 and pixels.shape[2] != 3:
        raise Refused(
            f"it has {pixels.shape[2]} channels, which are no RGB colours: use "
            "color='auto', or save three of them"
        )
    if color == "grey" and pixels.ndim == 3:
        return _round_as(pixels @ _WEIGHTS, pixels.dtype)
    if color == "rgb" and pixels.ndim == 2:
        return np.repeat(pixels[:, :, None], 3, axis=2)
    return pixels


def _round_as(values: NDArray, dtype: np.dtype) -> NDArray:
    """Return floats in a dtype, rounded if it is of integers."""
    return (values if dtype.kind == "f" else np.rint(values)).astype(dtype)
