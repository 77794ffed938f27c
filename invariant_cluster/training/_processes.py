"""Several processes that train one model together, connected by torch.distributed.

Each process holds the whole model and takes an equal share of every batch. The outputs
of a step are gathered, so that each process computes the loss of the whole batch, and
the gradients of the shares are added: the step is that of one process.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn

from invariant_cluster.runtime import draw_seed, resolve_device

T = TypeVar("T")

_PATIENCE = timedelta(minutes=30)  # for a process that does not answer
_LEAST_ROWS = 2  # of a share: one row has no batch statistics
_FROM_TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class Team(NamedTuple):
    """The processes that train together.

    Attributes
    ----------
    rank : int
        Number of this process, from 0.
    size : int
        Number of processes.

    See Also
    --------
    current_team : Return the team of this process.
    """

    rank: int
    size: int

    @property
    def is_first(self) -> bool:
        """Whether this process shows and writes what only one of them should."""
        return self.rank == 0


ALONE = Team(0, 1)


def join_team(device: str | torch.device) -> Team:
    """Connect the processes that torchrun started, and return them.

    Parameters
    ----------
    device : str or torch.device
        Device of the training, as in ``runtime.resolve_device``: processes with a GPU
        each use NCCL, others gloo.

    Returns
    -------
    Team
        As :func:`current_team`.

    See Also
    --------
    current_team : Return the team without connecting it.

    Notes
    -----
    The environment variables of torchrun tell that it started the process. Processes
    and threads that this one started, such as those of joblib, inherit the variables
    but do not join.
    """
    if not is_main() or not dist.is_available() or dist.is_initialized():
        return current_team()
    if all(name in os.environ for name in _FROM_TORCHRUN) and _n_started() > 1:
        with _telling_loss():
            dist.init_process_group(_backend(resolve_device(device)), timeout=_PATIENCE)
        atexit.register(_leave)
    return current_team()


def current_team() -> Team:
    """Return the processes that train together with this one.

    Returns
    -------
    Team
        ``Team(0, 1)`` without an initialised process group of torch.distributed, and
        outside the main thread.

    See Also
    --------
    join_team : Connect processes first.
    """
    if not dist.is_available() or not dist.is_initialized() or not _in_main_thread():
        return ALONE
    return Team(dist.get_rank(), dist.get_world_size())


def shared_seed(random_state: int | np.random.RandomState | None) -> int:
    """Return a seed that is the same in all processes, drawn by the first.

    Parameters
    ----------
    random_state : int, RandomState or None
        As in ``runtime.draw_seed``.

    Returns
    -------
    int
        A seed, not negative.

    See Also
    --------
    from_first : Share any other result.
    """
    seed = draw_seed(random_state)
    return from_first(lambda: seed)


def from_first(work: Callable[[], T]) -> T:
    """Return the result of work that the first process does for all.

    Parameters
    ----------
    work : callable
        Function without arguments; its result must be picklable.

    Returns
    -------
    object
        The result, in every process.

    Raises
    ------
    Exception
        What the work raises, in every process.

    See Also
    --------
    share_state : Share the state of modules.
    """
    team = current_team()
    if team.size == 1:
        return work()
    outcome: list[Any] = [_outcome(work) if team.is_first else None]
    with _telling_loss():
        dist.broadcast_object_list(outcome, src=0)
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


def _outcome(work: Callable[[], T]) -> tuple[T | None, Exception | None]:
    """Return the result of work and None, or None and the error."""
    try:
        return work(), None
    except Exception as error:
        return None, error


@torch.no_grad()
def share_state(*modules: nn.Module) -> None:
    """Give modules the parameters and buffers that they have in the first process.

    Parameters
    ----------
    *modules : nn.Module
        Modules of the same shapes in all processes; changed in place.

    See Also
    --------
    from_first : Share other results.
    """
    if current_team().size == 1:
        return
    with _telling_loss():
        for module in modules:
            for tensor in (*module.parameters(), *module.buffers()):
                whole = tensor.contiguous()
                dist.broadcast(whole, src=0)
                tensor.copy_(whole)


def check_shares(batch_size: int, n_rows: int) -> None:
    """Check that every process gets as many rows of a batch as the others.

    Parameters
    ----------
    batch_size : int
        Rows per step, of all processes together.
    n_rows : int
        Number of training rows.

    Raises
    ------
    ValueError
        If ``batch_size`` is not a multiple of the number of processes, or a process
        would get less than two rows.
    """
    size = current_team().size
    if size == 1:
        return
    if batch_size % size or batch_size < _LEAST_ROWS * size:
        raise ValueError(
            f"batch_size={batch_size} cannot be divided among {size} processes, each "
            f"with the same number of rows and at least {_LEAST_ROWS}: use a multiple "
            f"of {size}, at least {_LEAST_ROWS * size}, or another number of processes."
        )
    if n_rows < _LEAST_ROWS * size:
        raise ValueError(
            f"n_samples={n_rows} is too few for {size} processes: each needs at least "
            f"{_LEAST_ROWS} rows. Use fewer processes."
        )


def check_same_rows(rows: NDArray | Tensor) -> None:
    """Check that all processes were given the same training rows.

    Parameters
    ----------
    rows : ndarray or Tensor of shape (n, ...)
        Training rows, of which the first, the middle and the last are compared.

    Raises
    ------
    ValueError
        If their number, their shape or one of these rows differs, in every process.
    """
    size = current_team().size
    if size == 1:
        return
    sums = [float(rows[i].sum()) for i in (0, len(rows) // 2, len(rows) - 1)]
    mine = (tuple(rows.shape), sums)
    seen: list[Any] = [None] * size
    with _telling_loss():
        dist.all_gather_object(seen, mine)
    if any(other != seen[0] for other in seen):
        shapes = [shape for shape, _ in seen]
        raise ValueError(
            f"X differs between the {size} processes of this training (their shapes: "
            f"{shapes}): give every process all images; each takes its share of every "
            "batch."
        )


def share_of(indices: list[int], team: Team) -> list[int]:
    """Return the share of a batch that this process takes.

    Parameters
    ----------
    indices : list of int
        Rows of the whole batch.
    team : Team
        The processes.

    Returns
    -------
    list of int
        As many rows as every other process takes; up to ``team.size - 1`` rows of a
        batch that cannot be divided are left out.
    """
    whole = len(indices) // team.size * team.size
    return indices[team.rank : whole : team.size]


def gathered(outputs: Any, *, dim: int = 0, n_parts: int = 1) -> Any:
    """Return outputs for the shares of all processes, in the order of the processes.

    Parameters
    ----------
    outputs : Tensor, or tuple that contains tensors and other objects
        Outputs of this process; named tuples and tuples in tuples keep their classes.
        Tensors without a dimension are averaged, other objects stay as they are.
    dim : int, default=0
        Dimension of the rows in each tensor.
    n_parts : int, default=1
        Number of equal parts of this dimension that are gathered one by one, such as
        2 for anchors, then their neighbours.

    Returns
    -------
    object of the class of ``outputs``
        Tensors have ``size`` times as many rows. The gradient of this process's rows
        flows back to it; the sum over processes is left to :func:`add_gradients`.
    """
    if isinstance(outputs, Tensor):
        return _gathered(outputs, dim, n_parts)
    if not isinstance(outputs, tuple):
        return outputs
    parts = [gathered(part, dim=dim, n_parts=n_parts) for part in outputs]
    return type(outputs)(*parts) if hasattr(outputs, "_fields") else tuple(parts)


def _gathered(tensor: Tensor, dim: int, n_parts: int) -> Tensor:
    """Return the rows of all processes."""
    if tensor.ndim == 0:
        return _Gather.apply(tensor[None], 0).mean()
    if n_parts == 1:
        return _Gather.apply(tensor, dim)
    apart = tensor.unflatten(dim, (n_parts, -1))
    return _Gather.apply(apart, dim + 1).flatten(dim, dim + 1)


class _Gather(torch.autograd.Function):
    """Rows of all processes; the gradient of the own rows flows back."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, dim: int) -> Tensor:
        ctx.dim, ctx.n_rows = dim, tensor.shape[dim]
        return torch.cat(all_gather(tensor), dim=dim)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        start = current_team().rank * ctx.n_rows
        return gradient.narrow(ctx.dim, start, ctx.n_rows), None


def all_gather(tensor: Tensor) -> list[Tensor]:
    """Return the tensors of all processes, equal in shape, without gradient.

    Parameters
    ----------
    tensor : Tensor
        Tensor of this process.

    Returns
    -------
    list of Tensor
        Those of all processes, the same list in each.
    """
    mine = tensor.detach().contiguous()
    everyone = [torch.empty_like(mine) for _ in range(current_team().size)]
    with _telling_loss():
        dist.all_gather(everyone, mine)
    return everyone


def add_gradients(parameters: Iterator[nn.Parameter]) -> None:
    """Add the gradients of all processes, in one message.

    Parameters
    ----------
    parameters : iterator of Parameter
        Parameters; those without a gradient are left out.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    with _telling_loss():
        dist.all_reduce(flat)
    sizes = [gradient.numel() for gradient in gradients]
    for gradient, total in zip(gradients, flat.split(sizes), strict=True):
        gradient.copy_(total.view(gradient.shape))


def _n_started() -> int:
    return int(os.environ["WORLD_SIZE"])


def is_main() -> bool:
    """Return whether this is no process or thread that the program itself started.

    Returns
    -------
    bool
        False in the workers of joblib, for one.
    """
    return multiprocessing.current_process().name == "MainProcess" and _in_main_thread()


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _backend(device: torch.device) -> str:
    """Return the backend for a device; NCCL refuses processes that share a GPU."""
    n_here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if device.type != "cuda" or n_here > torch.cuda.device_count():
        return "gloo"
    if device.index is not None:
        torch.cuda.set_device(device)
    return "cpu:gloo,cuda:nccl"


def _leave() -> None:
    """Close the process group, unless the program did."""
    if dist.is_initialized():
        dist.destroy_process_group()


@contextmanager
def _telling_loss() -> Iterator[None]:
    """Name the usual reason if a message to other processes fails."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0][:100]
        raise RuntimeError(
            "Another process of this training stopped or did not answer within "
            f"{_PATIENCE.seconds // 60} minutes ({reason}): see its error, and start "
            "all of them again."
        ) from error
