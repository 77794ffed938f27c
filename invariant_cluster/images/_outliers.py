"""Values far outside those of most images: hot pixels, marks and stand-ins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.runtime import at_most, evenly_spaced

PERCENTILES = (0.1, 99.9)
FAR = 3.0  # times the typical range; images that span less are left alone
_FEW_VALUES = 16  # wafer maps and masks have so many, and each of them counts
_SHARE_OF_IMAGES = 0.95  # whose extremes make the typical range
_SHARE_OF_PIXELS = 0.001  # or two an image: more than that are no accidents
_SHARE_OF_STAND_INS = 0.5  # one value for missing pixels may fill as much
_MOST_JUDGED = 2**21  # values whose percentiles are taken, or handled at once


class Outliers(NamedTuple):
    """Values far outside the range of most images, and limits that leave them out.

    Attributes
    ----------
    lowest, highest : float
        Extremes of all values.
    low, high : float
        Limits to clip values to.
    n_values : int
        Number of values far outside.
    n_images : int
        Number of images that have some.
    n_seen : int
        Number of images looked at.
    """

    lowest: float
    highest: float
    low: float
    high: float
    n_values: int
    n_images: int
    n_seen: int


def find_outliers(images: NDArray) -> Outliers | None:
    """Return values far outside those of most images.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype, at least one.

    Returns
    -------
    Outliers or None
        None if there are none, or if images have at most 16 different values.

    See Also
    --------
    typical_range : Return the range of most images.
    clip_outliers : Clip images to the limits.

    Notes
    -----
    An outlier is further from the :func:`typical_range` than twice the length of that
    range. More than a thousandth of the values, and more than two an image, are no
    outliers, unless they are a stand-in for missing pixels: one negative value below
    others that are not. The limit is the furthest of the extremes of single images,
    isolated pixels aside, and of the 0.1 and 99.9 percentiles that is no outlier. A
    side without outliers has its limit where they would begin. At most 64 MiB of evenly
    spaced images are looked at.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.images import find_outliers
    >>> random = np.random.default_rng(0)
    >>> images = random.integers(300, 1200, (50, 1, 16, 16)).astype(np.uint16)
    >>> images[7, 0, 3, 3] = 65535
    >>> found = find_outliers(images)
    >>> found.highest, found.n_values, found.n_images
    (65535.0, 1, 1)
    >>> bool(found.high < 1200)
    True
    """
    sample = evenly_spaced(images)
    stand_in = _find_stand_in(sample)
    typical = typical_range(sample, stand_in)
    if typical is None:
        return None
    low, high = typical
    reach = (FAR - 1) * (high - low)
    below, above = low - reach, high + reach
    lowest, highest = float(sample.min()), float(sample.max())
    per_image = _count_outside(sample, below, above)
    if not 0 < per_image.sum() <= _most_outliers(sample, stand_in):
        return None
    bottoms, tops = _furthest_extremes(sample)
    return Outliers(
        lowest,
        highest,
        below if lowest >= below else float(bottoms[bottoms >= below].min(initial=low)),
        above if highest <= above else float(tops[tops <= above].max(initial=high)),
        int(per_image.sum()),
        int(np.count_nonzero(per_image)),
        len(sample),
    )


def typical_range(
    sample: NDArray, stand_in: float | None = None
) -> tuple[float, float] | None:
    """Return the range of most images, if other values lie far outside of it.

    Parameters
    ----------
    sample : ndarray of shape (n, c, h, w)
        Images of any real dtype, at least one.
    stand_in : float, optional
        Value of missing pixels, which does not count.

    Returns
    -------
    (low, high) or None
        None if all values span at most three times the range of most pixels, or are
        few, or if the range has no length.

    Notes
    -----
    Small bright objects may fill less than a thousandth of the pixels. They differ from
    hot pixels in that most images have one, of more than one pixel. So each pixel
    counts only as far as one of its eight neighbours reaches, and the range holds the
    extremes of 95 % of the images and the 0.1 and 99.9 percentiles of all.
    """
    if sample.dtype.kind == "b":
        return None
    few = _few(sample)
    cleaned = _without(_supported(few).ravel(), stand_in)
    low, high = (float(v) for v in np.percentile(cleaned, PERCENTILES))
    whole = float(sample.max()) - float(sample.min())
    if whole <= FAR * (high - low) or has_few_values(few):
        return None
    bottoms, tops = (_without(v, stand_in) for v in _supported_extremes(sample))
    low = min(low, float(np.quantile(bottoms, 1 - _SHARE_OF_IMAGES)))
    high = max(high, float(np.quantile(tops, _SHARE_OF_IMAGES)))
    return (low, high) if high > low else None


def has_few_values(images: NDArray) -> bool:
    """Return whether images have at most 16 different values, as wafer maps do.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype, at least one; a few evenly spaced ones are looked at.

    Returns
    -------
    bool
        True for wafer maps and masks.
    """
    return len(np.unique(_few(images))) <= _FEW_VALUES


def clip_outliers(images: NDArray, limits: tuple[float, ...]) -> NDArray:
    """Return images clipped to limits, in their own dtype.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype.
    limits : (low, high) or ()
        Limits; without any, the images themselves are returned.

    Returns
    -------
    ndarray of shape (m, c, h, w)
        Evenly spaced images that take at most 64 MiB, clipped.
    """
    if not limits:
        return images
    low, high = limits
    if images.dtype.kind in "iu":
        kind = np.iinfo(images.dtype)
        low, high = max(np.ceil(low), kind.min), min(np.floor(high), kind.max)
    return evenly_spaced(images).clip(*np.array([low, high]).astype(images.dtype))


def _few(sample: NDArray) -> NDArray:
    """Return evenly spaced images for slow measurements."""
    return at_most(sample, max(2, _MOST_JUDGED // max(1, sample[0].size)))


def _furthest_extremes(sample: NDArray) -> tuple[NDArray, NDArray]:
    """Return the extremes of images, spikes aside, and the percentiles of all."""
    bottoms, tops = _supported_extremes(sample)
    low, high = np.percentile(_few(sample), PERCENTILES)
    return np.append(bottoms, low), np.append(tops, high)


def _find_stand_in(sample: NDArray) -> float | None:
    """Return the one negative value below others that are not, if there is one."""
    lowest = sample.min()
    if sample.dtype.kind == "b" or not lowest < 0:
        return None
    others = sample != lowest
    second = sample.min(where=others, initial=sample.max())
    return float(lowest) if second >= 0 else None


def _most_outliers(sample: NDArray, stand_in: float | None) -> float:
    """Return how many values may be outliers."""
    if stand_in is not None:
        return _SHARE_OF_STAND_INS * sample.size
    return max(_SHARE_OF_PIXELS * sample.size, 2 * len(sample) * sample.shape[1])


def _without(values: NDArray, stand_in: float | None) -> NDArray:
    """Return values other than a stand-in, if there are any."""
    others = values if stand_in is None else values[values != stand_in]
    return others if len(others) else values


def _supported(images: NDArray) -> NDArray:
    """Return images whose pixels reach no further than the furthest neighbour.

    This is conservative smoothing: isolated spikes go, all else stays.
    """
    lowest, highest = _around(images)
    clipped: NDArray = np.minimum(np.maximum(images, lowest), highest)
    return clipped


def _around(images: NDArray) -> tuple[NDArray, NDArray]:
    """Return the extremes of the eight neighbours of each pixel."""
    height, width = images.shape[-2:]
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    shifts = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    beside = [padded[..., y : y + height, x : x + width] for y, x in shifts]
    return np.minimum.reduce(beside), np.maximum.reduce(beside)


def _supported_extremes(sample: NDArray) -> tuple[NDArray, NDArray]:
    """Return the lowest and the highest value (n,) of images, spikes aside."""
    n_chunks = min(len(sample), 1 + sample.size // _MOST_JUDGED)
    smoothed = (_supported(chunk) for chunk in np.array_split(sample, n_chunks))
    axes = (1, 2, 3)
    pairs = [(part.min(axis=axes), part.max(axis=axes)) for part in smoothed]
    bottoms, tops = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return bottoms.astype(float), tops.astype(float)


def _count_outside(sample: NDArray, low: float, high: float) -> NDArray:
    """Return how many values of each image (n,) are outside of limits."""
    outside = (sample < low) | (sample > high)
    return np.count_nonzero(outside.reshape(len(sample), -1), axis=1)
