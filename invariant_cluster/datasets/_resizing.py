"""Three ways to resize: nearest neighbour, exact area and smooth."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

_CHUNK = 4096


def resize_nearest(image: np.ndarray, size: int) -> np.ndarray:
    """Resize (..., h, w) to (..., size, size); no value appears that was not there.

    Output pixel i takes the input pixel in which its centre lies:
    ``floor((i + 1/2) h / size)``.
    """
    height, width = image.shape[-2:]
    centers = 2 * np.arange(size) + 1
    rows, columns = centers * height // (2 * size), centers * width // (2 * size)
    return image[..., rows[:, None], columns]


def area_weights(length: int, size: int) -> np.ndarray:
    """Return how much of each input cell an output cell averages, (size, length).

    Row i holds the overlap of output cell i with every input cell, as a fraction of
    the output cell; rows sum to 1.
    """
    scale = length / size
    start = np.arange(size)[:, None] * scale
    cells = np.arange(length)[None, :]
    overlap = np.minimum(start + scale, cells + 1) - np.maximum(start, cells)
    return np.clip(overlap, 0, None).astype(np.float32) / np.float32(scale)


def shrink_by_area(images: np.ndarray, size: int) -> np.ndarray:
    """Shrink (n, h, w) to (n, size, size), each pixel the mean of what it covers.

    The mean of an image stays. The dtype is kept, integers are rounded.
    """
    down, across = (area_weights(side, size) for side in images.shape[1:])
    shrunk = np.empty((len(images), size, size), dtype=images.dtype)
    for start in range(0, len(images), _CHUNK):
        rows = slice(start, start + _CHUNK)
        shrunk[rows] = _cast(down @ images[rows] @ across.T, images.dtype)
    return shrunk


def resize_smoothly(images: np.ndarray, size: int) -> np.ndarray:
    """Resize (n, h, w) or (n, h, w, c) to size x size, bicubic and antialiased.

    When shrinking, the cubic kernel is widened by the factor. It overshoots at
    edges, so that the result is clipped to the range of the input. The dtype is kept,
    integers are rounded.
    """
    if images.shape[1:3] == (size, size):
        return images
    pixels = images.reshape(*images.shape[:3], -1).astype(np.float32)
    resized = F.interpolate(
        torch.from_numpy(pixels).permute(0, 3, 1, 2),
        size=(size, size),
        mode="bicubic",
        align_corners=False,
        antialias=True,
    ).clamp(float(pixels.min()), float(pixels.max()))
    values = resized.permute(0, 2, 3, 1).numpy()
    shape = (len(images), size, size, *images.shape[3:])
    return _cast(values.reshape(shape), images.dtype)


def _cast(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if np.issubdtype(dtype, np.integer):
        values = np.rint(values)
    return values.astype(dtype)
