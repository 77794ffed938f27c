"""Coloured wafer maps become maps of failing dies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets._disc_box import find_box
from invariant_cluster.datasets._palette import FAIL, IGNORED, OUTSIDE, PASS, Palette
from invariant_cluster.datasets._palette_colors import nearest_color

_WINDOW = 0.5  # of a pixel of the result: what votes on it
_MOST_STRANGE = 0.2  # of the pixels of a picture


def draw_fails(
    pixels: NDArray, palette: Palette, size: int
) -> tuple[NDArray[np.uint8], bool]:
    """Return the failing dies of a coloured wafer map.

    Parameters
    ----------
    pixels : ndarray of shape (h, w, 3)
        The picture, in the units of the palette.
    palette : Palette
        What its colours mean.
    size : int
        Side of the result.

    Returns
    -------
    fails : ndarray of shape (size, size), uint8
        1 for a failing die, 0 elsewhere. The box of the disc is stretched to the
        square; the middle of a pixel decides on it, by majority, so that smooth edges
        and lines between dies do not.
    is_strange : bool
        Whether many of the pixels have none of the colours.
    """
    # Pixels that have none of the colours are ignored too.
    roles = np.array([*(color.role for color in palette), IGNORED])
    colors = np.array([color.values for color in palette])
    codes = nearest_color(pixels, colors)
    dies = np.isin(roles, (PASS, FAIL))[codes]
    if OUTSIDE in roles and dies.any():
        codes = codes[find_box(dies)]
    fails, passes, other = (
        _vote((roles == role)[codes], size) for role in (FAIL, PASS, OUTSIDE)
    )
    drawn = (fails > passes) & (fails + passes >= other) & (fails > 0)
    strange = np.mean(codes == len(colors)) > _MOST_STRANGE
    return drawn.astype(np.uint8), bool(strange)


def as_eight_bits(pixels: NDArray) -> NDArray[np.uint8]:
    """Return a picture in the units of a palette.

    Parameters
    ----------
    pixels : ndarray of shape (h, w) or (h, w, 3)
        Pixels as a file has them.

    Returns
    -------
    ndarray of shape (h, w, 3), uint8
        The same colours; 16 bits become 8.
    """
    if pixels.dtype == np.uint16:
        pixels = np.rint(pixels / 257)
    colored = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
    return np.clip(colored, 0, 255).astype(np.uint8)


def _vote(there: NDArray[np.bool_], size: int) -> NDArray[np.float32]:
    """Return the share of a role in the middle of each pixel of the result."""
    down, across = (_windows(side, size) for side in there.shape)
    return down @ there.astype(np.float32) @ across.T


def _windows(side: int, size: int) -> NDArray[np.float32]:
    """Return the weights (size, side) of the pixels in each window."""
    middles = (np.arange(size)[:, None] + 0.5) * side / size
    reach = _WINDOW * side / size / 2
    starts = np.arange(side)
    shared = np.minimum(middles + reach, starts + 1) - np.maximum(
        middles - reach, starts
    )
    weights = np.maximum(shared, 0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
