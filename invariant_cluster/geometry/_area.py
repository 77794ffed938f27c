"""Shrinking of images by area averages."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def area_weights(length: int, size: int, extent: int | None = None) -> np.ndarray:
    """Return the weight of each input cell in the mean of each output cell.

    Parameters
    ----------
    length : int
        Number of input cells.
    size : int
        Number of output cells, at most extent.
    extent : int, optional
        Number of input cells in the middle that the output covers; by default all.

    Returns
    -------
    ndarray of shape (size, length), float64
        Row i holds the overlap of output cell i with every input cell, as a fraction of
        the output cell; each row sums to 1.

    See Also
    --------
    shrink_square : Apply these weights to both sides of images.
    """
    covered = extent or length
    scale = covered / size
    start = (length - covered) / 2 + np.arange(size)[:, None] * scale
    cells = np.arange(length)[None, :]
    overlap = np.minimum(start + scale, cells + 1) - np.maximum(start, cells)
    weights: np.ndarray = np.clip(overlap, 0, None) / scale
    return weights


def shrink_square(images: Tensor, side: int) -> Tensor:
    """Shrink the square in the middle, so that each pixel is the mean of its area.

    Parameters
    ----------
    images : Tensor of shape (n, h, w), floating point
        Images.
    side : int
        Side of the result in pixels, at most h and w.

    Returns
    -------
    Tensor of shape (n, side, side)
        The square whose side is the shorter one of the images.

    See Also
    --------
    area_weights : Return the weights of one side.
    """
    extent = min(images.shape[1:])
    down, across = (
        torch.from_numpy(area_weights(length, side, extent)).to(images)
        for length in images.shape[1:]
    )
    return down @ images @ across.T
