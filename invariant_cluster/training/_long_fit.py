"""A warning at the first batches of a training that will take long."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

from invariant_cluster.training._processes import current_team, is_main

_LONG = 600.0  # seconds
_MINUTE, _HOUR = 60, 3600
# Batches that are not counted: on a GPU steps are compiled and recorded first.
_FIRST, _FIRST_OF_GPU = 1, 60
_LEAST_BATCHES, _LEAST_SECONDS = 3, 5.0

# Whether a warning was given already in a fit of several stages.
_told: ContextVar[list[bool] | None] = ContextVar("_told", default=None)


class LongFitWarning(UserWarning):
    """A fit without a progress bar will take more than ten minutes.

    See Also
    --------
    TrainingProgress : Show how long a training takes.
    """


class Stopwatch:
    """The time that all batches of a training take, told by the first ones.

    Parameters
    ----------
    n_batches : int
        Number of batches of the training.
    device : str
        Device of the training.
    """

    def __init__(self, n_batches: int, device: str) -> None:
        self.n_batches = n_batches
        on_cpu = torch.device(device).type == "cpu"
        self.n_first = _FIRST if on_cpu else _FIRST_OF_GPU
        self.n_done = 0
        self.is_told = False

    def count(self) -> float | None:
        """Count a batch that has ended.

        Returns
        -------
        float or None
            Seconds that all batches will take; only once, when they are known.
        """
        if self.is_told:
            return None
        self.n_done += 1
        if self.n_done <= self.n_first:
            self.start = time.perf_counter()
            return None
        n_timed = self.n_done - self.n_first
        spent = time.perf_counter() - self.start
        if n_timed < _LEAST_BATCHES or spent < _LEAST_SECONDS:
            return None
        self.is_told = True
        return spent / n_timed * self.n_batches


@contextmanager
def one_long_fit() -> Iterator[None]:
    """Give at most one warning of a long training inside a block."""
    token = _told.set([False])
    try:
        yield
    finally:
        _told.reset(token)


def warn_if_long(seconds: float, fit: str, device: str, remedy: str) -> None:
    """Warn of a fit that takes more than ten minutes, once and in one process.

    Parameters
    ----------
    seconds : float
        Time of the training.
    fit : str
        What takes long, such as "IRLINREmbedder.fit".
    device : str
        Device of the training.
    remedy : str
        What takes less time.

    Warns
    -----
    LongFitWarning
        If it takes more than ten minutes, and this is neither a process or a thread
        that the program started, nor another one than the first of a training.
    """
    told = _told.get() or [False]
    if seconds <= _LONG or told[0] or not (is_main() and current_team().is_first):
        return
    told[0] = True
    warnings.warn(
        f"{fit} will take {tell_time(seconds)} on {device}: verbose=1 shows the time "
        f"left; {remedy} takes less.",
        LongFitWarning,
        stacklevel=2,
    )


def tell_time(seconds: float) -> str:
    """Return a time in words, as precise as an estimate is.

    Parameters
    ----------
    seconds : float
        Time.

    Returns
    -------
    str
        Such as "about 12 minutes".
    """
    if seconds < 2 * _MINUTE:
        tens = max(1, round(seconds / 10))
        return f"about {10 * tens} seconds"
    if seconds < 2 * _HOUR:
        return f"about {round(seconds / _MINUTE)} minutes"
    hours = seconds / _HOUR
    return f"about {hours:.2g} hours" if hours < 10 else f"about {round(hours)} hours"
