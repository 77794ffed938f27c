"""Cluster heads: how they start, what they say, which one is kept."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from invariant_cluster.clusterers._centroids import Start, measure_scale
from invariant_cluster.losses import (
    mean_entropy,
    pair_agreement,
    pair_information,
    scan_consistency,
)
from invariant_cluster.modules import ClusterHeads, ScanModule
from invariant_cluster.runtime import map_rows, to_tensor
from invariant_cluster.training import ScanObjective

_IMITATION_DECAY = 1e-4
_IMITATION_STEPS = 200  # most; about 50 are needed


def make_heads(start: Start) -> ClusterHeads:
    """Return heads that start from k-means centroids."""
    mean, centroids = (torch.from_numpy(a) for a in (start.mean, start.centroids))
    return ClusterHeads(mean, start.scale, centroids)


def imitate_heads(z: NDArray, probabilities: NDArray) -> ClusterHeads:
    """Return heads on z that find known clusters, as well as linear heads can.

    Each is a multinomial logistic regression: it minimises the cross-entropy with the
    probabilities, plus 5e-5 times its squared weights.

    Parameters
    ----------
    z : ndarray of shape (n, d)
    probabilities : ndarray of shape (n, n_heads, n_clusters)
        Probability of each cluster, for each head, in clusters that were found before,
        for example in another space.

    Notes
    -----
    Heads at the mean z of each cluster would part clusters of unequal size or width in
    the wrong places.
    """
    mean, scale = measure_scale(z)
    wanted, rows = to_tensor(probabilities).transpose(0, 1), to_tensor(z)
    centroids = torch.zeros(len(wanted), wanted.shape[2], z.shape[1])
    heads = ClusterHeads(torch.from_numpy(mean).float(), scale, centroids)
    optimizer = torch.optim.LBFGS(
        heads.parameters(), max_iter=_IMITATION_STEPS, line_search_fn="strong_wolfe"
    )

    def measure_loss() -> Tensor:
        optimizer.zero_grad()
        error = -(wanted * heads(rows)).sum(dim=(0, 2)).mean()
        loss = error + _IMITATION_DECAY / 2 * heads.weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(measure_loss)
    optimizer.zero_grad()
    return heads


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

    return map_rows(module, log_probabilities, rows, device, title="clusters")


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
    rows, log_q = to_tensor(log_p), _log(to_tensor(p))
    terms = [scan_consistency(rows, log_q[column]) for column in nearest.T]
    return float(objective.weigh(torch.stack(terms).mean(), mean_entropy(rows)))


def best_head(objective: ScanObjective, log_p: NDArray, neighbors: NDArray) -> int:
    """Return which head (n, n_heads, n_clusters) has the lowest SCAN loss."""
    losses = [
        scan_loss(objective, head, np.exp(head), neighbors)
        for head in np.moveaxis(log_p, 1, 0)
    ]
    return int(np.argmin(losses))


def temi_losses(
    beta: float, log_p: NDArray, p: NDArray, nearest: NDArray
) -> NDArray[np.float32]:
    """Return the TEMI loss of each head, of all rows with all their neighbours.

    Student and teacher are the same, and the prior is the mean of p.

    Parameters
    ----------
    beta : float
    log_p : ndarray of shape (n, n_heads, n_clusters)
        Log-probabilities of the rows.
    p : ndarray of shape (m, n_heads, n_clusters)
        Probabilities of the rows among which the neighbours are.
    nearest : int ndarray of shape (n, k)
        Neighbours of each row, as indices into p.

    Returns
    -------
    ndarray of shape (n_heads,)
    """
    rows, others = (to_tensor(a).transpose(0, 1) for a in (log_p, p))
    log_prior, log_q = _log(others.mean(dim=1)), _log(others)
    losses = torch.zeros(len(rows))
    for column in nearest.T:
        partners = log_q[:, column]
        weight = pair_agreement(rows, partners)
        information = pair_information(rows, partners, log_prior, beta)
        losses -= (weight * information).mean(dim=1)
    return (losses / nearest.shape[1]).numpy()


def _log(p: Tensor) -> Tensor:
    """Return the logarithm of probabilities, finite at 0."""
    return p.clamp_min(torch.finfo(torch.float32).tiny).log()
