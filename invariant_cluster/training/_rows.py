"""The rows that training draws, a batch at a time."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from invariant_cluster.runtime import to_tensor


class ImageRows(Dataset):
    """Rows of an array or memmap, fetched a batch at a time in their own dtype.

    Parameters
    ----------
    rows : ndarray of shape (n, ...)
    """

    def __init__(self, rows: NDArray) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Return the batch and an empty target, as skorch expects."""
        return to_tensor(self.rows[np.sort(indices)]), torch.empty(0)


class NeighborPairs(ImageRows):
    """Rows, each with one of its neighbours drawn at random.

    A batch holds the b anchors and then their b neighbours.

    Parameters
    ----------
    rows : ndarray of shape (n, ...)
    neighbors : int ndarray of shape (n, k)
    """

    def __init__(self, rows: NDArray, neighbors: NDArray) -> None:
        super().__init__(rows)
        self.neighbors = neighbors

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Return anchors and neighbours (2 b, ...) and an empty target."""
        anchors = np.sort(indices)
        column = torch.randint(self.neighbors.shape[1], (len(anchors),)).numpy()
        partners = self.neighbors[anchors, column]
        both = np.concatenate([self.rows[anchors], self.rows[partners]])
        return to_tensor(both), torch.empty(0)


def count_batches(n_rows: int, batch_size: int) -> int:
    """Return how many batches an epoch has: a last, incomplete one is dropped."""
    return max(1, n_rows // batch_size)


def count_epochs(
    n_rows: int, batch_size: int, n_steps: int, *, least: int, most: int
) -> int:
    """Return how many epochs take about n_steps training steps, within bounds."""
    epochs = round(n_steps / count_batches(n_rows, batch_size))
    return min(most, max(least, epochs))


def keep_batch(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Collate nothing: ``__getitems__`` returned the batch already."""
    return batch
