"""Bars of long work: shown where a user waits, and only if the work is long."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from operator import index
from typing import Any, SupportsIndex

import torch.distributed as dist
from tqdm.auto import tqdm
from tqdm.std import tqdm as terminal_bar

_DELAY = 1.0  # seconds, after which work is long
_AT_ONCE = 1e-9  # tqdm shows a bar without delay when nothing is known yet
_TICK = 1.0  # seconds between looks at a clock that runs
_LEAST_PAUSE = 2.0  # seconds between lines of a log
_SHARE_OF_PAUSE = 2  # a pause is half the time spent so far, so lines stay few
_IN_NOTEBOOK = any("notebook" in base.__module__ for base in tqdm.__mro__)

_is_shown: ContextVar[bool] = ContextVar("_is_shown", default=False)
# Inside a bar no other one is shown.
_is_inside: ContextVar[bool] = ContextVar("_is_inside", default=False)
_of: ContextVar[tuple[str, ...]] = ContextVar("_of", default=())


@contextmanager
def showing_progress(verbose: int = 1) -> Iterator[None]:
    """Show bars of long work inside a block, on stderr.

    A bar appears once its work has taken a second. In a log file, or wherever stderr is
    no terminal, a line is written instead, and the next ones after pauses that grow.

    Parameters
    ----------
    verbose : int, default=1
        0 leaves it at what an outer block says; by default nothing is shown.

    Yields
    ------
    None
        The block. Threads that it starts show nothing, nor do processes of a training
        but the first.

    See Also
    --------
    progress_bar : Show how much of some work is done.
    waiting : Show how long work has taken whose end is not known.

    Examples
    --------
    >>> from invariant_cluster import PolarFourierEmbedder
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> from invariant_cluster.progress import showing_progress
    >>> images = load_oriented_digits().images
    >>> with showing_progress():
    ...     z = PolarFourierEmbedder(d=8).fit_transform(images)
    """
    with _set(_is_shown, _is_shown.get() or _is_wanted(verbose)):
        yield


def _is_wanted(verbose: object) -> bool:
    """Return whether a verbosity, which may not have been checked, asks for bars."""
    return isinstance(verbose, SupportsIndex) and index(verbose) > 0


@contextmanager
def progress_of(name: str) -> Iterator[None]:
    """Put a name before the titles of the bars inside a block.

    Parameters
    ----------
    name : str
        What the work belongs to, such as "report".

    Yields
    ------
    None
        The block.
    """
    with _set(_of, (*_of.get(), name)):
        yield


@contextmanager
def progress_bar(
    total: int,
    title: str,
    *,
    unit: str = "image",
    initial: int = 0,
    delay: float = _DELAY,
    verbose: int = 0,
) -> Iterator[Callable[[int], Any]]:
    """Show a bar of the work inside a block, if it is long and a user waits for it.

    Parameters
    ----------
    total : int
        Number of units.
    title : str
        What is done with them.
    unit : str, default="image"
        What is counted.
    initial : int, default=0
        Units that were done before.
    delay : float, default=1
        Seconds that pass before the bar is shown.
    verbose : int, default=0
        1 shows it outside of :func:`showing_progress` too.

    Yields
    ------
    callable
        To be called with the number of units that were just done.

    See Also
    --------
    showing_progress : Say that a user waits.
    """
    if not _shows(verbose):
        yield _ignore
        return
    bar = open_bar(total, _full(title), unit=unit, initial=initial, delay=delay)
    # A first step can be long too.
    timer = threading.Timer(max(delay, _DELAY), _draw, [bar])
    timer.daemon = True
    with _set(_is_inside, True), bar:
        timer.start()
        try:
            yield bar.update
        finally:
            timer.cancel()


@contextmanager
def waiting(title: str, *, verbose: int = 0) -> Iterator[None]:
    """Show how long a block has taken, if it is long and a user waits for it.

    Parameters
    ----------
    title : str
        What is done.
    verbose : int, default=0
        As of :func:`progress_bar`.

    Yields
    ------
    None
        The block.

    See Also
    --------
    progress_bar : Show how much is done, where that is known.
    """
    if not _shows(verbose):
        yield
        return
    ended = threading.Event()
    clock = threading.Thread(target=_tick, args=(_full(title), ended), daemon=True)
    with _set(_is_inside, True):
        clock.start()
        try:
            yield
        finally:
            ended.set()
            clock.join()


def open_bar(
    total: int | None, title: str, *, unit: str, shown: bool = True, **options: Any
) -> tqdm:
    """Return a bar that suits a terminal, a notebook or a log file.

    Parameters
    ----------
    total : int or None
        Number of units, if known.
    title : str
        Title of the bar.
    unit : str
        What is counted.
    shown : bool, default=True
        Whether anything is shown.
    **options
        Further arguments of tqdm.

    Returns
    -------
    tqdm
        To be closed.

    See Also
    --------
    progress_bar : Open and close a bar if a user waits.
    """
    in_log = not _IN_NOTEBOOK and not sys.stderr.isatty()
    kind = LogBar if in_log else tqdm
    return kind(total=total, desc=title, unit=unit, disable=not shown, **options)


class LogBar(terminal_bar):
    """Bar of a log file: a line now and then, and one at the end.

    Parameters
    ----------
    *args, **options
        As of tqdm.
    """

    n: float
    last_print_n: float
    last_print_t: float
    _line = ""

    def __init__(self, *args: Any, delay: float = 0, **options: Any) -> None:
        options = {"mininterval": _LEAST_PAUSE, "miniters": 1, **options}
        super().__init__(*args, delay=max(delay, _AT_ONCE), **options)

    def refresh(self, *args: Any, **options: Any) -> None:
        """Write a line, if the last one was written long enough ago."""
        if self.disable:
            return
        now = self._time()
        if now - self.last_print_t >= self.mininterval:
            self.display()
            self.last_print_n, self.last_print_t = self.n, now

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Write a line; the next one follows after a longer pause."""
        if msg is None and str(self) != self._line:
            self._line = str(self)
            self.fp.write(f"{self._line}\n")
            self.fp.flush()
        spent = self._time() - self.start_t
        self.mininterval = max(_LEAST_PAUSE, spent / _SHARE_OF_PAUSE)
        return False

    def clear(self, *args: Any, **options: Any) -> None:
        """Do nothing: lines stay."""

    def close(self) -> None:
        """Write the last line, unless the work was short."""
        if not self.disable and self._time() - self.start_t >= self.delay:
            self.display()
        self.leave = False
        super().close()


def _tick(title: str, ended: threading.Event) -> None:
    """Show how long something takes until it ends."""
    if ended.wait(_DELAY):
        return
    clock = "{desc}: {elapsed}"
    with open_bar(None, title, unit="", bar_format=clock, delay=_AT_ONCE) as bar:
        bar.start_t -= _DELAY
        bar.refresh()
        while not ended.wait(_TICK):
            bar.refresh()


def _draw(bar: tqdm) -> None:
    """Show a bar whose first step has not ended."""
    if bar.n == bar.initial:
        bar.refresh()
        bar.last_print_t = time.time()


def _shows(verbose: int) -> bool:
    """Return whether a bar would be shown; of several processes the first shows it."""
    if _is_inside.get() or not (_is_shown.get() or _is_wanted(verbose)):
        return False
    return not (dist.is_available() and dist.is_initialized()) or dist.get_rank() == 0


def _full(title: str) -> str:
    return ": ".join((*_of.get(), title))


def _ignore(n_done: int) -> None:
    """Count nothing."""


@contextmanager
def _set(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
