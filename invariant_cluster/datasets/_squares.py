"""Images of any shape put on a square of the same background and resized."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets._framing import embed_in_frame

_CUBIC = -0.5  # as in Pillow and in PyTorch's antialiased kernel
_REACH = 2  # half the width of the cubic kernel
_BLOCK = 128  # rows


def border_background(image: NDArray, hidden: NDArray | None = None) -> NDArray:
    """Return the median of an image's border pixels.

    Parameters
    ----------
    image : ndarray of shape (h, w) or (h, w, c)
        An image of any real dtype.
    hidden : ndarray of bool of shape (h, w), optional
        Pixels that do not count. If they are the whole border, the median is that of
        all other pixels.

    Returns
    -------
    ndarray of shape () or (c,), of the image's dtype
        The median of each channel; a median between two integers is rounded.
    """
    border = _border(image)
    if hidden is not None:
        shown = ~_border(hidden)
        border = border[shown] if shown.any() else image[~hidden]
    median = np.median(border, axis=0)
    if image.dtype.kind in "iu":
        median = np.rint(median)
    return np.asarray(median).astype(image.dtype)


def _border(image: NDArray) -> NDArray:
    """Return the border pixels, (n,) or (n, c), each once."""
    if min(image.shape[:2]) < 3:
        return image.reshape(-1, *image.shape[2:])
    sides = (image[0], image[-1], image[1:-1, 0], image[1:-1, -1])
    return np.concatenate(sides)


def fit_square(
    image: NDArray, frame: int, size: int, background: NDArray | None = None
) -> NDArray:
    """Put an image in the middle of a square frame and resize that.

    Parameters
    ----------
    image : ndarray of shape (h, w) or (h, w, c)
        An image of any real dtype.
    frame : int
        Side of the frame in pixels of the image. What is outside is cut off.
    size : int
        Side of the result in pixels.
    background : ndarray of shape () or (c,), optional
        Value of the frame around the image; needed if the image does not fill it.

    Returns
    -------
    ndarray of shape (size, size) or (size, size, c), of the image's dtype
        The resized frame, clipped to the range of the image and the background;
        integers are rounded. If ``frame`` is ``size``, no value changes.

    See Also
    --------
    resize_smoothly : Resize a batch of squares.

    Notes
    -----
    The kernel is that of :func:`resize_smoothly`. The frame itself is never made: one
    matrix product for each axis weighs the image's pixels, and the background has the
    share of the margins. A small image in a large frame costs little memory.
    """
    inside = tuple(_overlap(side, frame) for side in image.shape[:2])
    image = image[inside[0][0], inside[1][0]]
    if frame == size:
        ground = np.zeros(1, image.dtype) if background is None else background
        return embed_in_frame(image[None], (size, size), ground)[0]
    exact = _exact_type(image.dtype)
    weights = kernel_weights(frame, size, exact.name)
    down, across = (weights[:, there] for _, there in inside)
    values = _product(down, image, across)
    if background is not None:
        share = np.outer(down.sum(axis=1), across.sum(axis=1))
        margin = (1 - share).reshape(size, size, *[1] * (image.ndim - 2))
        values += margin * background.astype(exact)
    np.clip(values, _least(image, background), _most(image, background), out=values)
    if image.dtype.kind in "iu":
        np.rint(values, out=values)
    return values.astype(image.dtype, copy=False)


def _exact_type(dtype: np.dtype) -> np.dtype:
    """Return the float type that holds all values of a type."""
    narrow = dtype.itemsize <= 2 or dtype == np.float32
    return np.dtype(np.float32 if narrow else np.float64)


def _overlap(side: int, frame: int) -> tuple[slice, slice]:
    """Return where image and centred frame overlap: in the image and in the frame."""
    start = (frame - side) // 2
    return (
        slice(max(0, -start), max(0, -start) + min(side, frame)),
        slice(max(0, start), max(0, start) + min(side, frame)),
    )


def _product(down: NDArray, image: NDArray, across: NDArray) -> NDArray:
    """Return (size, size) or (size, size, c): both axes of an image weighted."""
    shrunk = _weigh_rows(down, image.reshape(len(image), -1))
    shrunk = shrunk.reshape(len(down), *image.shape[1:])
    if image.ndim == 2:
        return shrunk @ across.T
    return np.matmul(across, shrunk)


def _weigh_rows(weights: NDArray, rows: NDArray) -> NDArray:
    """Return weights (size, h) @ rows (h, m), a block of rows at a time.

    A block touches few rows of the result, and its values are converted in the cache.
    """
    if len(rows) <= _BLOCK:
        return weights @ rows.astype(weights.dtype)
    total = np.zeros((len(weights), rows.shape[1]), weights.dtype)
    for start in range(0, len(rows), _BLOCK):
        here = slice(start, start + _BLOCK)
        touched = np.flatnonzero(weights[:, here].any(axis=1))
        reached = slice(touched[0], touched[-1] + 1) if len(touched) else slice(0)
        total[reached] += weights[reached, here] @ rows[here].astype(weights.dtype)
    return total


def _least(image: NDArray, background: NDArray | None) -> float:
    """Return the least value of an image and the background around it."""
    least = image.min()
    return float(least if background is None else min(least, background.min()))


def _most(image: NDArray, background: NDArray | None) -> float:
    """Return the largest value of an image and the background around it."""
    most = image.max()
    return float(most if background is None else max(most, background.max()))


@lru_cache(maxsize=64)
def kernel_weights(side: int, size: int, dtype: str) -> NDArray:
    """Return the weights of an antialiased bicubic resize of one axis.

    Parameters
    ----------
    side, size : int
        Pixels before and after.
    dtype : str
        Dtype of the weights.

    Returns
    -------
    ndarray of shape (size, side)
        Row i holds the weights of the pixels whose sum is output pixel i.
    """
    scale = side / size
    stretch = max(1.0, scale)
    middles = scale * (np.arange(size) + 0.5)[:, None]
    first = np.floor(middles - _REACH * stretch + 0.5).astype(int)
    columns = first + np.arange(int(2 * _REACH * stretch) + 2)
    kept = (columns >= 0) & (columns < side)
    values = np.where(kept, _cubic((columns + 0.5 - middles) / stretch), 0.0)
    values /= values.sum(axis=1, keepdims=True)
    weights = np.zeros((size, side))
    rows = np.broadcast_to(np.arange(size)[:, None], columns.shape)
    weights[rows[kept], columns[kept]] = values[kept]
    weights.setflags(write=False)
    return weights.astype(dtype)


def _cubic(x: NDArray) -> NDArray:
    """Return Keys' cubic kernel, 0 from a distance of 2 on."""
    x = np.abs(x)
    near = ((_CUBIC + 2) * x - (_CUBIC + 3)) * x**2 + 1
    far = _CUBIC * (((x - 5) * x + 8) * x - 4)
    return np.where(x < 1, near, np.where(x < _REACH, far, 0.0))
