"""The background of a set of images: the median of their borders."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.runtime import evenly_spaced


def measure_background(images: NDArray, given: Any = "auto") -> NDArray[np.float32]:
    """Return the background of each channel, in the images' units, shape (c,).

    The median of the border pixels over at most 64 MiB of evenly spaced images.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
    given : "auto", float or sequence of c floats

    Raises
    ------
    ValueError
        When ``given`` is neither.
    """
    n_channels = images.shape[1]
    if isinstance(given, str):
        border = _border(evenly_spaced(images))
        return np.median(border, axis=(0, 2)).astype(np.float32)
    values = np.asarray(given, dtype=np.float32).ravel()
    if values.size not in (1, n_channels) or not np.isfinite(values).all():
        raise ValueError(
            f"background={given!r} does not fit images of {n_channels} channel(s): "
            "give 'auto', one finite number, or one a channel."
        )
    return np.broadcast_to(values, n_channels).copy()


def _border(images: NDArray) -> NDArray:
    """Return the outermost pixels, shape (n, c, p)."""
    top_bottom = images[:, :, [0, -1], :].reshape(*images.shape[:2], -1)
    sides = images[:, :, 1:-1][..., [0, -1]].reshape(*images.shape[:2], -1)
    return np.concatenate([top_bottom, sides], axis=2)
