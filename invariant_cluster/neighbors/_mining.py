"""Nearest rows of an embedding."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from invariant_cluster.neighbors._approximate import (
    Found,
    has_faiss,
    search_lists,
)
from invariant_cluster.neighbors._exact import search_exactly

METHODS = ("auto", "exact", "approximate")
# Pairs of rows up to which "auto" is exact: those of 200,000 rows.
_MOST_EXACT_PAIRS = 200_000**2
_N_NEIGHBORS = 20


class MinedNeighbors(NamedTuple):
    """Neighbours of rows, and how many of the nearest they are.

    Attributes
    ----------
    indices : ndarray of shape (n_samples, n_neighbors), int64
        Row indices, nearest first.
    recall : float
        Share of the nearest rows that were found: 1 if the search was exact, else as
        measured on 500 rows.
    """

    indices: NDArray[np.int64]
    recall: float


def mine_neighbors(
    embedding: ArrayLike,
    n_neighbors: int,
    *,
    memory_mib: float = 256,
    method: str = "auto",
) -> NDArray[np.int64]:
    """Return the nearest other rows of each row, by centred cosine.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, d)
        Semantic representation of the images.
    n_neighbors : int
        Number of neighbours of each row, from 1 to n_samples - 1.
    memory_mib : float, default=256
        Upper limit in MiB of what exact search holds beside the rows and the result.
        One row of a block of similarities, at most 256 KiB, is always held.
    method : {"auto", "exact", "approximate"}, default="auto"
        "approximate" searches an inverted file of faiss (``pip install
        faiss-cpu``) with a recall of 0.95 or more. "auto" is exact up
        to 200,000 rows, and above if faiss is not installed, then with a warning.

    Returns
    -------
    ndarray of shape (n_samples, n_neighbors), int64
        Row indices, nearest first.

    Raises
    ------
    ValueError
        If ``n_neighbors`` is out of range, ``method`` is unknown, or the embedding is
        not 2-D, numeric and finite.
    ImportError
        If ``method="approximate"`` and faiss is not installed.

    See Also
    --------
    mine_with_recall : Return the recall too.
    find_neighbors : Find neighbours of other rows.
    score_nearness : Score rows by the distance to their neighbours.

    Notes
    -----
    The mean row is subtracted first, since a common component makes all cosines alike.
    A row is never its own neighbour, even if other rows equal it.
    A row equal to the mean has no direction: its cosine with any row is 0. Ties have no
    particular order, but the same one in every call.

    Exact search takes time that grows with the square of the number of rows. The other
    sorts the rows into ``2 sqrt(n_samples)`` lists by k-means and searches 8 lists for
    each row, or as many more as the recall needs. It is exact too where lists have no
    advantage, as with rows without clusters, up to about two million rows; above, a
    warning tells a recall below 0.95.

    References
    ----------
    J. Johnson, M. Douze, H. Jégou, "Billion-scale similarity search with GPUs", IEEE
    Transactions on Big Data, 2019.

    Examples
    --------
    >>> from invariant_cluster.neighbors import mine_neighbors
    >>> mine_neighbors([[2, 0], [2, 1], [-2, 0], [-2, -1]], n_neighbors=1)
    array([[1],
           [0],
           [3],
           [2]])
    """
    return mine_with_recall(
        embedding, n_neighbors, memory_mib=memory_mib, method=method
    ).indices


def mine_with_recall(
    embedding: ArrayLike,
    n_neighbors: int,
    *,
    memory_mib: float = 256,
    method: str = "auto",
) -> MinedNeighbors:
    """Return the nearest other rows of each row, and the recall of the search.

    Parameters
    ----------
    embedding, n_neighbors, memory_mib, method
        As in :func:`mine_neighbors`.

    Returns
    -------
    MinedNeighbors
        Indices of shape (n_samples, n_neighbors), and the recall.

    Raises
    ------
    ValueError, ImportError
        As in :func:`mine_neighbors`.

    See Also
    --------
    mine_neighbors : Return the neighbours alone.

    Examples
    --------
    >>> from invariant_cluster.neighbors import mine_with_recall
    >>> mine_with_recall([[2, 0], [2, 1], [-2, 0], [-2, -1]], n_neighbors=1).recall
    1.0
    """
    rows = _as_rows(embedding, "embedding")
    _check_n_neighbors(n_neighbors, len(rows), largest=len(rows) - 1)
    unit = _unit_rows(rows, _mean_row(rows))
    own = np.arange(len(rows))
    return MinedNeighbors(*_search(unit, unit, n_neighbors, memory_mib, method, own))


def find_neighbors(
    queries: ArrayLike,
    embedding: ArrayLike,
    n_neighbors: int,
    *,
    memory_mib: float = 256,
    method: str = "auto",
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
        Upper limit in MiB of what exact search holds, as in :func:`mine_neighbors`.
    method : {"auto", "exact", "approximate"}, default="auto"
        As in :func:`mine_neighbors`. "auto" is exact up to 200,000 x 200,000 pairs of a
        query and a row.

    Returns
    -------
    ndarray of shape (n_queries, n_neighbors), int64
        Row indices into ``embedding``, nearest first. A query that is itself a row of
        the embedding finds that row.

    Raises
    ------
    ValueError
        If ``n_neighbors`` is out of range, ``method`` is unknown, an array is not 2-D,
        numeric and finite, or the widths differ.
    ImportError
        If ``method="approximate"`` and faiss is not installed.

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
    return _search(unit_queries, unit, n_neighbors, memory_mib, method).indices


def _search(
    queries: Tensor,
    bank: Tensor,
    n_neighbors: int,
    memory_mib: float,
    method: str,
    own: NDArray[np.int64] | None = None,
) -> Found:
    """Return the most similar rows of bank (n, d) for queries (m, d), and the recall.

    ``own`` holds the row of the bank that each query is, to be left out.
    """
    if _is_exact(method, len(queries), len(bank)):
        return Found(search_exactly(queries, bank, n_neighbors, memory_mib, own), 1.0)
    return search_lists(queries, bank, n_neighbors, memory_mib, own)


def _is_exact(method: str, n_queries: int, n_rows: int) -> bool:
    """Return whether a method means exact search; warn if it should not."""
    if method not in METHODS:
        raise ValueError(f"method={method!r} must be one of {METHODS}.")
    if method != "auto":
        return method == "exact"
    if n_queries * n_rows <= _MOST_EXACT_PAIRS:
        return True
    if not has_faiss():
        _warn_of_exact_search(n_queries, n_rows)
    return not has_faiss()


def _warn_of_exact_search(n_queries: int, n_rows: int) -> None:
    warnings.warn(
        f"Neighbours of {n_queries} rows among {n_rows} are searched exactly, which "
        "takes about half an hour for a million rows, a hundred times as long for ten "
        "million: run `pip install faiss-cpu` for approximate search, "
        "or fit on fewer rows.",
        UserWarning,
        stacklevel=5,
    )


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
