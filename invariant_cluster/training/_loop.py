"""Construction, training and restoring of a net."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch
from numpy.typing import NDArray
from sklearn.utils import gen_batches
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from invariant_cluster.progress import progress_bar
from invariant_cluster.runtime import evenly_spaced, row_limit, to_tensor
from invariant_cluster.training._processes import (
    check_same_rows,
    current_team,
    share_state,
)
from invariant_cluster.training._rows import (
    ImageRows,
    NeighborPairs,
    keep_batch,
    keep_near,
)
from invariant_cluster.training._schedule import OneCycleSchedule
from invariant_cluster.training._term_net import TermNet

T = TypeVar("T")


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
    """Return an untrained net with the training settings of the package.

    Parameters
    ----------
    net_class : type
        Subclass of :class:`TermNet` that defines a step.
    module : nn.Module
        Network to train.
    objective : nn.Module
        Criterion that returns a dict of loss terms.
    lr : float
        Learning rate; its peak with "one_cycle".
    lr_schedule : {"one_cycle", "constant"}, default="one_cycle"
        Schedule of the learning rate, :class:`OneCycleSchedule` or none.
    weight_decay : float
        Weight of the L2 penalty in Adam.
    max_epochs : int
        Number of epochs.
    batch_size : int
        Rows per step.
    device : torch.device
        Device of the training.
    callbacks : list
        skorch callbacks besides the schedule.
    **options
        Further arguments of ``net_class``, such as ``terms``.

    Returns
    -------
    TermNet
        Net without a validation split.

    See Also
    --------
    train : Train the net.
    OneCycleSchedule : The default learning-rate schedule.

    Notes
    -----
    The optimiser is Adam, as in the IRL-INR paper.
    """
    schedules = [OneCycleSchedule()] if lr_schedule == "one_cycle" else []
    return net_class(
        module,
        criterion=objective,
        optimizer=torch.optim.Adam,
        # One kernel for all parameters, where torch has it.
        optimizer__fused=device.type in ("cpu", "cuda"),
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
    """Return an inference-only net on the CPU with a trained module.

    Parameters
    ----------
    module : nn.Module
        Trained module.
    net_class : type of TermNet, default=TermNet
        Class of the net; that of the training if the net is to return the loss.
    objective : nn.Module, optional
        Criterion of the net.
    **options
        Further arguments of the net class.

    Returns
    -------
    TermNet
        Net with the module in evaluation mode and an empty history.

    See Also
    --------
    make_net : Return a net that can be trained.
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
    """Train a net; then move it to the CPU in evaluation mode.

    Parameters
    ----------
    net : TermNet
        Net to train in place.
    rows : ndarray of shape (n, ...)
        Raw images or rows of z; a memmap is read batch by batch.
    neighbors : int ndarray of shape (n, k), optional
        Neighbours of each row. If given, each row is drawn together with one neighbour.
    resume : bool, default=False
        Whether to continue from the present weights and optimiser state instead of
        starting again.

    Raises
    ------
    FloatingPointError
        If the loss becomes NaN or infinite.

    See Also
    --------
    make_net : Build the net.
    run_stages : Train several nets in sequence.

    Notes
    -----
    Ctrl-C ends the training without an exception: the net keeps its progress and its
    attribute ``interrupted_`` is True. The net moves to the CPU after an exception,
    too. With several processes, Ctrl-C raises a KeyboardInterrupt: they stop at
    different steps.
    """
    here = keep_near(rows, torch.device(net.device))
    dataset = ImageRows(here) if neighbors is None else NeighborPairs(here, neighbors)
    check_same_rows(rows)
    try:
        _run_epochs(net, dataset, resume=resume)
        share_state(net.module_)
        _, pressed = finish(lambda: recalibrate(net.module_, rows, net.device))
        net.interrupted_ = net.interrupted_ or pressed
    finally:
        # A faulty callback can stop skorch before module_ exists.
        cast(nn.Module, getattr(net, "module_", net.module)).eval()
        move_net(net, "cpu")


def _run_epochs(net: TermNet, dataset: ImageRows, *, resume: bool) -> None:
    """Fit a net; note Ctrl-C before the first epoch or after the last one, too."""
    try:
        if resume:
            move_net(net, net.device)
            net.partial_fit(dataset)
        else:
            net.fit(dataset)
    except KeyboardInterrupt:
        if not hasattr(net, "module_"):
            raise
        net.interrupted_ = True
    if net.interrupted_ and current_team().size > 1:
        # The others stopped at another step, so that there is no common result.
        raise KeyboardInterrupt


def move_net(net: TermNet, device: str) -> None:
    """Move a net to a device: its modules and the state of its optimiser.

    Parameters
    ----------
    net : TermNet
        Net, changed in place. Its attribute ``device`` becomes the device, so that a
        pickle or a copy of it stays there.
    device : str
        Device to move to.
    """
    for part in list(vars(net).values()):
        if isinstance(part, nn.Module):
            part.to(device)
    if hasattr(net, "optimizer_"):
        # Loading a state moves it to where the parameters are.
        net.optimizer_.load_state_dict(net.optimizer_.state_dict())
    net.device = device


def finish(work: Callable[[], T]) -> tuple[T, bool]:
    """Do work to its end, although Ctrl-C is pressed once.

    Parameters
    ----------
    work : callable
        Function without arguments that can be called again after an interrupt.

    Returns
    -------
    result : object
        What the function returned.
    pressed : bool
        Whether Ctrl-C was pressed; then the function was called again.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C is pressed a second time.
    """
    try:
        return work(), False
    except KeyboardInterrupt:
        return work(), True


@torch.no_grad()
def recalibrate(module: nn.Module, rows: NDArray, device: str) -> None:
    """Measure the batch-normalisation statistics of the encoder again.

    Parameters
    ----------
    module : nn.Module
        Trained module, changed in place. If it has no attribute ``encoder``, all of it
        is measured.
    rows : ndarray of shape (n, ...)
        Training rows, of which at most 64 MiB, evenly spaced, are used.
    device : str
        Device of the module.

    See Also
    --------
    train : Call this function after the last epoch.

    Notes
    -----
    The running averages of training lag behind the weights, especially in short
    training, and are measured on moved and augmented copies. A decoder keeps its
    statistics, since it takes no rows.
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
    limit = row_limit(sample, device)
    with progress_bar(len(sample), "batch statistics") as advance:
        for batch in gen_batches(len(sample), limit, min_batch_size=2):
            encoder(to_tensor(sample[batch], device))
            advance(batch.stop - batch.start)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
