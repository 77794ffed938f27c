"""Cluster heads: how they start, what they say, which one is kept."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from invariant_cluster.clusterers._centroids import Start
from invariant_cluster.losses import mean_entropy, scan_consistency
from invariant_cluster.modules import ClusterHeads, ScanModule
from invariant_cluster.runtime import map_rows
from invariant_cluster.training import ScanObjective


def make_heads(start: Start) -> ClusterHeads:
    """Return heads that start from k-means centroids."""
    mean, centroids = (torch.from_numpy(a) for a in (start.mean, start.centroids))
    return ClusterHeads(mean, start.scale, centroids)


def infer_heads(module: ScanModule, rows: NDArray, device: str) -> NDArray[np.float32]:
    """Return the log-probabilities of every head, shape (n, n_heads, n_clusters).

    Parameters
    ----------
    module : ScanModule
    rows : ndarray of shape (n, d) or (n, c, h, w)
        Rows of z, or raw images if the module has an encoder.
    device : str
    """

    def log_probabilities(batch: Tensor) -> Tensor:
        return cast(Tensor, module(batch)).transpose(0, 1)

    return map_rows(module, log_probabilities, rows, device)


def scan_loss(
    objective: ScanObjective, log_p: NDArray, p: NDArray, nearest: NDArray
) -> float:
    """Return the SCAN loss of all rows with all their neighbours.

    Parameters
    ----------
    objective : ScanObjective
    log_p : ndarray of shape (n, n_clusters)
        Log-probabilities of the rows.
    p : ndarray of shape (m, n_clusters)
        Probabilities of the rows among which the neighbours are.
    nearest : int ndarray of shape (n, k)
        Neighbours of each row, as indices into p.
    """
    rows = torch.from_numpy(np.ascontiguousarray(log_p))
    log_q = torch.from_numpy(np.log(p.clip(np.finfo(np.float32).tiny)))
    terms = [scan_consistency(rows, log_q[column]) for column in nearest.T]
    return float(objective.weigh(torch.stack(terms).mean(), mean_entropy(rows)))


def best_head(objective: ScanObjective, log_p: NDArray, neighbors: NDArray) -> int:
    """Return which head (n, n_heads, n_clusters) has the lowest SCAN loss."""
    losses = [
        scan_loss(objective, head, np.exp(head), neighbors)
        for head in np.moveaxis(log_p, 1, 0)
    ]
    return int(np.argmin(losses))
