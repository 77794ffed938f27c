"""Three ways to resize images: nearest neighbour, exact area and bicubic."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from invariant_cluster.geometry import area_weights

_CHUNK = 4096


def resize_nearest(image: np.ndarray, size: int) -> np.ndarray:
    """Resize images by nearest neighbour, so that no new value appears.

    Parameters
    ----------
    image : ndarray of shape (..., h, w)
        One image or a batch, of any dtype.
    size : int
        Side of the result in pixels.

    Returns
    -------
    ndarray of shape (..., size, size)
        Resized images, in the dtype of the input; both sides are stretched to ``size``.

    See Also
    --------
    shrink_by_area : Shrink images by averaging.
    resize_smoothly : Resize images with a bicubic kernel.

    Notes
    -----
    Output pixel i takes the value of the input pixel that contains its centre,
    ``floor((i + 1/2) h / size)``.
    """
    height, width = image.shape[-2:]
    centers = 2 * np.arange(size) + 1
    rows, columns = centers * height // (2 * size), centers * width // (2 * size)
    return image[..., rows[:, None], columns]


def shrink_by_area(images: np.ndarray, size: int) -> np.ndarray:
    """Shrink images so that each pixel is the mean of the area it covers.

    Parameters
    ----------
    images : ndarray of shape (n, h, w)
        Images of any real dtype.
    size : int
        Side of the result in pixels, at most h and w.

    Returns
    -------
    ndarray of shape (n, size, size)
        Shrunk images, in the dtype of the input; integers are rounded. The mean of an
        image is kept up to rounding.

    See Also
    --------
    resize_smoothly : Resize images with a bicubic kernel.
    """
    down, across = (
        area_weights(side, size).astype(np.float32) for side in images.shape[1:]
    )
    shrunk = np.empty((len(images), size, size), dtype=images.dtype)
    for start in range(0, len(images), _CHUNK):
        rows = slice(start, start + _CHUNK)
        shrunk[rows] = _cast(down @ images[rows] @ across.T, images.dtype)
    return shrunk


def resize_smoothly(images: np.ndarray, size: int) -> np.ndarray:
    """Resize images to a square with an antialiased bicubic kernel.

    Parameters
    ----------
    images : ndarray of shape (n, h, w) or (n, h, w, c)
        Images of any real dtype.
    size : int
        Side of the result in pixels.

    Returns
    -------
    ndarray of shape (n, size, size) or (n, size, size, c)
        Resized images, in the dtype of the input; integers are rounded. The input
        itself if it has that size.

    See Also
    --------
    resize_nearest : Resize images without new values.
    shrink_by_area : Shrink images by averaging.

    Notes
    -----
    When it shrinks, the kernel is widened by the factor. A cubic kernel overshoots at
    edges, so the result is clipped to the range of all the images.
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
    """Return the values in the dtype; integers are rounded."""
    if np.issubdtype(dtype, np.integer):
        values = np.rint(values)
    return values.astype(dtype)
