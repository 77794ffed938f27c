"""Approximate search by an inverted file of faiss, with its measured recall."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from invariant_cluster.neighbors._exact import search_exactly

TARGET_RECALL = 0.95
_N_MEASURED = 500
_LEAST_ROWS_A_LIST = 40
_N_ITERATIONS = 6
_FIRST_PROBES, _MOST_PROBES = 8, 128
# A similarity costs ten times as much in lists as in a matrix product.
_LIST_COST = 10
# How many times as long exact search may take where lists do not reach the recall.
_PATIENCE = 4
_BLOCK_QUERIES = 65_536
_ROUNDING = 1e-6  # of a cosine


class Found(NamedTuple):
    """Rows that were found, and how many of the right ones they are.

    Attributes
    ----------
    indices : ndarray of shape (m, n_neighbors), int64
    recall : float
    """

    indices: NDArray[np.int64]
    recall: float


class Sample(NamedTuple):
    """Queries whose neighbours are known.

    Attributes
    ----------
    queries : Tensor of shape (m, d)
    bank : Tensor of shape (n, d)
    truth : ndarray of shape (m, n_neighbors), int64
    own : ndarray of shape (m,), int64, or None
        The row of the bank that each query is.
    """

    queries: Tensor
    bank: Tensor
    truth: NDArray[np.int64]
    own: NDArray[np.int64] | None

    def recall_of(self, index: Any) -> float:
        """Return the share of rows found that are as similar as those to be found."""
        found = _search_index(index, self.queries, self.truth.shape[1], self.own)
        least = self._products(self.truth)[:, -1:] - _ROUNDING
        return float(((self._products(found) >= least) & (found >= 0)).mean())

    def _products(self, indices: NDArray) -> NDArray:
        """Return the products (m, k) of the queries with rows of the bank."""
        rows = self.bank[torch.from_numpy(indices)]
        return torch.einsum("md,mkd->mk", self.queries, rows).numpy()


def has_faiss() -> bool:
    """Return whether faiss can be imported."""
    try:
        import faiss  # noqa: F401
    except ImportError:
        return False
    return True


def search_lists(
    queries: Tensor,
    bank: Tensor,
    n_neighbors: int,
    memory_mib: float,
    own: NDArray[np.int64] | None = None,
) -> Found:
    """Return rows of a bank with a high inner product, highest first, and the recall.

    The rows, of length 1, are sorted into lists around k-means centroids. The lists
    nearest to a query are searched: 8 at first, then twice as many until the recall
    reaches 0.95. It is measured on 500 queries by exact search. Where lists have no
    advantage over exact search, that is done instead.

    Parameters
    ----------
    queries, bank, n_neighbors, memory_mib, own
        As in :func:`search_exactly`.

    Returns
    -------
    Found
        With recall 1 after exact search.

    Raises
    ------
    ImportError
        Without faiss.
    """
    index = _build_index(bank)
    sample = _draw_sample(len(queries))
    asked = queries[sample]
    itself = None if own is None else own[sample]
    truth = search_exactly(asked, bank, n_neighbors, memory_mib, itself)
    recall = _raise_probes(index, Sample(asked, bank, truth, itself))
    if recall < TARGET_RECALL and _is_exact_affordable(index):
        exact = search_exactly(queries, bank, n_neighbors, memory_mib, own)
        return Found(exact, 1.0)
    if recall < TARGET_RECALL:
        _warn_of_recall(recall, index.nprobe)
    found = _search_index(index, queries, n_neighbors, own)
    missed = np.flatnonzero((found < 0).any(axis=1))  # the lists held fewer rows
    rest = None if own is None else own[missed]
    asked = queries[torch.from_numpy(missed)]
    found[missed] = search_exactly(asked, bank, n_neighbors, memory_mib, rest)
    return Found(found, recall)


def _build_index(bank: Tensor) -> Any:
    """Return an inverted file of the rows (n, d), in 2 sqrt(n) lists."""
    faiss = _import_faiss()
    n, d = bank.shape
    n_lists = max(1, min(round(2 * n**0.5), n // _LEAST_ROWS_A_LIST))
    # The nearest row of length 1 is the one with the highest cosine.
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(d), d, n_lists, faiss.METRIC_L2)
    index.cp.niter = _N_ITERATIONS
    index.cp.max_points_per_centroid = _LEAST_ROWS_A_LIST
    rows = bank.numpy()
    index.train(rows)
    index.add(rows)
    return index


def _import_faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise ImportError(
            'method="approximate" needs faiss: run '
            '`pip install faiss-cpu`, or use method="exact".'
        ) from error
    return faiss


def _draw_sample(n: int) -> NDArray[np.int64]:
    """Return the sorted indices of the queries on which the recall is measured."""
    rng = np.random.default_rng(0)
    return np.sort(rng.choice(n, min(n, _N_MEASURED), replace=False))


def _raise_probes(index: Any, sample: Sample) -> float:
    """Let an index search as many lists as the recall needs; return the recall."""
    probes = _FIRST_PROBES
    most = max(probes, min(_MOST_PROBES, index.nlist // _LIST_COST))
    while True:
        index.nprobe = probes
        recall = sample.recall_of(index)
        if recall >= TARGET_RECALL or 2 * probes > most:
            return recall
        probes *= 2


def _is_exact_affordable(index: Any) -> bool:
    return bool(index.nlist <= _PATIENCE * _LIST_COST * index.nprobe)


def _warn_of_recall(recall: float, n_probes: int) -> None:
    warnings.warn(
        f"Approximate search found {recall:.2f} of the neighbours of a sample, less "
        f"than {TARGET_RECALL}, with {n_probes} lists a row: the rows have few "
        'clusters to search by. Use method="exact", or fit on fewer rows.',
        UserWarning,
        stacklevel=5,
    )


def _search_index(
    index: Any, queries: Tensor, n_neighbors: int, own: NDArray | None
) -> NDArray[np.int64]:
    """Return the rows found (m, n_neighbors) without oneself; -1 for none."""
    found = np.empty((len(queries), n_neighbors), dtype=np.int64)
    for start in range(0, len(queries), _BLOCK_QUERIES):
        rows = slice(start, start + _BLOCK_QUERIES)
        asked = queries[rows].numpy()
        if own is None:
            found[rows] = index.search(asked, n_neighbors)[1]
        else:
            more = index.search(asked, n_neighbors + 1)[1]
            found[rows] = _without(more, own[rows])
    return found


def _without(found: NDArray, own: NDArray) -> NDArray:
    """Return rows (m, k + 1) of indices less one's own, or the last, each: (m, k)."""
    left_out = found == own[:, None]
    left_out[~left_out.any(axis=1), -1] = True
    return found[~left_out].reshape(len(found), -1)
