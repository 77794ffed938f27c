"""The background of images: the median of their border pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from invariant_cluster.runtime import evenly_spaced


def edges_of(images: Any) -> tuple[Any, ...]:
    """Return the first and last rows and columns of images.

    Parameters
    ----------
    images : ndarray or Tensor of shape (..., h, w)
        Images in any units.

    Returns
    -------
    tuple of four ndarray or Tensor
        Of shape (..., w) twice and (..., h) twice; each corner is in two of them.

    See Also
    --------
    border_median : Return the median of the border, each pixel of it once.
    """
    return images[..., 0, :], images[..., -1, :], images[..., 0], images[..., -1]


def quantile_of(values: Tensor, share: float) -> Tensor:
    """Return a quantile of the last axis, a value of it; ONNX has no median.

    Parameters
    ----------
    values : Tensor of shape (..., n)
        Values in any order.
    share : float
        Share of the values that are lower, from 0 to below 1.

    Returns
    -------
    Tensor of shape (..., 1)
        The value with number ``share * n``, rounded down, in ascending order.
    """
    place = int(share * values.shape[-1])
    return values.sort(dim=-1).values[..., place : place + 1]


def border_median(images: NDArray) -> NDArray[np.float64]:
    """Return the median of the border pixels of each channel.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype, at least one.

    Returns
    -------
    ndarray of shape (c,), float64
        Medians in the units of the images.

    See Also
    --------
    measure_background : Use this median unless the user gives a background.

    Notes
    -----
    The median is taken over at most 64 MiB of evenly spaced images. Each border pixel
    counts once, including the corners.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.images import border_median
    >>> images = np.full((2, 1, 8, 8), 5)
    >>> images[:, :, 2:6, 2:6] = 200
    >>> border_median(images)
    array([5.])
    """
    sample = evenly_spaced(images)
    top_bottom = sample[:, :, [0, -1], :].reshape(*sample.shape[:2], -1)
    sides = sample[:, :, 1:-1][..., [0, -1]].reshape(*sample.shape[:2], -1)
    border = np.concatenate([top_bottom, sides], axis=2)
    return np.asarray(np.median(border, axis=(0, 2)), dtype=np.float64)


def measure_background(images: NDArray, given: Any = "auto") -> NDArray[np.float32]:
    """Return the background of each channel, in the units of the images.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Training images.
    given : "auto", float or sequence of c floats, default="auto"
        The user's ``background``. "auto" takes the :func:`border_median`; one number
        applies to all channels.

    Returns
    -------
    ndarray of shape (c,), float32
        The background.

    Raises
    ------
    ValueError
        If a number is not finite, or there is neither one nor one per channel.

    See Also
    --------
    measure_range : Measure the intensity range.

    Notes
    -----
    Any string counts as "auto"; estimators check the parameter first.
    """
    n_channels = images.shape[1]
    if isinstance(given, str):
        return border_median(images).astype(np.float32)
    values = np.asarray(given, dtype=np.float32).ravel()
    if values.size not in (1, n_channels) or not np.isfinite(values).all():
        raise ValueError(
            f"background={given!r} does not fit images of {n_channels} channel(s): "
            "give 'auto', one finite number, or one per channel."
        )
    return np.broadcast_to(values, n_channels).copy()
