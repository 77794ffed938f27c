"""The value range of a set of images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.runtime import evenly_spaced

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
