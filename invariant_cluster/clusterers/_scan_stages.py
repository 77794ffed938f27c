"""What SCAN's stages do between training: judge heads, guard self-labelling."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from invariant_cluster.losses import mean_entropy, scan_consistency
from invariant_cluster.modules import ImageEncoder, ScanModule
from invariant_cluster.runtime import evaluating, map_batches, resolve_device
from invariant_cluster.training import ScanObjective, TermNet, train


def infer_heads(module: ScanModule, rows: NDArray, device: str) -> NDArray[np.float32]:
    """Return the log-probabilities of every head, shape (n, n_heads, n_clusters).

    Parameters
    ----------
    module : ScanModule
    rows : ndarray of shape (n, d) or (n, c, h, w)
    device : str
    """

    def log_probabilities(batch: Tensor) -> Tensor:
        return cast(Tensor, module(batch)).transpose(0, 1)

    return _map_rows(module, log_probabilities, rows, device)


def encode(encoder: ImageEncoder, images: NDArray, device: str) -> NDArray[np.float32]:
    """Return z (n, d) of raw images (n, c, h, w)."""
    return _map_rows(encoder, encoder, images, device)


def _map_rows(
    module: nn.Module, function: Callable[[Tensor], Tensor], rows: NDArray, device: str
) -> NDArray[np.float32]:
    """Return a function of the rows (n, ...) while its module is in evaluation."""
    resolved = resolve_device(device)
    with evaluating(module, resolved):
        return map_batches(function, rows, device=resolved)


def scan_loss(
    objective: ScanObjective, log_p: NDArray, p: NDArray, nearest: NDArray
) -> float:
    """Return the SCAN loss of all rows with all their neighbours.

    Parameters
    ----------
    objective : ScanObjective
    log_p : ndarray of shape (n, n_clusters)
        Of the rows.
    p : ndarray of shape (m, n_clusters)
        Probabilities of the rows among which the neighbours are.
    nearest : int ndarray of shape (n, k)
        Indices into p.
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


def train_guarded(net: TermNet, images: NDArray, device: str) -> None:
    """Self-label on images (n, c, h, w); undo it if a cluster in use is lost."""
    module = cast(ScanModule, net.module)
    before = copy.deepcopy(module.state_dict())
    used = np.unique(infer_heads(module, images, device).argmax(axis=2))
    train(net, images)
    lost = np.setdiff1d(used, infer_heads(module, images, device).argmax(axis=2))
    if len(lost):
        module.load_state_dict(before)
        warnings.warn(
            f"Self-labelling emptied cluster(s) {lost.tolist()}; the result before it "
            "was kept. Lower confidence_threshold or self_label_lr.",
            UserWarning,
            stacklevel=4,
        )
