"""Clusters matched one to one with classes by the Hungarian method.

The matching maximises the number of samples whose cluster is matched with their class
(Kuhn, *Naval Research Logistics Quarterly* 2, 1955). Pairs that share no sample are
dropped, although the assignment may contain them.
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
    """Matching of clusters with classes.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        Distinct classes, sorted.
    codes : ndarray of shape (n_samples,)
        Index of each sample's cluster among the sorted clusters.
    counts : ndarray of shape (n_classes, n_clusters)
        Number of samples of each class in each cluster.
    rows, columns : ndarray of shape (n_matched,)
        Class and cluster of each matched pair, as indices into ``counts``.
    """

    classes: NDArray
    codes: NDArray
    counts: NDArray
    rows: NDArray
    columns: NDArray


def clustering_accuracy_score(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """Return the accuracy of clusters that are matched one to one with classes.

    Parameters
    ----------
    labels_true : array-like of shape (n_samples,)
        Classes, of any type that can be sorted.
    labels_pred : array-like of shape (n_samples,)
        Clusters, of any type that can be sorted; it may differ from that of the
        classes. -1 is a cluster like any other.

    Returns
    -------
    float
        In (0, 1]. 1 if and only if the two partitions are the same.

    Raises
    ------
    ValueError
        If an array is not 1-D, is empty, or has missing or unsortable labels, or if the
        lengths differ.

    See Also
    --------
    accuracy_scorer : The same score for ``scoring=``.
    match_labels : Rename clusters to their classes.
    matched_confusion_matrix : Count each pair of class and cluster.

    Notes
    -----
    The score is ``max_m 1/n sum_i [m(labels_pred_i) = labels_true_i]`` over one-to-one
    maps m of clusters to classes, found by the Hungarian method. Members of a cluster
    without a class count as wrong, so more clusters than classes do not raise the
    score.

    References
    ----------
    H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research
    Logistics Quarterly 2, 1955.

    Examples
    --------
    >>> from invariant_cluster.metrics import clustering_accuracy_score
    >>> clustering_accuracy_score(["a", "a", "b", "b"], [0, 0, 1, 2])
    0.75
    """
    matching = _match(labels_true, labels_pred)
    matched = matching.counts[matching.rows, matching.columns].sum()
    return float(matched / len(matching.codes))


def match_labels(
    labels_true: ArrayLike, labels_pred: ArrayLike, *, unmatched: Any = None
) -> NDArray:
    """Return cluster labels renamed to the classes they are matched with.

    Parameters
    ----------
    labels_true : array-like of shape (n_samples,)
        Classes, of any type that can be sorted.
    labels_pred : array-like of shape (n_samples,)
        Clusters, of any type that can be sorted.
    unmatched : label, optional
        Name of every cluster that has no class, because there are more clusters than
        classes or because it shares no sample with the remaining class. By default -1
        for classes that are numbers and "unmatched" for classes that are strings.

    Returns
    -------
    ndarray of shape (n_samples,)
        Class of each sample's cluster, in the dtype of ``labels_true``. The dtype is
        widened if it cannot hold ``unmatched``.

    Raises
    ------
    ValueError
        As in :func:`clustering_accuracy_score`, and if a cluster has no class while
        ``unmatched`` is the name of a class.

    See Also
    --------
    clustering_accuracy_score : Score the matching.
    matched_confusion_matrix : Count each pair of class and cluster.

    Notes
    -----
    The share of entries that equal ``labels_true`` is
    :func:`clustering_accuracy_score`. The result can be passed to any metric or plot
    for classifiers.

    Examples
    --------
    >>> from invariant_cluster.metrics import match_labels
    >>> match_labels(["a", "a", "b", "b"], [0, 0, 1, 2]).tolist()
    ['a', 'a', 'b', 'unmatched']
    """
    matching = _match(labels_true, labels_pred)
    n_clusters = matching.counts.shape[1]
    names = matching.classes
    if len(matching.rows) < n_clusters:
        names = _with_unmatched(names, unmatched)
    # Clusters without a class keep index -1, the appended name.
    class_of = np.full(n_clusters, -1)
    class_of[matching.columns] = matching.rows
    return names[class_of[matching.codes]]


def matched_confusion_matrix(
    labels_true: ArrayLike, labels_pred: ArrayLike
) -> NDArray[np.int64]:
    """Return counts of classes and clusters with the matched pairs on the diagonal.

    Parameters
    ----------
    labels_true : array-like of shape (n_samples,)
        Classes, of any type that can be sorted.
    labels_pred : array-like of shape (n_samples,)
        Clusters, of any type that can be sorted.

    Returns
    -------
    ndarray of shape (n_classes, n_classes + n_unmatched), int64
        Number of samples of each class (row) in each cluster (column). Rows are the
        sorted classes. Column j < n_classes is the cluster matched with class j, and
        all zero if there is none. The clusters without a class follow, sorted.

    Raises
    ------
    ValueError
        As in :func:`clustering_accuracy_score`.

    See Also
    --------
    invariant_cluster.plot.MatchedConfusionMatrixDisplay : Plot the matrix.
    match_labels : Rename clusters to their classes.

    Notes
    -----
    The trace divided by the sum is :func:`clustering_accuracy_score`.

    Examples
    --------
    >>> from invariant_cluster.metrics import matched_confusion_matrix
    >>> matched_confusion_matrix(["a", "a", "b", "b"], [0, 0, 1, 2])
    array([[2, 0, 0],
           [0, 1, 1]])
    """
    matching = _match(labels_true, labels_pred)
    n_classes = len(matching.classes)
    matched = np.zeros((n_classes, n_classes), dtype=np.int64)
    matched[:, matching.rows] = matching.counts[:, matching.columns]
    return np.hstack([matched, np.delete(matching.counts, matching.columns, axis=1)])


def _match(labels_true: ArrayLike, labels_pred: ArrayLike) -> _Matching:
    """Match the clusters with the classes."""
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
    """Return the number of samples with each pair of codes, int64."""
    cells = np.ravel_multi_index((rows, columns), shape)
    return np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)


def _with_unmatched(classes: NDArray, unmatched: Any) -> NDArray:
    """Return the classes followed by the name of clusters without a class."""
    is_text = isinstance(classes[0], str)
    if unmatched is None:
        unmatched = "unmatched" if is_text else -1
    if unmatched in classes.tolist():
        raise ValueError(
            f"unmatched={unmatched!r} is the name of a class, but some clusters match "
            "no class: give unmatched a label that is not in labels_true."
        )
    dtype = np.result_type(classes.dtype, np.min_scalar_type(unmatched))
    if is_text != isinstance(unmatched, str):
        dtype = np.dtype(object)
    return np.array([*classes.tolist(), unmatched], dtype=dtype)
