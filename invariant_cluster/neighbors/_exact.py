"""Exact search for the most similar rows, in blocks that fit a processor's cache."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Measured at 10,000 x 32, 30,000 x 512 and 1,000,000 x 32: fewer rows make the matrix
# products slower, fewer columns the selection, more of either leave the cache.
_MOST_ROWS, _MOST_COLUMNS = 256, 16_384
# Columns of which only the highest similarity is looked at first.
_GROUP = 16
# Columns per neighbour below which groups do not pay.
_LEAST_WIDTH = 4 * _GROUP
# Beside a block: what is gathered from it and the indices of a partition.
_COPIES = 4


def search_exactly(
    queries: Tensor,
    bank: Tensor,
    n_neighbors: int,
    memory_mib: float,
    own: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Return the rows of a bank with the highest inner product, highest first.

    Parameters
    ----------
    queries : Tensor of shape (m, d), float32
    bank : Tensor of shape (n, d), float32
    n_neighbors : int
        At most n, or n - 1 with ``own``.
    memory_mib : float
        Upper limit of what is held beside the arrays and the result; at least one row
        of a block is held.
    own : ndarray of shape (m,), int64, optional
        The row of the bank that each query is, which is left out.

    Returns
    -------
    ndarray of shape (m, n_neighbors), int64
        Equal products that are found are in the order of the bank.
    """
    found = np.empty((len(queries), n_neighbors), dtype=np.int64)
    width = _block_width(len(bank))
    step = _block_rows(width, memory_mib)
    block = torch.empty(min(step, len(queries)), width)
    for start in range(0, len(queries), step):
        rows = slice(start, min(start + step, len(queries)))
        left_out = None if own is None else own[rows]
        products = _products(queries[rows], bank, block, left_out)
        found[rows] = _best_of_blocks(products, n_neighbors)
    return found


def _block_width(n: int) -> int:
    """Return the columns of equal blocks that cover n, a multiple of the group."""
    n_blocks = -(-n // _MOST_COLUMNS)
    return -(-n // (n_blocks * _GROUP)) * _GROUP


def _block_rows(width: int, memory_mib: float) -> int:
    """Return the rows of a block of float32 similarities."""
    if not memory_mib > 0:
        raise ValueError(f"memory_mib={memory_mib!r} must be positive: use 256.")
    return int(max(1, min(_MOST_ROWS, memory_mib * 2**20 // (4 * _COPIES * width))))


def _products(
    queries: Tensor, bank: Tensor, block: Tensor, own: NDArray | None
) -> Iterator[tuple[int, Tensor]]:
    """Yield first column and products (m, width) of each part of the bank.

    The products are written to the block. Those with a query's own row, and those
    beyond the bank, are minus infinity.
    """
    block, width = block[: len(queries)], block.shape[1]
    for low in range(0, len(bank), width):
        part = bank[low : low + width]
        torch.mm(queries, part.T, out=block[:, : len(part)])
        block[:, len(part) :] = -torch.inf
        if own is not None:
            here = np.flatnonzero((own >= low) & (own < low + len(part)))
            block[here, own[here] - low] = -torch.inf
        yield low, block


def _best_of_blocks(products: Iterator[tuple[int, Tensor]], k: int) -> NDArray:
    """Return the columns (m, k) of the highest products in all blocks, sorted."""
    low, block = next(products)
    values, columns = _best_of(block, k)
    for low, block in products:
        more, where = _best_of(block, k)
        values = np.concatenate([values, more], axis=1)
        columns = np.concatenate([columns, where + low], axis=1)
        chosen = _largest(values, k)
        values, columns = _take(values, chosen), _take(columns, chosen)
    return _sorted_columns(values, columns)


def _best_of(block: Tensor, k: int) -> tuple[NDArray, NDArray]:
    """Return the k highest of each row of a block (m, width), and their columns.

    If the block is wide, only k groups are searched. The highest are in the groups with
    the highest maxima, since each other group would hold a higher one.
    """
    width = block.shape[1]
    if width < _LEAST_WIDTH * k:
        columns = _largest(block.numpy(), k)
        return _take(block.numpy(), columns), columns
    # Group j has the columns j, j + n_groups, ...: its maximum is that of long vectors.
    groups = block.view(len(block), _GROUP, -1)
    chosen = _largest(groups.amax(dim=1).numpy(), k)
    index = torch.from_numpy(chosen)[:, None].expand(-1, _GROUP, -1)
    members = groups.gather(2, index).flatten(1).numpy()
    best = _largest(members, k)
    member, group = np.divmod(best, k)
    columns = member * groups.shape[2] + _take(chosen, group)
    return _take(members, best), columns


def _largest(values: NDArray, k: int) -> NDArray:
    """Return the indices (m, k) of the largest values of each row, in any order."""
    n = values.shape[1]
    if k >= n:
        return np.broadcast_to(np.arange(n), values.shape)
    # PyTorch's topk copies each row as pairs: two to three times slower.
    return np.argpartition(values, n - k, axis=1)[:, n - k :]


def _take(values: NDArray, columns: NDArray) -> NDArray:
    return np.take_along_axis(values, columns, axis=1)


def _sorted_columns(values: NDArray, columns: NDArray) -> NDArray:
    """Return the columns (m, k), highest value first, equal ones in their order."""
    order = np.lexsort((columns, -values), axis=1)
    return _take(columns, order)
