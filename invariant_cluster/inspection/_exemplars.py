"""Which images stand for a cluster."""

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
    """Return the indices of at most n images of each cluster, in the order asked for.

    Parameters
    ----------
    labels : array-like of shape (n_images,)
    confidence : array-like of shape (n_images,)
        How sure each image's cluster is; ties keep the images' order.
    n : int
    order : {"most_confident", "least_confident", "random"}, default="most_confident"
    random_state : int, RandomState instance or None, default=None
        Used by "random".

    Returns
    -------
    dict of int to ndarray of int
        Clusters in ascending order.
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
