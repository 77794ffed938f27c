"""Clusters matched one to one with classes by the Hungarian method.

The matching maximises the number of samples whose cluster is matched with their
class (Kuhn, *Naval Research Logistics Quarterly* 2, 1955). A pair that shares no
sample is no match, although the assignment may propose it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from invariant_cluster.validation import check_labels, check_same_length


@dataclass(frozen=True)
class _Matching:
    """Which cluster belongs to which class.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,), sorted
    codes : ndarray of shape (n_samples,), the index of each sample's cluster
    counts : ndarray of shape (n_classes, n_clusters), samples shared
    rows, columns : ndarray of shape (n_matched,), the matched pairs
    """

    classes: NDArray
    codes: NDArray
    counts: NDArray
    rows: NDArray
    columns: NDArray


def clustering_accuracy_score(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """Return the share of samples in the cluster that is matched with their class.

    ``max_m 1/n sum_i [m(labels_pred_i) = labels_true_i]`` over one-to-one maps m of
    clusters to classes. Members of a cluster without a class count as wrong, so
    over-clustering does not raise the score.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n_samples,)
        Labels of any sortable kind, the two need not be of the same. -1 is a label
        like any other.

    Returns
    -------
    float
        In (0, 1]; 1 iff the two partitions are the same.

    Raises
    ------
    ValueError
        Other shapes, unequal lengths, no samples, missing or unsortable labels.
    """
    matching = _match(labels_true, labels_pred)
    matched = matching.counts[matching.rows, matching.columns].sum()
    return float(matched / len(matching.codes))


def match_labels(
    labels_true: ArrayLike, labels_pred: ArrayLike, *, unmatched: Any = None
) -> NDArray:
    """Return the cluster labels renamed to the classes that they are matched with.

    The share of entries that equal ``labels_true`` is
    :func:`clustering_accuracy_score`, so the result serves any metric or plot made
    for classifiers.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n_samples,)
    unmatched : label, optional
        The name of every cluster that has no class: there are more clusters than
        classes, or it shares no sample with the class that is left. Default: -1 for
        numbers, "unmatched" for strings.

    Returns
    -------
    ndarray of shape (n_samples,)
        Of the dtype of ``labels_true``, widened where that cannot hold ``unmatched``.

    Raises
    ------
    ValueError
        As :func:`clustering_accuracy_score`, and when a cluster has no class and
        ``unmatched`` is the name of one.
    """
    matching = _match(labels_true, labels_pred)
    n_clusters = matching.counts.shape[1]
    names = matching.classes
    if len(matching.rows) < n_clusters:
        names = _with_unmatched(names, unmatched)
    # A cluster without a class keeps index -1: the name that was appended.
    class_of = np.full(n_clusters, -1)
    class_of[matching.columns] = matching.rows
    return names[class_of[matching.codes]]


def matched_confusion_matrix(
    labels_true: ArrayLike, labels_pred: ArrayLike
) -> NDArray[np.int64]:
    """Return class by cluster counts whose diagonal holds the matched pairs.

    Parameters
    ----------
    labels_true, labels_pred : array-like of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_classes, n_classes + n_unmatched), int64
        Rows are the sorted classes. Column j < n_classes is the cluster matched with
        class j, all zero where it has none; then follow the clusters without a class,
        in their sorted order. The trace over the sum is
        :func:`clustering_accuracy_score`.

    Raises
    ------
    ValueError
        As :func:`clustering_accuracy_score`.
    """
    matching = _match(labels_true, labels_pred)
    n_classes = len(matching.classes)
    matched = np.zeros((n_classes, n_classes), dtype=np.int64)
    matched[:, matching.rows] = matching.counts[:, matching.columns]
    return np.hstack([matched, np.delete(matching.counts, matching.columns, axis=1)])


def _match(labels_true: ArrayLike, labels_pred: ArrayLike) -> _Matching:
    true = check_labels(labels_true, "labels_true")
    pred = check_labels(labels_pred, "labels_pred")
    check_same_length(labels_true=true, labels_pred=pred)
    classes, class_codes = _encode(true, "labels_true")
    clusters, codes = _encode(pred, "labels_pred")
    counts = _contingency(class_codes, codes, (len(classes), len(clusters)))
    rows, columns = linear_sum_assignment(counts, maximize=True)
    shared = counts[rows, columns] > 0
    return _Matching(classes, codes, counts, rows[shared], columns[shared])


def _encode(labels: NDArray, name: str) -> tuple[NDArray, NDArray]:
    """Return the sorted distinct labels and each sample's index into them."""
    try:
        return np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise ValueError(
            f"{name} mixes labels that cannot be sorted ({error}): convert them to "
            "one type, such as str."
        ) from error


def _contingency(rows: NDArray, columns: NDArray, shape: tuple[int, int]) -> NDArray:
    """Return how many samples have each pair of codes, int64."""
    cells = np.ravel_multi_index((rows, columns), shape)
    return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)


def _with_unmatched(classes: NDArray, unmatched: Any) -> NDArray:
    """Return the classes and, last, the name of what has none."""
    is_text = isinstance(classes[0], str)
    if unmatched is None:
        unmatched = "unmatched" if is_text else -1
    if unmatched in classes.tolist():
        raise ValueError(
            f"unmatched={unmatched!r} is the name of a class, and some clusters match "
            "none: give unmatched= a label that is not in labels_true."
        )
    dtype = np.result_type(classes.dtype, np.min_scalar_type(unmatched))
    if is_text != isinstance(unmatched, str):
        dtype = np.dtype(object)
    return np.array([*classes.tolist(), unmatched], dtype=dtype)
