"""Starting points of the cluster heads."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import entropy
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from invariant_cluster.progress import waiting

_MOST_ROWS = 200_000  # of k-means; of more, a sample finds the same centroids
_CHUNK = 65_536


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
    too. Of more than 200,000 rows, k-means sees as many drawn at random.

    Parameters
    ----------
    z : ndarray of shape (n, d)
    n_clusters, n_heads : int
    seed : int
    n_init : int
        Runs for the first head, of which the best counts. The other heads have one run
        each: of several the best would be alike in all.
    """
    mean, scale = measure_scale(z)
    rows = _scaled(_draw_rows(z, seed), mean, scale)
    with warnings.catch_warnings(), waiting("k-means"):
        # Fewer distinct rows than clusters: some heads' clusters start alike.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits = [
            KMeans(n_clusters, n_init=runs, random_state=seed + head).fit(rows)
            for head, runs in enumerate([n_init] + [1] * (n_heads - 1))
        ]
    centroids = np.stack([run.cluster_centers_ for run in fits])
    sizes = np.bincount(fits[0].labels_, minlength=n_clusters)
    centroids = centroids.astype(np.float32)
    return Start(mean.astype(np.float32), scale, centroids, float(entropy(sizes)))


def measure_scale(z: NDArray) -> tuple[NDArray[np.float64], float]:
    """Return the mean of rows (n, d) and the root mean square distance from it."""
    mean = z.mean(axis=0, dtype=np.float64)
    squares = [np.square(part - mean).sum(axis=1) for part in _chunks(z)]
    return mean, float(np.sqrt(np.concatenate(squares).mean())) or 1.0


def _draw_rows(z: NDArray, seed: int) -> NDArray:
    """Return rows (m, d) in their order, all of them up to a limit."""
    if len(z) <= _MOST_ROWS:
        return z
    rng = np.random.default_rng(seed)
    return z[np.sort(rng.choice(len(z), _MOST_ROWS, replace=False))]


def _scaled(z: NDArray, mean: NDArray[np.float64], scale: float) -> NDArray[np.float32]:
    """Return the rows less the mean, divided by the scale in float64."""
    rows = np.empty(z.shape, dtype=np.float32)
    for part, out in zip(_chunks(z), _chunks(rows), strict=True):
        out[:] = (part - mean) / scale
    return rows


def _chunks(rows: NDArray) -> Iterator[NDArray]:
    """Yield views, each of so few rows that float64 copies take little memory."""
    yield from (rows[i : i + _CHUNK] for i in range(0, len(rows), _CHUNK))
