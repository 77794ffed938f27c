"""Masked arrays of images: the background instead of what is masked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.images._border import edges_of
from invariant_cluster.images._layout import ImageLayout
from invariant_cluster.images._notice import notice


def has_masked(X: Any) -> bool:
    """Return whether X is a masked array of which something is masked."""
    return isinstance(X, np.ma.MaskedArray) and bool(np.ma.getmaskarray(X).any())


def unmasked(X: Any, layout: ImageLayout, background: NDArray | None = None) -> Any:
    """Return the user's images, filled if something of them is masked.

    Parameters
    ----------
    X : array-like of n images
        Images in a layout.
    layout : ImageLayout
        Their layout.
    background : ndarray of shape (c,), optional
        As in :func:`fill_masked`.

    Returns
    -------
    array-like
        X itself, or a plain array of its shape and dtype.
    """
    if not has_masked(X):
        return X
    mask = layout.to_channels(np.ma.getmaskarray(X))
    images = layout.to_channels(np.ma.getdata(X))
    return layout.from_channels(fill_masked(images, mask, background))


def fill_masked(
    images: NDArray, mask: NDArray, background: NDArray | None = None
) -> NDArray:
    """Return images with background instead of masked pixels.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype.
    mask : ndarray of shape (n, c, h, w), bool
        True where a value is masked.
    background : ndarray of shape (c,), optional
        Background of each channel; by default the median of the border pixels that are
        not masked, or of all such pixels where the whole border is masked.

    Returns
    -------
    ndarray of shape (n, c, h, w)
        A copy, of the dtype of the images.

    Raises
    ------
    ValueError
        If all of an image is masked.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.images import fill_masked
    >>> images = np.full((1, 1, 8, 8), 7.0)
    >>> images[0, 0, 3, 3] = np.nan
    >>> fill_masked(images, np.isnan(images))[0, 0, 3, 3]
    np.float64(7.0)
    """
    blind = mask.all(axis=(1, 2, 3))
    if blind.any():
        raise ValueError(
            f"X is a masked array, and all of image {int(blind.argmax())} is masked: "
            f"leave out the {int(blind.sum()):,} image(s) without a pixel to see, as "
            "in X[~X.mask.reshape(len(X), -1).all(axis=1)]."
        )
    if background is None:
        background = _median_of_unmasked(images, mask)
    values = np.asarray(background)
    if images.dtype.kind in "iu":
        values = np.rint(values)
    filled = np.where(mask, values.astype(images.dtype)[:, None, None], images)
    return filled


def notice_masked(mask: NDArray) -> None:
    """Warn of masked pixels in ``fit``.

    Parameters
    ----------
    mask : ndarray of shape (n, c, h, w), bool
        True where a value is masked.

    Warns
    -----
    UserWarning
        Says how many.
    """
    n_images = np.count_nonzero(mask.any(axis=(1, 2, 3)))
    notice(
        f"X is a masked array: {np.count_nonzero(mask):,} of {mask.size:,} values, in "
        f"{n_images:,} of {len(mask):,} images, are masked and filled with the "
        "background. Fill them yourself, X.filled(...), if they are no background.",
    )


def _median_of_unmasked(images: NDArray, mask: NDArray) -> NDArray:
    """Return the median (c,) of the border pixels that are not masked."""
    edges = np.concatenate(edges_of(images), axis=-1)
    hidden = np.concatenate(edges_of(mask), axis=-1)
    medians = []
    for channel in range(images.shape[1]):
        values = edges[:, channel][~hidden[:, channel]]
        if not len(values):
            values = images[:, channel][~mask[:, channel]]
        medians.append(np.median(values) if len(values) else 0.0)
    return np.asarray(medians)
