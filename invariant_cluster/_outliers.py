"""How far a row lies from the rows that a model was trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import NearestNeighbors

# Of the training rows' median length: an image embedded in another batch differs by
# rounding, about a hundredth of this.
_SAME = 1e-4


def score_nearness(
    queries: ArrayLike, training: ArrayLike, n_neighbors: int
) -> NDArray[np.float32]:
    """Return minus the mean distance from each query to its nearest training rows.

    ``-mean_{j in N(i)} |q_i - z_j|``, Euclidean: deep nearest neighbours (Sun et al.,
    ICML 2022), there for vectors of length 1 and the k-th neighbour alone.

    A query that equals a training row is taken for that row, which is not among its own
    neighbours. Of several equal training rows only one is left out: a row that others
    repeat is not abnormal.

    Parameters
    ----------
    queries : array-like of shape (m, d)
    training : array-like of shape (n, d)
    n_neighbors : int
        From 1 to n - 1.

    Returns
    -------
    ndarray of shape (m,), float32
        At most 0; the lower, the more abnormal.
    """
    rows, asked = np.asarray(training), np.asarray(queries)
    search = NearestNeighbors(n_neighbors=n_neighbors + 1, algorithm="brute").fit(rows)
    distance, _ = search.kneighbors(asked)
    is_training = distance[:, 0] <= _SAME * _typical_length(rows)
    others = np.where(is_training[:, None], distance[:, 1:], distance[:, :-1])
    return -others.mean(axis=1).astype(np.float32)


def _typical_length(rows: NDArray) -> float:
    """Return the median distance of the rows (n, d) from their median."""
    return float(np.median(np.linalg.norm(rows - np.median(rows, axis=0), axis=1)))
