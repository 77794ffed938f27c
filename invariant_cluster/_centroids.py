"""Starting points of the cluster heads."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import normalize


def spherical_centroids(
    z: NDArray, n_clusters: int, n_heads: int, *, seed: int
) -> NDArray[np.float32]:
    """Return k-means centroids of the centred, normalised rows, one run a head.

    Parameters
    ----------
    z : ndarray of shape (n, d)
    n_clusters, n_heads : int
    seed : int

    Returns
    -------
    ndarray of shape (n_heads, n_clusters, d), float32
    """
    unit = normalize(z - z.mean(axis=0))
    with warnings.catch_warnings():
        # Fewer distinct rows than clusters: some heads' clusters start alike.
        warnings.simplefilter("ignore", ConvergenceWarning)
        runs = [
            KMeans(n_clusters, n_init=3, random_state=seed + head).fit(unit)
            for head in range(n_heads)
        ]
    return np.stack([run.cluster_centers_ for run in runs]).astype(np.float32)
