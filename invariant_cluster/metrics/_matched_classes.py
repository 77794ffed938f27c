"""The class that each cluster is matched with, and how much of the cluster it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.metrics._matching import match_labels
from invariant_cluster.validation import check_labels, check_same_length

_HALF = 0.5
_NO_CLASS = -1


@dataclass(frozen=True)
class MatchedClass:
    """Class that the Hungarian method matches with a cluster, and its share.

    ``str`` of it is what plots and reports print beside the cluster.

    Attributes
    ----------
    name : str or None
        Matched class; None if the cluster has none.
    share : float
        Share of the cluster's images that are of the matched class; 0 without one.
    commonest : str
        Most frequent class of the cluster. It is another than the matched class if that
        class fits a further cluster better.
    commonest_share : float
        Share of the cluster's images that are of the most frequent class, its purity.

    See Also
    --------
    matched_classes : Match the clusters.

    Examples
    --------
    >>> from invariant_cluster.metrics import MatchedClass
    >>> print(MatchedClass("donut", 0.62, "donut", 0.62))
    mostly donut (62 %)
    >>> print(MatchedClass("ring", 0.25, "loc", 0.4))
    partly ring (25 %), more loc (40 %)
    >>> print(MatchedClass(None, 0.0, "loc", 0.8))
    no class of its own, mostly loc (80 %)
    """

    name: str | None
    share: float
    commonest: str
    commonest_share: float

    def __str__(self) -> str:
        return ", ".join(self.parts)

    @property
    def parts(self) -> list[str]:
        """The one or two phrases of the text."""
        if self.name is None:
            commonest = _tell(self.commonest, self.commonest_share)
            return ["no class of its own", commonest]
        told = [_tell(self.name, self.share)]
        if self.share < self.commonest_share:
            told.append(f"more {self.commonest} ({_percent(self.commonest_share)})")
        return told


def matched_classes(
    labels_true: ArrayLike,
    labels_pred: ArrayLike,
    *,
    target_names: Sequence[str] | None = None,
) -> dict[Any, MatchedClass]:
    """Return the class of each cluster with the share of the cluster that it holds.

    Parameters
    ----------
    labels_true : array-like of shape (n_samples,)
        Classes, of any type that can be sorted.
    labels_pred : array-like of shape (n_samples,)
        Clusters, of any type that can be sorted.
    target_names : sequence of str, optional
        Names of the sorted classes. By default the classes themselves, as text.

    Returns
    -------
    dict of cluster to MatchedClass
        One entry per cluster, sorted.

    Raises
    ------
    ValueError
        As in :func:`clustering_accuracy_score`, and if there is not one name for each
        class.

    See Also
    --------
    match_labels : Rename clusters to their classes.
    matched_confusion_matrix : Count each pair of class and cluster.

    Notes
    -----
    The Hungarian method gives each class to at most one cluster, also to a cluster that
    holds few of its images. Its name alone says too much; the share belongs beside it.

    Examples
    --------
    >>> from invariant_cluster.metrics import matched_classes
    >>> found = matched_classes(["ring", "ring", "ring", "blob"], [1, 1, 1, 1])
    >>> print(found[1])
    mostly ring (75 %)
    """
    classes, codes = np.unique(
        check_labels(labels_true, "labels_true"), return_inverse=True
    )
    clusters, members = np.unique(
        check_labels(labels_pred, "labels_pred"), return_inverse=True
    )
    check_same_length(labels_true=codes, labels_pred=members)
    names = _check_names(classes, target_names)
    counts = np.zeros((len(clusters), len(classes)), dtype=np.int64)
    np.add.at(counts, (members, codes), 1)
    first = np.unique(members, return_index=True)[1]
    matched = match_labels(codes, members, unmatched=_NO_CLASS)[first]
    return {
        cluster: _describe(row / row.sum(), code, names)
        for cluster, row, code in zip(
            clusters.tolist(), counts, matched.tolist(), strict=True
        )
    }


def _check_names(classes: NDArray, target_names: Sequence[str] | None) -> list[str]:
    """Return the names of the sorted classes."""
    if target_names is None:
        return [str(name) for name in classes.tolist()]
    if len(target_names) != len(classes):
        raise ValueError(
            f"target_names has {len(target_names)} names but labels_true holds "
            f"{len(classes)} classes: give one name for each class that occurs."
        )
    return [str(name) for name in target_names]


def _describe(shares: NDArray, code: int, names: list[str]) -> MatchedClass:
    """Return the matched class of a cluster with these shares of the classes."""
    commonest = int(shares.argmax())
    top = float(shares[commonest])
    if code == _NO_CLASS:
        return MatchedClass(None, 0.0, names[commonest], top)
    return MatchedClass(names[code], float(shares[code]), names[commonest], top)


def _tell(name: str, share: float) -> str:
    """Return a class with its share, in words that hold for the share."""
    return f"{'mostly' if share > _HALF else 'partly'} {name} ({_percent(share)})"


def _percent(share: float) -> str:
    """Return a share as whole percent; 100 only if nothing is missing."""
    whole = 100 if share == 1 else min(99, round(100 * share))
    return f"{whole} %"
