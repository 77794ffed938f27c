"""Starting points of the cluster heads."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import entropy
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning


class Start(NamedTuple):
    """Where cluster heads start.

    Attributes
    ----------
    mean : ndarray of shape (d,)
        Of the rows.
    scale : float
        Root mean square distance of a row from it; 1 if all rows are equal.
    centroids : ndarray of shape (n_heads, n_clusters, d)
        Of the rows less their mean, divided by the scale.
    entropy : float
        Of the sizes of the first head's clusters, in nats.
    """

    mean: NDArray[np.float32]
    scale: float
    centroids: NDArray[np.float32]
    entropy: float


def find_start(
    z: NDArray, n_clusters: int, n_heads: int, *, seed: int, n_init: int = 10
) -> Start:
    """Return k-means centroids of the rows, for each head those of runs of its own.

    All rows are scaled alike: how far a row lies from the mean tells clusters apart
    too.

    Parameters
    ----------
    z : ndarray of shape (n, d)
    n_clusters, n_heads : int
    seed : int
    n_init : int
        Runs for the first head, of which the best counts. The other heads have one run
        each: of several the best would be alike in all.
    """
    mean, scale, rows = unit_scale(z)
    with warnings.catch_warnings():
        # Fewer distinct rows than clusters: some heads' clusters start alike.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits = [
            KMeans(n_clusters, n_init=runs, random_state=seed + head).fit(rows)
            for head, runs in enumerate([n_init] + [1] * (n_heads - 1))
        ]
    centroids = np.stack([run.cluster_centers_ for run in fits])
    sizes = np.bincount(fits[0].labels_, minlength=n_clusters)
    return Start(mean, scale, centroids.astype(np.float32), float(entropy(sizes)))


def unit_scale(
    z: NDArray,
) -> tuple[NDArray[np.float32], float, NDArray[np.float32]]:
    """Return the mean, the root mean square distance from it, and the scaled rows."""
    mean = z.mean(axis=0, dtype=np.float64)
    centred = z - mean
    scale = float(np.sqrt(np.square(centred).sum(axis=1).mean())) or 1.0
    return mean.astype(np.float32), scale, (centred / scale).astype(np.float32)
