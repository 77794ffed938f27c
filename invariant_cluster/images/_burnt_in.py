"""Marks burnt into all images, such as scale bars and captions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from invariant_cluster.images._border import edges_of
from invariant_cluster.images._outliers import has_few_values
from invariant_cluster.runtime import at_most

_LEAST_IMAGES = 20
_MOST_IMAGES = 256
_MOST_VALUES = 2**22
_CONSTANT = 0.02  # of the range: standard deviation that compression leaves
_DIFFERENT = 0.25  # of the range: distance from the background
_LEAST_PIXELS = 4
_ABRUPT = 0.75  # of the pixels around a mark are like the background
_CALM = 1.5  # times the usual standard deviation at the border
_TOUCHING = np.ones((3, 3), dtype=bool)


class Mark(NamedTuple):
    """Where images have a mark.

    Attributes
    ----------
    top, bottom, left, right : int
        Rows top to bottom - 1 and columns left to right - 1 hold the mark.
    n_pixels : int
        Number of pixels of the mark.
    """

    top: int
    bottom: int
    left: int
    right: int
    n_pixels: int


def find_mark(images: NDArray, background: NDArray) -> Mark | None:
    """Return a region that is the same in all images and not background.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype.
    background : ndarray of shape (c,)
        Background of each channel.

    Returns
    -------
    Mark or None
        The box around all such regions. None if there are none, or if there are fewer
        than 20 images or at most 16 different values.

    Notes
    -----
    A pixel is constant if its standard deviation over at most 256 evenly spaced images
    is below 2 % of the range of values, and it differs if it is a quarter of the range
    away from the background. A mark is a region of at least four such pixels that touch
    and that end abruptly: three quarters of the pixels around it vary no more than
    those of the image's border and are like the background. Objects that lie over each
    other have pixels in common, too, but around these the objects vary. A region about
    the middle of the image is an object, and nothing is a mark if less of the image
    varies.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.images import find_mark
    >>> images = np.random.default_rng(0).integers(0, 200, (30, 1, 16, 16))
    >>> images[:, :, 13:15, 2:10] = 255
    >>> find_mark(images, np.array([100.0]))
    Mark(top=13, bottom=15, left=2, right=10, n_pixels=16)
    """
    if len(images) < _LEAST_IMAGES:
        return None
    most = min(_MOST_IMAGES, _MOST_VALUES // images[0].size)
    sample = at_most(images, max(_LEAST_IMAGES, most))
    if has_few_values(sample):  # a die that passes everywhere is no mark
        return None
    spread, away = _measure_pixels(sample, background)
    is_same = spread < _CONSTANT
    marked = _abrupt_regions(is_same & (away > _DIFFERENT), spread, away)
    if not 0 < marked.sum() <= np.count_nonzero(~is_same):
        return None
    rows, columns = np.flatnonzero(marked.any(1)), np.flatnonzero(marked.any(0))
    return Mark(
        int(rows[0]),
        int(rows[-1]) + 1,
        int(columns[0]),
        int(columns[-1]) + 1,
        int(marked.sum()),
    )


def _measure_pixels(sample: NDArray, background: NDArray) -> tuple[NDArray, NDArray]:
    """Return each pixel's standard deviation and distance from the background.

    Both are (h, w), the largest over channels, in units of the range of values.
    """
    low, high = np.percentile(sample, (0.1, 99.9))
    span = float(high - low) or 1.0
    values = sample / span
    away = np.abs(values.mean(axis=0) - background[:, None, None] / span)
    return values.std(axis=0).max(axis=0), away.max(axis=0)


def _abrupt_regions(
    same: NDArray[np.bool_], spread: NDArray, away: NDArray
) -> NDArray[np.bool_]:
    """Return the pixels of regions that are large enough and end abruptly."""
    usual = np.median(np.concatenate(edges_of(spread)))
    is_calm = (spread <= max(_CONSTANT, _CALM * usual)) & (away <= _DIFFERENT)
    labels, _ = ndimage.label(same, structure=_TOUCHING)
    kept = np.zeros(same.shape, dtype=bool)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        region = labels == number
        around = ndimage.binary_dilation(region, structure=_TOUCHING) & ~region
        is_small = region.sum() < _LEAST_PIXELS
        if is_small or _holds_middle(box, same.shape):
            continue
        if is_calm[around].mean() >= _ABRUPT:
            kept |= region
    return kept


def _holds_middle(box: tuple[slice, ...], shape: tuple[int, ...]) -> bool:
    return all(
        part.start <= (side - 1) / 2 <= part.stop - 1
        for part, side in zip(box, shape, strict=True)
    )
