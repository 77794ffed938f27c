"""Pixels of arrays that have no value become the background of their image."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.readers import Refused, fill_pixels

_CHUNK_BYTES = 2**24


class Filled(NamedTuple):
    """Images without missing pixels.

    Attributes
    ----------
    images : ndarray of shape (n, ...)
        The images themselves, or a copy with background.
    n_missing : ndarray of shape (n,)
        Number of pixels of each image that had no value in some channel.
    n_pixels : int
        Number of pixels of all images.
    """

    images: NDArray
    n_missing: NDArray[np.intp]
    n_pixels: int


def fill_images(images: NDArray, name: str, rows: NDArray | None = None) -> Filled:
    """Fill NaN and infinity by the background of each image.

    Parameters
    ----------
    images : ndarray of shape (n, h, w), (n, h, w, c), (n, c, h, w) or (n, n_values)
        Images or flat rows of any real dtype. Of the first and the last axis of an
        image, the shorter one is that of the channels.
    name : str
        Where they are from, for the error message.
    rows : ndarray of shape (n,), optional
        Numbers of the images there; by default from 0.

    Returns
    -------
    Filled
        Images in which missing pixels have the median of the border of their image and
        channel, as in files; of flat rows that of the row.

    Raises
    ------
    ValueError
        If a channel of an image has no value at all.

    See Also
    --------
    warn_of_missing : Tell how many there were.
    """
    last, n_pixels = _channels_last(images)
    bad = np.flatnonzero(_is_missing(images))
    counts = np.zeros(len(images), dtype=np.intp)
    if not len(bad):
        return Filled(images, counts, n_pixels)
    filled = images.copy()
    target, _ = _channels_last(filled)  # a view
    for i in bad:
        row = i if rows is None else rows[i]
        counts[i] = np.count_nonzero(~np.isfinite(last[i]).all(axis=_channels(last)))
        target[i] = _fill(last[i], f"{name}, image {row},")
    return Filled(filled, counts, n_pixels)


def has_missing(images: NDArray) -> bool:
    """Return whether a pixel has no value.

    Parameters
    ----------
    images : ndarray of shape (n, ...)
        Images; a memmap is read a chunk at a time.

    Returns
    -------
    bool
        False for integers, which are not read.
    """
    return images.dtype.kind == "f" and bool(_is_missing(images, first=True).any())


def warn_of_missing(name: str, filled: Filled, n_images: int) -> None:
    """Warn of pixels without a value.

    Parameters
    ----------
    name : str
        Where the images are from.
    filled : Filled
        The images that were read.
    n_images : int
        Number of images there.

    Warns
    -----
    UserWarning
        Says how many pixels in how many images are missing, if any are.
    """
    n_missing = int(filled.n_missing.sum())
    if not n_missing:
        return
    n_bad, n_read = int(np.count_nonzero(filled.n_missing)), len(filled.n_missing)
    part = "" if n_read == n_images else f" of the {n_read:,} read first"
    share = 100 * n_missing / filled.n_pixels
    warnings.warn(
        f"{name}: {n_missing:,} pixels ({share:.2g} %) in {n_bad:,} images{part} are "
        "NaN or infinite: set to each image's background, the median of its border.",
        UserWarning,
        stacklevel=4,
    )


def _fill(image: NDArray, name: str) -> NDArray:
    """Return one image (h, w[, c]) or row filled, or raise an error that names it."""
    try:
        pixels = fill_pixels(np.atleast_2d(image))
    except Refused as error:
        raise ValueError(f"{name} cannot be used: {error}.") from error
    return pixels.reshape(image.shape)


def _channels_last(images: NDArray) -> tuple[NDArray, int]:
    """Return a view with channels as the last axis, and the number of pixels."""
    if images.ndim != 4:
        return images, images.size
    last = images if images.shape[-1] < images.shape[1] else np.moveaxis(images, 1, -1)
    return last, int(np.prod(last.shape[:-1]))


def _channels(last: NDArray) -> tuple[int, ...]:
    """Return the axis of the channels of one image."""
    return (-1,) if last.ndim == 4 else ()


def _is_missing(images: NDArray, *, first: bool = False) -> NDArray[np.bool_]:
    """Return which images (n,) have missing pixels; perhaps only the first of them."""
    missing = np.zeros(len(images), dtype=bool)
    if images.dtype.kind != "f":
        return missing
    step = max(1, _CHUNK_BYTES // max(1, images[:1].nbytes))
    for start in range(0, len(images), step):
        chunk = np.asarray(images[start : start + step])
        finite = np.isfinite(chunk.reshape(len(chunk), -1)).all(axis=1)
        missing[start : start + step] = ~finite
        if first and missing.any():
            break
    return missing
