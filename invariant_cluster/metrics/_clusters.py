"""How well clusters fit the embedding that they are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import adjusted_rand_score, silhouette_score

from invariant_cluster.metrics._neighborhood import neighbor_purity_score
from invariant_cluster.validation import (
    check_finite_array,
    check_labels,
    check_same_length,
)

_MAX_ROWS = 5000  # The silhouette compares all pairs of rows.


def label_agreement_score(
    embedding: ArrayLike, labels: ArrayLike, *, n_neighbors: int = 20
) -> float:
    """Return how far nearest neighbours are of one cluster, corrected for chance.

    ``(p - e) / (1 - e)``, with p the :func:`neighbor_purity_score` of the clusters
    and e the share of all pairs that are of one cluster. One cluster alone scores 0.
    The correction takes away what large clusters have by their size, not that more
    clusters have more borders: at equal quality fewer score higher.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, d)
    labels : array-like of shape (n_samples,)
        Of the clusters.
    n_neighbors : int
        From 1 to n_samples - 1.

    Returns
    -------
    float
        At most 1; 0 by chance.

    Raises
    ------
    ValueError
        Wrong shapes, unequal lengths, NaN, or ``n_neighbors`` out of range.
    """
    purity = neighbor_purity_score(embedding, labels, n_neighbors=n_neighbors)
    sizes = np.unique(np.asarray(labels), return_counts=True)[1]
    n = sizes.sum()
    by_chance = float((sizes * (sizes - 1)).sum() / (n * (n - 1)))
    return (purity - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0


def cluster_silhouette_score(embedding: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean silhouette of clusters, by Euclidean distance.

    Rousseeuw (1987), as :func:`sklearn.metrics.silhouette_score`, where one cluster is
    an error; here it scores 0. Of more than 5,000 rows so many are drawn, the same ones
    in every call. Not corrected for chance: on data without clusters it falls with
    their number and with d.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, d)
    labels : array-like of shape (n_samples,)
        Of the clusters.

    Returns
    -------
    float
        In [-1, 1]; 0 also for one cluster, and where each row is a cluster.

    Raises
    ------
    ValueError
        Wrong shapes, unequal lengths, NaN or infinity.
    """
    rows = check_finite_array(embedding, "embedding", (None, None))
    names = check_labels(labels, "labels")
    check_same_length(embedding=rows, labels=names)
    if len(rows) > _MAX_ROWS:
        chosen = np.random.default_rng(0).choice(len(rows), _MAX_ROWS, replace=False)
        rows, names = rows[chosen], names[chosen]
    if not 1 < len(np.unique(names)) < len(names):
        return 0.0
    return float(silhouette_score(rows, names))


def adjusted_label_stability_score(labels: ArrayLike, labels_moved: ArrayLike) -> float:
    """Return the adjusted Rand index between clusters of images and of moved copies.

    0 where either labelling has one cluster: a single cluster separates nothing,
    however stable it is.

    Parameters
    ----------
    labels, labels_moved : array-like of shape (n_samples,)
        Clusters of the same rows, before and after, row by row.

    Returns
    -------
    float
        At most 1; 0 by chance, whatever the number and sizes of clusters.

    Raises
    ------
    ValueError
        Wrong shapes, unequal lengths.
    """
    first = check_labels(labels, "labels")
    second = check_labels(labels_moved, "labels_moved")
    check_same_length(labels=first, labels_moved=second)
    if min(len(np.unique(first)), len(np.unique(second))) < 2:
        return 0.0
    return float(adjusted_rand_score(first, second))
