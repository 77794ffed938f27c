"""Data sets that return a whole batch of rows at a time."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from invariant_cluster.runtime import to_tensor
from invariant_cluster.training._processes import Team, share_of


class ImageRows(Dataset):
    """Rows of an array, memmap or tensor, read a batch at a time.

    Parameters
    ----------
    rows : ndarray or Tensor of shape (n, ...)
        Images or rows of z of any real dtype; batches of a tensor stay on its device.

    See Also
    --------
    NeighborPairs : Draw each row with a neighbour.
    keep_near : Keep all rows on the device of the training.
    """

    def __init__(self, rows: NDArray | Tensor) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def n_pixels(self) -> int:
        """Pixels of an image, or 1 for rows of z."""
        return math.prod(self.rows.shape[2:])

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Return a batch.

        Parameters
        ----------
        indices : list of int
            Indices of the rows; sorted, so that a memmap is read in order.

        Returns
        -------
        rows : Tensor of shape (b, ...)
            The rows; uint8 and float32 keep their dtype, others become float32.
        target : Tensor of shape (0,)
            Empty target, which skorch expects.
        """
        return self.take(np.sort(indices)), torch.empty(0)

    def take(self, indices: NDArray) -> Tensor:
        """Return rows as a tensor.

        Parameters
        ----------
        indices : int ndarray of shape (b,)
            Indices of the rows.

        Returns
        -------
        Tensor of shape (b, ...)
            The rows; uint8 and float32 keep their dtype, others become float32.
        """
        if isinstance(self.rows, Tensor):
            places = torch.from_numpy(indices)
            return self.rows[places.to(self.rows.device, non_blocking=True)]
        return to_tensor(self.rows[indices])


class NeighborPairs(ImageRows):
    """Rows, each with one of its neighbours drawn at random.

    Parameters
    ----------
    rows : ndarray or Tensor of shape (n, ...)
        Images or rows of z of any real dtype.
    neighbors : int ndarray of shape (n, k)
        Indices of the neighbours of each row.

    See Also
    --------
    ImageRows : Draw rows alone.
    mine_neighbors : Find the neighbours.
    """

    def __init__(self, rows: NDArray | Tensor, neighbors: NDArray) -> None:
        super().__init__(rows)
        self.neighbors = neighbors

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Return a batch of anchors and their neighbours.

        Parameters
        ----------
        indices : list of int
            Indices of the anchors.

        Returns
        -------
        rows : Tensor of shape (2 b, ...)
            The b anchors, then one neighbour of each in the same order.
        target : Tensor of shape (0,)
            Empty target, which skorch expects.
        """
        anchors = np.sort(indices)
        column = torch.randint(self.neighbors.shape[1], (len(anchors),)).numpy()
        partners = self.neighbors[anchors, column]
        return self.take(np.concatenate([anchors, partners])), torch.empty(0)


class SharedRows(Dataset):
    """The share of each batch that one process of several takes.

    Parameters
    ----------
    rows : ImageRows
        All rows. A batch is drawn from them in every process alike.
    team : Team
        The processes.

    See Also
    --------
    share_of : Choose the rows of a share.
    """

    def __init__(self, rows: ImageRows, team: Team) -> None:
        self.rows = rows
        self.team = team

    def __len__(self) -> int:
        return len(self.rows)

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        """Return the share of a batch.

        Parameters
        ----------
        indices : list of int
            Indices of the rows of the whole batch.

        Returns
        -------
        rows, target : Tensor
            As the rows return them.
        """
        return self.rows.__getitems__(share_of(indices, self.team))


def keep_near(rows: NDArray, device: torch.device) -> NDArray | Tensor:
    """Return rows on the GPU that trains, if they take little of its memory.

    Parameters
    ----------
    rows : ndarray of shape (n, ...)
        Images or rows of z of any real dtype.
    device : torch.device
        Device of the training.

    Returns
    -------
    ndarray or Tensor of shape (n, ...)
        A tensor on the device if it is a CUDA device with four times as much free
        memory as the rows take there; else the array itself.

    See Also
    --------
    ImageRows : Read either a batch at a time.
    """
    if device.type != "cuda":
        return rows
    n_bytes = rows.size * (1 if rows.dtype == np.uint8 else 4)
    free, _ = torch.cuda.mem_get_info(device)
    return to_tensor(rows, device) if 4 * n_bytes <= free else rows


def count_batches(n_rows: int, batch_size: int) -> int:
    """Return the number of batches in an epoch.

    Parameters
    ----------
    n_rows : int
        Number of training rows.
    batch_size : int
        Rows per batch.

    Returns
    -------
    int
        At least 1. An incomplete last batch is dropped unless it is the only one.

    See Also
    --------
    count_epochs : Return the number of epochs for a number of steps.
    """
    return max(1, n_rows // batch_size)


def count_epochs(
    n_rows: int, batch_size: int, n_steps: int, *, least: int, most: int
) -> int:
    """Return the number of epochs with about a given number of training steps.

    Parameters
    ----------
    n_rows : int
        Number of training rows.
    batch_size : int
        Rows per step.
    n_steps : int
        Desired number of steps.
    least : int
        Minimum number of epochs.
    most : int
        Maximum number of epochs, at least ``least``.

    Returns
    -------
    int
        Number of epochs, from ``least`` to ``most``.

    See Also
    --------
    count_batches : Return the number of steps in an epoch.

    Examples
    --------
    >>> from invariant_cluster.training import count_epochs
    >>> count_epochs(1000, 100, 400, least=8, most=200)
    40
    >>> count_epochs(100_000, 100, 400, least=8, most=200)
    8
    """
    epochs = round(n_steps / count_batches(n_rows, batch_size))
    return min(most, max(least, epochs))


def keep_batch(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Return a batch unchanged, since ``__getitems__`` has already collated it.

    Parameters
    ----------
    batch : tuple of Tensor
        Rows and target.

    Returns
    -------
    tuple of Tensor
        The same batch.

    See Also
    --------
    ImageRows : Data set that returns such batches.
    """
    return batch
