"""How near rows are to the training rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import NearestNeighbors

# Tolerance for equal rows, relative to the training rows' median length. Rounding, when
# an image is embedded in another batch, is about a hundredth of this.
_SAME = 1e-4
_MOST_ROWS = 200_000


def score_nearness(
    queries: ArrayLike, training: ArrayLike, n_neighbors: int
) -> NDArray[np.float32]:
    """Return the negative mean distance of each query to its nearest training rows.

    Parameters
    ----------
    queries : array-like of shape (m, d)
        Rows to score.
    training : array-like of shape (n, d)
        Rows among which the neighbours are found.
    n_neighbors : int
        Number of neighbours, from 1 to n - 1.

    Returns
    -------
    ndarray of shape (m,), float32
        ``-mean_{j in N(i)} |q_i - z_j|``, Euclidean, at most 0. The lower the score,
        the more abnormal the row.

    See Also
    --------
    find_neighbors : Find neighbours by centred cosine.

    Notes
    -----
    A query that equals a training row up to rounding is taken for that row, which is
    then left out of its own neighbours. If several training rows equal it, only one is
    left out: a row that others repeat is not abnormal.

    Of more than 200,000 training rows, as many drawn at random are searched, the same
    ones in every call, so that the time does not grow with the square of their number.
    Distances are then somewhat larger, for all queries alike.

    The reference uses vectors of length 1 and the distance to the k-th neighbour alone.

    References
    ----------
    Y. Sun et al., "Out-of-distribution detection with deep nearest neighbors", ICML
    2022.
    """
    rows, asked = _draw_rows(np.asarray(training)), np.asarray(queries)
    search = NearestNeighbors(n_neighbors=n_neighbors + 1, algorithm="brute").fit(rows)
    distance, _ = search.kneighbors(asked)
    is_training = distance[:, 0] <= _SAME * _typical_length(rows)
    others = np.where(is_training[:, None], distance[:, 1:], distance[:, :-1])
    return -others.mean(axis=1).astype(np.float32)


def _draw_rows(rows: NDArray) -> NDArray:
    """Return the rows (n, d), or a sample of them."""
    if len(rows) <= _MOST_ROWS:
        return rows
    rng = np.random.default_rng(0)
    return rows[np.sort(rng.choice(len(rows), _MOST_ROWS, replace=False))]


def _typical_length(rows: NDArray) -> float:
    """Return the median distance of the rows (n, d) from their median."""
    return float(np.median(np.linalg.norm(rows - np.median(rows, axis=0), axis=1)))
