"""Value range and background of a set of images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_BYTES = 2**26
_PERCENTILES = (0.1, 99.9)


def measure_range(images: NDArray, given: Any = None) -> tuple[float, float]:
    """Return the values that are scaled to 0 and 1.

    Smallest and largest for integers, the 0.1 and 99.9 percentiles for floats, over at
    most 64 MiB of evenly spaced images. For constant images the upper is 1 higher.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
    given : (low, high), optional
        Checked and returned.

    Raises
    ------
    ValueError
        When ``given`` is no pair of finite numbers with low < high.
    """
    if given is not None:
        return _checked_range(given)
    sample = evenly_spaced(images)
    if sample.dtype.kind in "biu":
        low, high = float(sample.min()), float(sample.max())
    else:
        low, high = (float(v) for v in np.percentile(sample, _PERCENTILES))
    # Sparse objects can fill less than a thousandth of the values.
    if high <= low:
        low, high = float(sample.min()), float(sample.max())
    return (low, high) if high > low else (low, low + 1.0)


def _checked_range(given: Any) -> tuple[float, float]:
    values = np.asarray(given, dtype=float).ravel()
    if values.size != 2 or not np.isfinite(values).all() or values[0] >= values[1]:
        raise ValueError(
            f"intensity_range={given!r} is no range: give (low, high) with low < high, "
            "in the images' units, or None."
        )
    return float(values[0]), float(values[1])


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


def evenly_spaced(rows: NDArray) -> NDArray:
    """Return every k-th row, so that the rows together have at most 64 MiB."""
    return at_most(rows, max(2, _MOST_BYTES // max(1, rows[0].nbytes)))


def at_most(rows: NDArray, most: int) -> NDArray:
    """Return every k-th row, so that there are at most so many."""
    return rows[:: -(-len(rows) // most)]
