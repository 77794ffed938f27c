"""What the training images were like, and how new ones compare."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from invariant_cluster.drift._finding import Z_FAR, Finding
from invariant_cluster.drift._span import Span, measure_span
from invariant_cluster.drift._statistics import (
    Watch,
    floors_of,
    measure_statistics,
    readable,
)
from invariant_cluster.runtime import at_most

LEAST_IMAGES = 40  # to which new images are compared
_MOST_TRAINING = 1000
_MOST_Z = 300
_MOST_NEW = 256
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
    values : ndarray of shape (m, k), float32
        Statistics of at most 1,000 training images.
    z : ndarray of shape (l, d), float32, or None
        Representations of at most 300 of them, if they are compared too.

    See Also
    --------
    measure_reference : Measure it.
    """

    watch: Watch
    span: Span
    values: NDArray[np.float32]
    z: NDArray[np.float32] | None = None

    def compare(self, images: NDArray) -> list[Finding]:
        """Return how new images compare with the training images.

        Parameters
        ----------
        images : ndarray of shape (n, c, h, w)
            New images, at least one; of more than 256, evenly spaced ones are compared.

        Returns
        -------
        list of Finding
            One for each aspect, and one for all together; empty if there were fewer
            than 40 training images, or if all aspects may change.

        Notes
        -----
        A batch of new images may hold the classes in other shares than the training
        set, so the distributions of a statistic are not compared. Instead, an image is
        *far* if its fifth nearest training image, in the space of all statistics, is
        1.5 times as far away as that of 99 % of the training images is. And each
        aspect of an image is ranked among the 30 training images that are nearest in
        all other aspects: the mean rank over a batch, from -1 to 1, is the *shift*. It
        is near 0 if the aspect is what it was for such images in training, whichever
        classes these are. Differences too small to matter do not count. The limits, 0.2
        and 0.6, grow for few images.
        """
        if len(self.values) < LEAST_IMAGES or not self.values.size:
            return []
        sample = at_most(images, _MOST_NEW)
        new, aspects = measure_statistics(sample, self.span.width, self.watch)
        known, floors = self.values, floors_of(aspects)
        scales = _spreads(known, floors)
        middle, low, high = (
            readable(np.quantile(known, q, axis=0), aspects, self.span.width)
            for q in (0.5, 0.05, 0.95)
        )
        found = readable(np.median(new, axis=0), aspects, self.span.width)
        findings = [
            Finding(str(aspects[j]), middle[j], low[j], high[j], found[j], shift, limit)
            for j, shift, limit in _shifts(
                known / scales, new / scales, floors / scales, aspects
            )
        ]
        far = far_share(known / scales, new / scales)
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
        if self.z is None or len(self.z) < LEAST_IMAGES:
            return []
        sample = at_most(np.asarray(z), _MOST_NEW)
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
        Returns z (m, d) of images (m, c, h, w). It is called with at most 300 images.

    Returns
    -------
    Reference
        The statistics, and z with ``represent``.
    """
    sample = _draw(images)
    span = measure_span(sample)
    values = measure_statistics(sample, span.width, watch).values
    # Copies would be no farther from each other than 0, and all new images farther.
    _, first = np.unique(values, axis=0, return_index=True)
    kept = np.sort(first) if values.size else np.arange(len(values))
    z = None if represent is None else represent(sample[kept[:_MOST_Z]])
    return Reference(watch, span, values[kept], z)


def _draw(images: NDArray) -> NDArray:
    """Return at most 1,000 images in random order: theirs may have a period."""
    rows = np.random.default_rng(0).permutation(len(images))[:_MOST_TRAINING]
    return images[rows]


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
    return float((distance > _FAR * np.quantile(own, _FARTHEST)).mean())


def _shifts(
    known: NDArray, new: NDArray, floors: NDArray, aspects: NDArray[np.str_]
) -> list[tuple[int, float, float]]:
    """Return column, shift and limit of each aspect: of its most shifted column."""
    limit = _limit(_LIMIT_SHIFT, _OF_FEW_SHIFT, len(new))
    found = []
    for aspect in dict.fromkeys(aspects.tolist()):
        own, others = np.flatnonzero(aspects == aspect), aspects != aspect
        if aspect == "shape" or not others.any():
            continue
        n_alike = min(_ALIKE, len(known) // 3)
        search = NearestNeighbors(n_neighbors=n_alike, algorithm="brute")
        alike = search.fit(known[:, others]).kneighbors(
            new[:, others], return_distance=False
        )
        above = [new[:, j, None] - known[alike, j] for j in own]
        shifts = [_mean_rank(a, floors[j]) for a, j in zip(above, own, strict=True)]
        worst = int(np.argmax(np.abs(shifts)))
        found.append((int(own[worst]), shifts[worst], limit))
    return found


def _mean_rank(above: NDArray, floor: float) -> float:
    """Return the mean rank, -1 to 1, given how far values are above others (n, m)."""
    return float((above > floor).mean() - (above < -floor).mean())


def _spreads(values: NDArray, floors: NDArray) -> NDArray[np.float64]:
    """Return the spread of each column: that of the middle 90 %, or the floor."""
    low, high = np.quantile(values, [0.05, 0.95], axis=0)
    spreads: NDArray[np.float64] = np.maximum((high - low) / 3.3, floors)
    return spreads


def _of_share(name: str, share: float, n_images: int) -> Finding:
    limit = _limit(_LIMIT_SHARE, _OF_FEW_SHARE, n_images)
    return Finding(name, 0.0, math.nan, math.nan, share, share, limit)


def _limit(of_many: float, of_few: float, n_images: int) -> float:
    return of_many + of_few / math.sqrt(n_images)
