"""The intensity range of images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.images._outliers import (
    FAR,
    PERCENTILES,
    clip_outliers,
    find_outliers,
    typical_range,
)
from invariant_cluster.runtime import evenly_spaced


def measure_range(images: NDArray, given: Any = None) -> tuple[float, float]:
    """Return the intensities that are scaled to 0 and 1.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Training images, at least one.
    given : (low, high), optional
        The user's ``intensity_range``; returned as floats instead of a measurement.

    Returns
    -------
    low : float
        Intensity that becomes 0.
    high : float
        Intensity that becomes 1, above ``low``.

    Raises
    ------
    ValueError
        If ``given`` is not a pair of finite numbers with low < high.

    See Also
    --------
    measure_background : Measure the background.

    Notes
    -----
    The range is measured on at most 64 MiB of evenly spaced images. For integers it is
    the smallest and the largest value that is no outlier (:func:`find_outliers`). For
    floats it is the 0.1 and 99.9 percentiles; the :func:`typical_range` where that is
    more than three times as long, since objects fill few pixels; or the smallest and
    the largest value if the percentiles are equal. For constant images, high is low +
    1, or the next float32 if that is more.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.images import measure_range
    >>> measure_range(np.arange(128, dtype=np.uint8).reshape(2, 1, 8, 8))
    (0.0, 127.0)
    """
    if given is not None:
        return _checked_range(given)
    sample = _without_outliers(evenly_spaced(images))
    if sample.dtype.kind in "biu":
        low, high = float(sample.min()), float(sample.max())
    else:
        low, high = _range_of_floats(sample)
    # Small objects can fill less than a thousandth of the pixels.
    if high <= low:
        low, high = float(sample.min()), float(sample.max())
    return (low, high) if high > low else (low, max(low + 1.0, _next_float32(low)))


def _next_float32(value: float) -> float:
    """Return the float32 above a value: networks see no smaller difference."""
    return float(np.nextafter(np.float32(value), np.float32(np.inf)))


def _without_outliers(sample: NDArray) -> NDArray:
    """Return images clipped to the limits of values that are no outliers."""
    found = find_outliers(sample)
    return clip_outliers(sample, (found.low, found.high) if found else ())


def _range_of_floats(sample: NDArray) -> tuple[float, float]:
    """Return percentiles, or the range of most images if that is far longer."""
    low, high = (float(v) for v in np.percentile(sample, PERCENTILES))
    typical = typical_range(sample) if high > low else None
    if typical and typical[1] - typical[0] > FAR * (high - low):
        return typical
    return low, high


def _checked_range(given: Any) -> tuple[float, float]:
    """Return the user's range as floats, or raise a ValueError."""
    values = np.asarray(given, dtype=float).ravel()
    if values.size != 2 or not np.isfinite(values).all() or values[0] >= values[1]:
        raise ValueError(
            f"intensity_range={given!r} is not a valid range: give (low, high) with "
            "low < high, in the units of the images, or None."
        )
    return float(values[0]), float(values[1])
