"""Nearest rows of an embedding, and their distances."""

from __future__ import annotations

from numbers import Integral

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

# Measured at 60,000 x 128: larger blocks are slower, 1,024 rows by 20 % and more.
_MAX_BLOCK_ROWS = 64
# Tolerance for equal rows, relative to the training rows' median length. Rounding, when
# an image is embedded in another batch, is about a hundredth of this.
_SAME = 1e-4
_N_NEIGHBORS = 20


def mine_neighbors(
    embedding: ArrayLike, n_neighbors: int, *, memory_mib: float = 256
) -> NDArray[np.int64]:
    """Return the nearest other rows of each row, by centred cosine.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, d)
        Semantic representation of the images.
    n_neighbors : int
        Number of neighbours of each row, from 1 to n_samples - 1.
    memory_mib : float, default=256
        Upper limit in MiB of the block of similarities that is held at a time. One row
        of similarities, 4 n_samples bytes, is always held.

    Returns
    -------
    ndarray of shape (n_samples, n_neighbors), int64
        Row indices, nearest first.

    Raises
    ------
    ValueError
        If ``n_neighbors`` is out of range, or the embedding is not 2-D, numeric and
        finite.

    See Also
    --------
    find_neighbors : Find neighbours of other rows.
    score_nearness : Score rows by the distance to their neighbours.

    Notes
    -----
    The mean row is subtracted first, since a common component makes all cosines alike.
    The search is exact. A row is never its own neighbour, even if other rows equal it.
    A row equal to the mean has no direction: its cosine with any row is 0. Ties have no
    particular order, but the same one in every call.

    Examples
    --------
    >>> from invariant_cluster.neighbors import mine_neighbors
    >>> mine_neighbors([[2, 0], [2, 1], [-2, 0], [-2, -1]], n_neighbors=1)
    array([[1],
           [0],
           [3],
           [2]])
    """
    rows = _as_rows(embedding, "embedding")
    _check_n_neighbors(n_neighbors, len(rows), largest=len(rows) - 1)
    unit = _unit_rows(rows, _mean_row(rows))
    return _search(unit, unit, n_neighbors, memory_mib, skip_self=True)


def find_neighbors(
    queries: ArrayLike,
    embedding: ArrayLike,
    n_neighbors: int,
    *,
    memory_mib: float = 256,
) -> NDArray[np.int64]:
    """Return the rows of an embedding nearest to each query, by centred cosine.

    Parameters
    ----------
    queries : array-like of shape (n_queries, d)
        Semantic representation of the images whose neighbours are wanted.
    embedding : array-like of shape (n_samples, d)
        Semantic representation of the images among which to search. Its mean centres
        both arrays.
    n_neighbors : int
        Number of neighbours of each query, from 1 to n_samples.
    memory_mib : float, default=256
        Upper limit in MiB of the block of similarities that is held at a time, as in
        :func:`mine_neighbors`.

    Returns
    -------
    ndarray of shape (n_queries, n_neighbors), int64
        Row indices into ``embedding``, nearest first. A query that is itself a row of
        the embedding finds that row.

    Raises
    ------
    ValueError
        If ``n_neighbors`` is out of range, an array is not 2-D, numeric and finite, or
        the widths differ.

    See Also
    --------
    mine_neighbors : Find neighbours within one embedding.
    """
    rows = _as_rows(embedding, "embedding")
    asked = _as_rows(queries, "queries")
    if asked.shape[1] != rows.shape[1]:
        raise ValueError(
            f"queries has shape {asked.shape} but embedding has shape {rows.shape}: "
            "both need the same number of columns; use one embedder for both."
        )
    _check_n_neighbors(n_neighbors, len(rows), largest=len(rows))
    center = _mean_row(rows)
    unit, unit_queries = _unit_rows(rows, center), _unit_rows(asked, center)
    return _search(unit_queries, unit, n_neighbors, memory_mib, skip_self=False)


def _as_rows(array: ArrayLike, name: str) -> NDArray:
    """Return the array if it is 2-D, numeric, not empty and finite."""
    rows = np.asarray(array)
    if rows.ndim != 2 or rows.size == 0 or rows.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} has shape {rows.shape} and dtype {rows.dtype}: expected a numeric "
            "array of shape (n_samples, d) with at least one row and column; give the "
            "output of an embedder's transform."
        )
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        raise ValueError(
            f"{name} holds NaN or infinity, first in row {bad.argmax()}: drop or fill "
            "these rows."
        )
    return rows


def _check_n_neighbors(n_neighbors: int, n_samples: int, *, largest: int) -> None:
    """Raise a ValueError unless n_neighbors is an integer from 1 to largest."""
    if not isinstance(n_neighbors, Integral) or not 1 <= n_neighbors <= largest:
        raise ValueError(
            f"n_neighbors={n_neighbors!r} must be an integer from 1 to {largest}, "
            f"since n_samples={n_samples}: change n_neighbors or give more rows."
        )


def _mean_row(rows: NDArray) -> NDArray:
    """Return the mean of the rows in float64."""
    return rows.mean(axis=0, dtype=np.float64)


def _unit_rows(rows: NDArray, center: NDArray) -> Tensor:
    """Return rows - center scaled to length 1, float32 (n, d); zero rows stay zero."""
    dtype = np.result_type(rows.dtype, np.float32)
    centred = np.subtract(rows, center.astype(dtype), dtype=dtype)
    # Divide by the largest entry first: squares of extreme values leave float32.
    peak = np.maximum(centred.max(axis=1), -centred.min(axis=1))[:, None]
    centred /= np.where(peak > 0, peak, 1)
    unit = torch.from_numpy(centred.astype(np.float32, copy=False))
    return unit.div_(unit.norm(dim=1, keepdim=True).clamp_min(1))


def _search(
    queries: Tensor,
    bank: Tensor,
    n_neighbors: int,
    memory_mib: float,
    *,
    skip_self: bool,
) -> NDArray[np.int64]:
    """Return the n_neighbors rows of bank (n, d) most similar to each query (m, d)."""
    found = np.empty((len(queries), n_neighbors), dtype=np.int64)
    step = _block_rows(len(bank), memory_mib)
    for start in range(0, len(queries), step):
        similarity = queries[start : start + step] @ bank.T
        if skip_self:
            similarity.diagonal(start).fill_(-torch.inf)
        nearest = similarity.topk(n_neighbors, dim=1).indices
        found[start : start + step] = nearest.numpy()
    return found


def _block_rows(n_samples: int, memory_mib: float) -> int:
    """Return how many float32 rows of n_samples similarities are held at a time."""
    if not memory_mib > 0:
        raise ValueError(f"memory_mib={memory_mib!r} must be positive: use 256.")
    return int(max(1, min(_MAX_BLOCK_ROWS, memory_mib * 2**20 // (4 * n_samples))))


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

    The reference uses vectors of length 1 and the distance to the k-th neighbour alone.

    References
    ----------
    Y. Sun et al., "Out-of-distribution detection with deep nearest neighbors", ICML
    2022.
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


def default_n_neighbors(n_samples: int) -> int:
    """Return the default number of neighbours for a number of samples.

    Parameters
    ----------
    n_samples : int
        Number of rows.

    Returns
    -------
    int
        20, or a tenth of the samples if there are fewer than 200; at least 1.

    See Also
    --------
    mine_neighbors : Find the neighbours.

    Examples
    --------
    >>> from invariant_cluster.neighbors import default_n_neighbors
    >>> default_n_neighbors(1000), default_n_neighbors(50)
    (20, 5)
    """
    return min(_N_NEIGHBORS, max(1, n_samples // 10))
