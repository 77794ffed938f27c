"""What the training images were like, and how new ones compare."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from invariant_cluster.drift._boxes import nth_smallest, squared_distances
from invariant_cluster.drift._copies import moved_copies
from invariant_cluster.drift._finding import Z_FAR, Finding
from invariant_cluster.drift._span import Span, measure_span
from invariant_cluster.drift._statistics import (
    Watch,
    floors_of,
    measure_statistics,
    readable,
)
from invariant_cluster.images import clip_outliers
from invariant_cluster.runtime import at_most

LEAST_IMAGES = 40  # to which new images are compared
_MOST_TRAINING = 1000
MOST_NEW = 128
_MOST_Z, _MOST_Z_OF_COPIES = 300, 100
_MOST_VALUES = 2**21  # pixels measured at once
_MOST_REACHING = 300
_LEAST_REACH = 0.1  # spreads: what rounding changes in images that are all alike
_LEAST_OF_SPREAD = 0.2  # of the spread of z: closer than that is near
_NEAREST = 5
_ALIKE = 30  # training images, at most, with which one is compared; a third if few
_FARTHEST = 0.99  # quantile of the training images' own distances
_FAR = 1.5  # times that distance
_LIMIT_SHARE, _LIMIT_SHIFT = 0.2, 0.6
_OF_FEW_SHARE, _OF_FEW_SHIFT = 0.6, 1.0  # over the root of the number of images


class Reference(NamedTuple):
    """The training images' statistics, with which new images are compared.

    Attributes
    ----------
    watch : Watch
        What is compared.
    span : Span
        Values of the training images.
    values : ndarray of shape (3, m, k), float32
        Statistics of at most 1,000 training images: as they are, and turned and moved
        with linear and with cubic interpolation.
    reach : float
        Distance beyond which an image is unlike all training images.
    z : ndarray of shape (l, d), float32, or None
        Representations of training images and of copies, if they are compared too.

    See Also
    --------
    measure_reference : Measure it.
    """

    watch: Watch
    span: Span
    values: NDArray[np.float32]
    reach: float
    z: NDArray[np.float32] | None = None

    def compare(self, images: NDArray) -> list[Finding]:
        """Return how new images compare with the training images.

        Parameters
        ----------
        images : ndarray of shape (n, c, h, w)
            New images, at least one; of more than 128, evenly spaced ones are compared.

        Returns
        -------
        list of Finding
            One for each aspect, and one for all together; empty if there were fewer
            than 40 training images, or if all aspects may change.

        Notes
        -----
        A turned copy of a training image is no drift, though interpolation smooths it
        and may crop it. So a training image counts as a box: the ranges of its
        statistics and those of its turned copies.

        A batch of new images may hold the classes in other shares than the training
        set, so the distributions of a statistic are not compared. Instead, an image is
        *far* if its fifth nearest box, in the space of all statistics, is 1.5 times as
        far away as that of 99 % of the training images is. And each aspect of an image
        is ranked among the 30 boxes that are nearest in all other aspects: the mean
        rank over a batch, from -1 to 1, is the *shift*. It is near 0 if the aspect is
        what it was for such images in training, whichever classes these are.
        Differences too small to matter do not count. The limits, 0.2 and 0.6, grow for
        few images.
        """
        if self.values.shape[1] < LEAST_IMAGES or not self.values.size:
            return []
        sample = at_most(images, MOST_NEW)
        new, aspects = measure_statistics(sample, self.span.width, self.watch)
        boxes = _box(self.values, aspects)
        rows = new / boxes.scales
        apart, total = boxes.distances(rows)
        found = [*boxes.quantiles, np.median(new, axis=0)]
        least, middle, most, median = (
            readable(values, aspects, self.span.width) for values in found
        )
        findings = [
            Finding(str(aspects[j]), middle[j], least[j], most[j], median[j], *shift)
            for j, *shift in _shifts(rows, boxes, apart, total)
        ]
        far = float((np.sqrt(nth_smallest(total, _NEAREST)) > self.reach).mean())
        return [*findings, _of_share("unlike all training images", far, len(sample))]

    def compare_z(self, z: NDArray) -> list[Finding]:
        """Return how the representations of new images compare.

        Parameters
        ----------
        z : ndarray of shape (n, d)
            Representations of new images, at least one.

        Returns
        -------
        list of Finding
            One, the share of images whose z is far from those of training; empty if
            there were fewer than 40 training images.
        """
        if self.z is None or self.values.shape[1] < LEAST_IMAGES:
            return []
        sample = at_most(np.asarray(z), MOST_NEW)
        far = far_share(self.z, sample)
        return [_of_share(Z_FAR, far, len(sample))]


def measure_reference(
    images: NDArray,
    watch: Watch,
    represent: Callable[[NDArray], NDArray] | None = None,
) -> Reference:
    """Return the statistics of training images.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Training images; of more than 1,000, as many are drawn with a fixed seed. Of
        images with equal statistics, one counts.
    watch : Watch
        What is compared.
    represent : callable, optional
        Returns z (m, d) of images (m, c, h, w).

    Returns
    -------
    Reference
        The statistics, and with ``represent`` z of at most 300 images and of two copies
        of 100 of these.
    """
    sample = _draw(images)
    span = measure_span(clip_outliers(sample, watch.limits))
    values, aspects = _measure_with_copies(sample, span.width, watch)
    kept = _first_of_equals(values[0])
    values = values[:, kept]
    z = None
    if represent is not None:
        parts = _with_copies(sample[kept[:_MOST_Z]], watch)
        z = np.concatenate([represent(part) for part in parts])
    return Reference(watch, span, values, _reach(values, aspects), z)


def _draw(images: NDArray) -> NDArray:
    """Return at most 1,000 images in random order: theirs may have a period."""
    rows = np.random.default_rng(0).permutation(len(images))[:_MOST_TRAINING]
    return images[rows]


def _first_of_equals(values: NDArray) -> NDArray[np.intp]:
    """Return the first of equal rows (n, k), in their order.

    Copies would be at distance 0 from each other, and all new images farther.
    """
    if not values.size:
        return np.arange(len(values))
    return np.sort(np.unique(values, axis=0, return_index=True)[1])


def _with_copies(images: NDArray, watch: Watch) -> list[NDArray]:
    """Return images, and copies of 100 of them that are turned and moved."""
    random = np.random.default_rng(0)
    few = images[:_MOST_Z_OF_COPIES]
    return [images, *moved_copies(few, far=watch.moves, random=random)]


def _measure_with_copies(
    images: NDArray, unit: float, watch: Watch
) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Return statistics (3, m, k) of images and their copies, and their aspects."""
    random = np.random.default_rng(0)
    step = max(1, _MOST_VALUES // max(1, images[0].size))
    parts = []
    for start in range(0, len(images), step):
        chunk = images[start : start + step]
        copies = [chunk, *moved_copies(chunk, far=watch.moves, random=random)]
        measured = [measure_statistics(copy, unit, watch) for copy in copies]
        parts.append(np.stack([part.values for part in measured]))
    return np.concatenate(parts, axis=1), measured[0].aspects


def _reach(values: NDArray, aspects: NDArray[np.str_]) -> float:
    """Return how far from the training images an image may be."""
    n_images = values.shape[1]
    if n_images <= _NEAREST or not values.size:
        return math.inf
    boxes = _box(values, aspects)
    every = -(-n_images // _MOST_REACHING)
    rows = np.arange(0, n_images, every)
    own = values[:, rows].reshape(-1, values.shape[2]) / boxes.scales
    _, total = boxes.distances(own)
    total[np.arange(len(own)), np.tile(rows, len(values))] = np.inf
    reach = np.quantile(np.sqrt(nth_smallest(total, _NEAREST)), _FARTHEST)
    return _FAR * max(float(reach), _LEAST_REACH)


def far_share(known: NDArray, new: NDArray) -> float:
    """Return the share of new rows that are far from all known ones.

    Parameters
    ----------
    known : ndarray of shape (m, k)
        Rows of training images, at least 6.
    new : ndarray of shape (n, k)
        Rows of new images.

    Returns
    -------
    float
        From 0 to 1.
    """
    search = NearestNeighbors(n_neighbors=_NEAREST, algorithm="brute").fit(known)
    own = search.kneighbors(n_neighbors=_NEAREST)[0][:, -1]
    distance = search.kneighbors(new)[0][:, -1]
    # Where few objects are shown in many poses, invariant rows nearly coincide.
    spread = _LEAST_OF_SPREAD * math.sqrt(float(known.var(axis=0).sum()))
    return float((distance > max(_FAR * np.quantile(own, _FARTHEST), spread)).mean())


class _Boxes(NamedTuple):
    """Training images as boxes, in multiples of the spread of each column.

    Attributes
    ----------
    aspects : ndarray of shape (k,), str
        Aspect to which each column belongs.
    quantiles : ndarray of shape (3, k)
        5, 50 and 95 percentiles of the images, not scaled.
    scales : ndarray of shape (k,)
        Spread of each column: that of the middle 90 %, or the floor.
    low, high : ndarray of shape (m, k)
        Ranges of each image and its copies.
    """

    aspects: NDArray[np.str_]
    quantiles: NDArray
    scales: NDArray
    low: NDArray
    high: NDArray

    def distances(self, rows: NDArray) -> tuple[dict[str, NDArray], NDArray]:
        """Return squared distances (n, m) of scaled rows, by aspect and in all."""
        apart = squared_distances(rows, self.low, self.high, self.aspects)
        return apart, np.add.reduce(list(apart.values()))


def _box(values: NDArray, aspects: NDArray[np.str_]) -> _Boxes:
    """Return the boxes of statistics (3, m, k) of images and their copies."""
    quantiles = np.quantile(values[0], (0.05, 0.5, 0.95), axis=0)
    scales = np.maximum((quantiles[2] - quantiles[0]) / 3.3, floors_of(aspects))
    low, high = values.min(axis=0) / scales, values.max(axis=0) / scales
    return _Boxes(aspects, quantiles, scales, low, high)


def _shifts(
    rows: NDArray, boxes: _Boxes, apart: Mapping[str, NDArray], total: NDArray
) -> list[tuple[int, float, float]]:
    """Return column, shift and limit of each aspect: of its most shifted column."""
    limit = _limit(_LIMIT_SHIFT, _OF_FEW_SHIFT, len(rows))
    low, high = boxes.low, boxes.high
    floors = floors_of(boxes.aspects) / boxes.scales
    n_alike = min(_ALIKE, len(low) // 3)
    found = []
    for aspect, own in apart.items():
        if aspect == "shape" or len(apart) == 1:
            continue
        alike = np.argpartition(total - own, n_alike - 1, axis=1)[:, :n_alike]
        columns = np.flatnonzero(boxes.aspects == aspect)
        shifts = [
            _mean_rank(rows[:, j, None], low[alike, j], high[alike, j], floors[j])
            for j in columns
        ]
        worst = int(np.argmax(np.abs(shifts)))
        found.append((int(columns[worst]), shifts[worst], limit))
    return found


def _mean_rank(new: NDArray, low: NDArray, high: NDArray, floor: float) -> float:
    """Return the mean rank, -1 to 1, of values (n, 1) among ranges (n, m)."""
    return float((new > high + floor).mean() - (new < low - floor).mean())


def _of_share(name: str, share: float, n_images: int) -> Finding:
    limit = _limit(_LIMIT_SHARE, _OF_FEW_SHARE, n_images)
    return Finding(name, 0.0, math.nan, math.nan, share, share, limit)


def _limit(of_many: float, of_few: float, n_images: int) -> float:
    return of_many + of_few / math.sqrt(n_images)
