"""A net made, trained and put to rest."""

from __future__ import annotations

from typing import Any, cast

import torch
from numpy.typing import NDArray
from sklearn.utils import gen_batches
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from invariant_cluster.runtime import evenly_spaced, row_limit, to_tensor
from invariant_cluster.training._rows import ImageRows, NeighborPairs, keep_batch
from invariant_cluster.training._schedule import OneCycleSchedule
from invariant_cluster.training._term_net import TermNet


def make_net(
    net_class: type[TermNet],
    module: torch.nn.Module,
    objective: torch.nn.Module,
    *,
    lr: float,
    lr_schedule: str = "one_cycle",
    weight_decay: float,
    max_epochs: int,
    batch_size: int,
    device: torch.device,
    callbacks: list[Any],
    **options: Any,
) -> TermNet:
    """Return an untrained net with the package's training settings.

    Adam as in the paper; with ``lr_schedule="one_cycle"`` the learning rate rises to
    ``lr`` in the first third of the steps and then falls to nearly 0.
    """
    schedules = [OneCycleSchedule()] if lr_schedule == "one_cycle" else []
    return net_class(
        module,
        criterion=objective,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=weight_decay,
        lr=lr,
        max_epochs=max_epochs,
        batch_size=batch_size,
        train_split=None,
        iterator_train__shuffle=True,
        iterator_train__collate_fn=keep_batch,
        device=str(device),
        callbacks=[*schedules, *callbacks],
        callbacks__valid_loss=None,
        callbacks__print_log=None,
        verbose=0,
        **options,
    )


def resting_net(
    module: torch.nn.Module,
    net_class: type[TermNet] = TermNet,
    objective: torch.nn.Module | None = None,
    **options: Any,
) -> TermNet:
    """Return a net that holds a trained module, on the CPU, and trains it no more.

    With the net class and objective of the training, the net can tell the loss.
    """
    net = net_class(
        module,
        criterion=objective or torch.nn.Identity,
        train_split=None,
        verbose=0,
        **options,
    )
    net.initialize()
    net.module_.eval()
    return net


def train(
    net: TermNet,
    rows: NDArray,
    neighbors: NDArray | None = None,
    *,
    resume: bool = False,
) -> None:
    """Train on rows (n, ...), with neighbours (n, k) or alone; then rest on the CPU.

    With ``resume`` the net goes on from where it stands. After an interrupt the net is
    left as trained so far, with ``interrupted_`` set.
    """
    dataset = ImageRows(rows) if neighbors is None else NeighborPairs(rows, neighbors)
    try:
        if resume:
            net.module_.to(net.device)
            net.partial_fit(dataset)
        else:
            net.fit(dataset)
        recalibrate(net.module_, rows, net.device)
    finally:
        # A bad callback can stop skorch before it has made module_ of module.
        module = cast(nn.Module, getattr(net, "module_", net.module))
        module.to("cpu").eval()


@torch.no_grad()
def recalibrate(module: nn.Module, rows: NDArray, device: str) -> None:
    """Set the encoder's statistics of batch normalisation to those of the rows.

    The running averages lag behind a short training, and were taken over moved and
    augmented copies. At most 64 MiB of evenly spaced rows are read. A decoder keeps its
    own: it sees no rows here.
    """
    encoder = getattr(module, "encoder", module)
    norms = [m for m in encoder.modules() if isinstance(m, _BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over the batches
    encoder.train()
    sample = evenly_spaced(rows)
    for batch in gen_batches(len(sample), row_limit(sample), min_batch_size=2):
        encoder(to_tensor(sample[batch], device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
