"""The time of a training step, measured before the first one."""

from __future__ import annotations

import copy
import random
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from invariant_cluster.runtime import seeded

_FEW_ROWS = 8
_LONG = 2.0  # seconds of a step, of which a part must do


def time_step(net: Any, dataset: Any) -> float | None:
    """Return how long a training step of a net will take.

    Parameters
    ----------
    net : TermNet
        Initialised net on a CPU. Copies of its modules are trained: the net, the random
        generators and so the result of the training stay as they are.
    dataset : ImageRows
        Training rows, of which the first ones are used.

    Returns
    -------
    float or None
        Seconds; None if the step cannot be tried, such as with modules that cannot be
        copied.

    Notes
    -----
    A step of 8 rows tells how long a whole batch takes. If that is below 2 seconds, a
    whole batch is tried too.
    """
    n_rows = min(net.batch_size, len(dataset))
    n_few = min(n_rows, _FEW_ROWS)
    try:
        with _leaving_no_trace(net):
            trial = _copy_of(net)
            _time(trial, dataset, n_few)  # the first one makes constants
            spent = _time(trial, dataset, n_few) * n_rows / n_few
            return spent if spent > _LONG else _time(trial, dataset, n_rows)
    except Exception:  # the training tells it, if it fails there too
        return None


def _time(net: Any, dataset: Any, n_rows: int) -> float:
    """Return the seconds of a step on the first rows."""
    start = time.perf_counter()
    rows, _ = dataset.__getitems__(list(range(n_rows)))
    net.module_.zero_grad()
    net.run_step(rows)
    return time.perf_counter() - start


def _copy_of(net: Any) -> Any:
    """Return a net that shares everything with a net but its modules."""
    trial = object.__new__(type(net))
    modules = {k: part for k, part in vars(net).items() if isinstance(part, nn.Module)}
    vars(trial).update({**vars(net), **copy.deepcopy(modules)})
    trial._set_training(True)
    return trial


@contextmanager
def _leaving_no_trace(net: Any) -> Iterator[None]:
    """Restore all random generators after a block, which gives no warnings."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with (
            seeded(0, net.device),
            torch.enable_grad(),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
