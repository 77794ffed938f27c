"""The background of images, and larger frames filled with it."""

from __future__ import annotations

import numpy as np

from invariant_cluster.images import border_median


def frame_background(images: np.ndarray) -> np.ndarray:
    """Return the value with which a larger frame around images is filled.

    Parameters
    ----------
    images : ndarray of shape (n, h, w) or (n, h, w, c)
        Images of any real dtype.

    Returns
    -------
    ndarray of shape () or (c,), of the images' dtype
        The median of the border pixels of each channel; a median between two integers
        is rounded.

    See Also
    --------
    embed_in_frame : Put images into a larger frame of this background.
    """
    channels = np.moveaxis(images.reshape(*images.shape[:3], -1), -1, 1)
    median = border_median(channels).reshape(images.shape[3:])
    if not np.issubdtype(images.dtype, np.floating):
        median = np.rint(median)
    return np.asarray(median).astype(images.dtype)


def embed_in_frame(
    images: np.ndarray, size: tuple[int, int], background: np.ndarray
) -> np.ndarray:
    """Put each image in the centre of a frame filled with the background.

    Parameters
    ----------
    images : ndarray of shape (n, h, w) or (n, h, w, c)
        Images of any dtype.
    size : (int, int)
        Height and width of the frame, at least those of the images.
    background : ndarray of shape () or (c,)
        Value of the margins.

    Returns
    -------
    ndarray of shape (n, *size) or (n, *size, c)
        Framed images, in the dtype of the input; the input itself if it has that size.

    See Also
    --------
    frame_background : Return the value that fills a frame around images.

    Notes
    -----
    If a margin cannot be split equally, the right or bottom part is one pixel wider:
    the image's centre then lies half a pixel off the frame's.
    """
    height, width = images.shape[1:3]
    if (height, width) == size:
        return images
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    framed = np.empty((len(images), *size, *images.shape[3:]), dtype=images.dtype)
    framed[...] = background
    framed[:, top : top + height, left : left + width] = images
    return framed
