"""Selection of images that represent a cluster."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from invariant_cluster.validation import check_choice

ORDERS = ("most_confident", "least_confident", "random")


def pick_exemplars(
    labels: ArrayLike,
    confidence: ArrayLike,
    n: int,
    *,
    order: str = "most_confident",
    random_state: int | np.random.RandomState | None = None,
) -> dict[int, NDArray[np.intp]]:
    """Return the indices of at most n images of each cluster, in a chosen order.

    Parameters
    ----------
    labels : array-like of shape (n_images,)
        Cluster of each image, as an integer.
    confidence : array-like of shape (n_images,)
        Confidence of each image's cluster. Equal values keep the order of the images.
    n : int
        Largest number of images per cluster.
    order : {"most_confident", "least_confident", "random"}, default="most_confident"
        Which images are picked, and in which order.
    random_state : int, RandomState instance or None, default=None
        Seed of the order "random".

    Returns
    -------
    dict of int to ndarray of int
        Indices of the images of each cluster; clusters in ascending order.

    Raises
    ------
    ValueError
        If ``order`` is unknown.

    Examples
    --------
    >>> from invariant_cluster.inspection import pick_exemplars
    >>> picked = pick_exemplars([0, 0, 1, 1], [0.9, 0.6, 0.7, 0.8], 1)
    >>> {cluster: rows.tolist() for cluster, rows in picked.items()}
    {0: [0], 1: [3]}
    """
    check_choice("order", order, ORDERS)
    clusters, rank = np.asarray(labels), np.asarray(confidence, dtype=float)
    if order == "random":
        rank = check_random_state(random_state).permutation(len(clusters))
    ranking = np.argsort(rank if order == "least_confident" else -rank, kind="stable")
    return {
        int(cluster): ranking[clusters[ranking] == cluster][:n]
        for cluster in np.unique(clusters)
    }
