"""Valleys of density between clusters and within them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from scipy.stats import gaussian_kde
from sklearn.cluster import KMeans

from invariant_cluster.metrics._sample import sample_clusters

_NEAREST = 3  # Clusters to which a cluster is compared.
_N_POINTS = 60  # At which a density is evaluated.
_FEWEST = 3  # Rows of a half; fewer are outliers.


def valley_contrast_score(embedding: ArrayLike, labels: ArrayLike) -> float:
    """Return how much deeper valleys of density are between clusters than within.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, d)
        Rows that were clustered.
    labels : array-like of shape (n_samples,)
        Cluster of each row.

    Returns
    -------
    float
        In [-1, 1]. 0 for a single cluster. Below 0 if clusters have parts that are
        further apart than the clusters, which happens with too few clusters.

    Raises
    ------
    ValueError
        If an array has the wrong shape or holds NaN or infinity, or the lengths differ.

    See Also
    --------
    cluster_silhouette_score : Compare distances instead of densities.
    invariant_cluster.model_selection.label_free_curve : The score for each number of
        clusters.

    Notes
    -----
    The depth of the valley between two sets of rows is measured on the line through
    their means: the density of both sets, each with weight one half, is estimated with
    a Gaussian kernel (Scott's bandwidth), and the depth is the largest
    ``1 - f(x) / min(p, q)`` between the means, where p and q are the highest densities
    on either side of x. It is 0 for one mode. For two sets of many rows that do not
    touch it is nearly 1; for few rows less, since the kernel is wide.

    The score of a cluster is the shallowest valley between it and another cluster, of
    the three with the nearest means, minus the valley between its own two halves, by
    k-means. With too few clusters some have a valley inside, with too many some have
    none beside them. The mean is weighted by the sizes of the clusters, so that a few
    rows apart from the others decide nothing.

    The score is not corrected for chance: k-means on a single normal distribution
    scores up to 0.15. Of more than 5,000 rows, 5,000 are drawn at random, the same rows
    in every call.

    The papers below split or merge clusters by the modes on such lines; the contrast
    of the two is ours.

    References
    ----------
    C. Hennig, "Methods for merging Gaussian mixture components", Advances in Data
    Analysis and Classification 4, 2010.

    A. Kalogeratos and A. Likas, "Dip-means: an incremental clustering method for
    estimating the number of clusters", NIPS 2012.

    J. F. Magland and A. H. Barnett, "Unimodal clustering using isotonic regression:
    ISO-SPLIT", arXiv:1508.04841, 2015.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from invariant_cluster.metrics import valley_contrast_score
    >>> z, _ = make_blobs(200, n_features=8, centers=4, random_state=0)
    >>> scores = [
    ...     valley_contrast_score(z, KMeans(k, n_init=3, random_state=0).fit_predict(z))
    ...     for k in (3, 4, 5)
    ... ]
    >>> scores[1] == max(scores) and scores[1] > 0.7
    True
    """
    rows, names = sample_clusters(embedding, labels)
    rows = rows.astype(np.float64)
    clusters = [rows[names == name] for name in np.unique(names)]
    if len(clusters) < 2:
        return 0.0
    contrast = _valleys_beside(clusters) - [_valley_within(own) for own in clusters]
    return float(np.average(contrast, weights=[len(own) for own in clusters]))


def _valleys_beside(clusters: list[NDArray]) -> NDArray[np.float64]:
    """Return the shallowest valley beside each cluster, (n_clusters,)."""
    means = np.stack([own.mean(axis=0) for own in clusters])
    distances = cdist(means, means)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argsort(axis=1)[:, : min(_NEAREST, len(clusters) - 1)]
    return np.array(
        [
            min(_valley_depth(own, clusters[other]) for other in others)
            for own, others in zip(clusters, nearest, strict=True)
        ]
    )


def _valley_within(rows: NDArray) -> float:
    """Return the valley between the halves of a cluster (n, d)."""
    if len(rows) < 2 * _FEWEST or (rows == rows[0]).all():
        return 0.0
    second = KMeans(2, n_init=3, random_state=0).fit_predict(rows) == 1
    if min(second.sum(), (~second).sum()) < _FEWEST:
        return 0.0
    return _valley_depth(rows[~second], rows[second])


def _valley_depth(first: NDArray, second: NDArray) -> float:
    """Return the depth of the valley between (n, d) and (m, d), from 0 to 1."""
    line = second.mean(axis=0) - first.mean(axis=0)
    length = np.linalg.norm(line)
    if length == 0:
        return 0.0
    low, high = first @ line / length, second @ line / length
    weights = np.repeat([0.5 / len(low), 0.5 / len(high)], [len(low), len(high)])
    density = gaussian_kde(np.concatenate([low, high]), weights=weights)
    f = density(np.linspace(low.mean(), high.mean(), _N_POINTS))
    left = np.maximum.accumulate(f)
    right = np.maximum.accumulate(f[::-1])[::-1]
    return float((1 - f / np.minimum(left, right)).max())
