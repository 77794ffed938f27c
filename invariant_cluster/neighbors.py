"""Nearest rows of an embedding: by centred cosine, exactly, and how near they are."""

from __future__ import annotations

from numbers import Integral

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

# Measured at 60,000 x 128: larger blocks are slower, 1,024 rows by a fifth and more.
_MAX_BLOCK_ROWS = 64
# Of the training rows' median length: an image embedded in another batch differs by
# rounding, about a hundredth of this.
_SAME = 1e-4
_N_NEIGHBORS = 20


def mine_neighbors(
    embedding: ArrayLike, n_neighbors: int, *, memory_mib: float = 256
) -> NDArray[np.int64]:
    """Return the nearest other rows of each row, by cosine after centring.

    The mean row is subtracted first, since a common component makes all cosines
    alike. A row is never its own neighbour, even where others equal it. Rows equal
    to the mean have no direction: their cosine with any row is 0. Equal cosines come
    in no particular order, the same one in every call.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, d)
    n_neighbors : int
        From 1 to n_samples - 1.
    memory_mib : float
        Upper limit in MiB of the block of similarities that is held at a time; one
        row of it, 4 n_samples bytes, is always held.

    Returns
    -------
    ndarray of shape (n_samples, n_neighbors), int64
        Row indices, nearest first.

    Raises
    ------
    ValueError
        ``n_neighbors`` out of range, or an embedding that is not 2-D, numeric and
        finite.
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

    Both are centred by the mean of ``embedding``. A query that is itself a row of
    the embedding finds that row.

    Parameters
    ----------
    queries : array-like of shape (n_queries, d)
    embedding : array-like of shape (n_samples, d)
    n_neighbors : int
        From 1 to n_samples.
    memory_mib : float
        As in :func:`mine_neighbors`.

    Returns
    -------
    ndarray of shape (n_queries, n_neighbors), int64
        Row indices into ``embedding``, nearest first.

    Raises
    ------
    ValueError
        As :func:`mine_neighbors`, and when the widths differ.
    """
    rows = _as_rows(embedding, "embedding")
    asked = _as_rows(queries, "queries")
    if asked.shape[1] != rows.shape[1]:
        raise ValueError(
            f"queries has shape {asked.shape} but embedding has shape {rows.shape}: "
            "both need the same number of columns; transform them by one embedder."
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
            f"{name} has shape {rows.shape} and dtype {rows.dtype}: expected numbers "
            "of shape (n_samples, d) with at least one row and column; give what an "
            "embedder's transform returns."
        )
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        raise ValueError(
            f"{name} holds NaN or infinity, first in row {bad.argmax()}: drop or fill "
            "such rows."
        )
    return rows


def _check_n_neighbors(n_neighbors: int, n_samples: int, *, largest: int) -> None:
    if not isinstance(n_neighbors, Integral) or not 1 <= n_neighbors <= largest:
        raise ValueError(
            f"n_neighbors={n_neighbors!r} must be an integer from 1 to {largest}, "
            f"since n_samples={n_samples}: change n_neighbors or give more rows."
        )


def _mean_row(rows: NDArray) -> NDArray:
    return rows.mean(axis=0, dtype=np.float64)


def _unit_rows(rows: NDArray, center: NDArray) -> Tensor:
    """Return rows - center scaled to length 1, float32 (n, d); zero rows stay zero."""
    dtype = np.result_type(rows.dtype, np.float32)
    centred = np.subtract(rows, center.astype(dtype), dtype=dtype)
    # By the largest entry first: squares of very large or small values leave float32.
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
        raise ValueError(f"memory_mib={memory_mib!r} must be above 0: 256 is ample.")
    return int(max(1, min(_MAX_BLOCK_ROWS, memory_mib * 2**20 // (4 * n_samples))))


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


def default_n_neighbors(n_samples: int) -> int:
    """Return 20; under 200 samples a tenth of them, at least 1."""
    return min(_N_NEIGHBORS, max(1, n_samples // 10))
