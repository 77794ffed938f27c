"""Scores of clusters that need no classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import adjusted_rand_score, silhouette_score

from invariant_cluster.metrics._neighborhood import neighbor_purity_score
from invariant_cluster.metrics._sample import sample_clusters
from invariant_cluster.validation import (
    check_labels,
    check_same_length,
)


def label_agreement_score(
    embedding: ArrayLike, labels: ArrayLike, *, n_neighbors: int = 20
) -> float:
    """Return how often nearest neighbours share a cluster, corrected for chance.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, d)
        Rows that were clustered.
    labels : array-like of shape (n_samples,)
        Cluster of each row.
    n_neighbors : int, default=20
        Number of neighbours of each row, from 1 to n_samples - 1.

    Returns
    -------
    float
        At most 1. 0 is the chance level, and the score of a single cluster.

    Raises
    ------
    ValueError
        If an array has the wrong shape or holds NaN, the lengths differ, or
        ``n_neighbors`` is out of range.

    See Also
    --------
    neighbor_purity_score : The same share, not corrected for chance.
    label_agreement_scorer : The same score for ``scoring=``.
    cluster_silhouette_score : Compare distances within and between clusters.

    Notes
    -----
    The score is ``(p - e) / (1 - e)``. p is :func:`neighbor_purity_score` of the
    clusters and e the share of all pairs of rows that share a cluster.

    The correction removes the advantage of large clusters. It does not remove the
    advantage of few clusters, which have fewer borders: at equal quality, fewer
    clusters score higher.

    Examples
    --------
    >>> from invariant_cluster.metrics import label_agreement_score
    >>> z = [[0, 0], [0, 1], [9, 9], [9, 8]]
    >>> label_agreement_score(z, [0, 0, 1, 1], n_neighbors=1)
    1.0
    """
    purity = neighbor_purity_score(embedding, labels, n_neighbors=n_neighbors)
    sizes = np.unique(np.asarray(labels), return_counts=True)[1]
    n = sizes.sum()
    by_chance = float((sizes * (sizes - 1)).sum() / (n * (n - 1)))
    return (purity - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0


def cluster_silhouette_score(embedding: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean silhouette of clusters, by Euclidean distance.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, d)
        Rows that were clustered.
    labels : array-like of shape (n_samples,)
        Cluster of each row.

    Returns
    -------
    float
        In [-1, 1]. 0 for a single cluster, and if each row is its own cluster.

    Raises
    ------
    ValueError
        If an array has the wrong shape or holds NaN or infinity, or the lengths differ.

    See Also
    --------
    silhouette_scorer : The same score for ``scoring=``.
    label_agreement_score : Compare the clusters of nearest neighbours.
    sklearn.metrics.silhouette_score : The same mean; a single cluster is an error.

    Notes
    -----
    Of more than 5,000 rows, 5,000 are drawn at random, the same rows in every call,
    since the silhouette compares all pairs.

    The silhouette is not corrected for chance: on data without clusters it falls with
    the number of clusters and with d.

    References
    ----------
    P. J. Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation
    of cluster analysis", Journal of Computational and Applied Mathematics 20, 1987.

    Examples
    --------
    >>> from invariant_cluster.metrics import cluster_silhouette_score
    >>> z = [[0, 0], [0, 1], [9, 9], [9, 8]]
    >>> round(cluster_silhouette_score(z, [0, 0, 1, 1]), 2)
    0.92
    """
    rows, names = sample_clusters(embedding, labels)
    if not 1 < len(np.unique(names)) < len(names):
        return 0.0
    return float(silhouette_score(rows, names))


def adjusted_label_stability_score(labels: ArrayLike, labels_moved: ArrayLike) -> float:
    """Return the adjusted Rand index of the clusters of images and of moved copies.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Cluster of each image.
    labels_moved : array-like of shape (n_samples,)
        Cluster of the moved copy of each image, in the same order. The clusters need
        not have the same names.

    Returns
    -------
    float
        At most 1. The chance level is 0, whatever the number and sizes of clusters.

    Raises
    ------
    ValueError
        If an array is not 1-D or has missing labels, or the lengths differ.

    See Also
    --------
    adjusted_label_stability_scorer : Score an estimator on turned copies.
    resampling_stability_score : Compare the clusters of two halves of the rows.

    Notes
    -----
    The score is 0 if either labelling has one cluster: a single cluster separates
    nothing, however stable it is.

    Examples
    --------
    >>> from invariant_cluster.metrics import adjusted_label_stability_score
    >>> adjusted_label_stability_score([0, 0, 1, 1], [1, 1, 0, 0])
    1.0
    """
    first = check_labels(labels, "labels")
    second = check_labels(labels_moved, "labels_moved")
    check_same_length(labels=first, labels_moved=second)
    if min(len(np.unique(first)), len(np.unique(second))) < 2:
        return 0.0
    return float(adjusted_rand_score(first, second))
