"""Warnings that the command line prints: those of this package alone."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from invariant_cluster.cli._speech import say

_PACKAGE = __name__.partition(".")[0]
_OF_PYTHON = ("warnings", "_py_warnings")  # the second one in Python 3.14


@contextmanager
def one_line_warnings(
    translate: Callable[[str], str] = str, *, of_others: bool = False
) -> Iterator[None]:
    """Print each warning of this package as one line on stderr, once.

    Parameters
    ----------
    translate : callable, default=str
        Turns a message into what is printed.
    of_others : bool, default=False
        Whether to print warnings of other packages, and what their loggers say, too.

    Notes
    -----
    A warning is of this package if its category is, or if a file of the package raised
    it for a caller (``stacklevel`` of 2 or more). C code, such as that of torch and
    NumPy, raises at the very line that calls it.
    """
    shown: set[str] = set()

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: Any = None,
        line: str | None = None,
    ) -> None:
        place = (filename, lineno)
        if not (of_others or _is_ours(category, place, sys._getframe(1))):
            return
        told = translate(" ".join(str(message).split()))
        if told not in shown:
            say(f"Warning: {told}")
        shown.add(told)

    with warnings.catch_warnings(), _last_resort(silent=not of_others):
        # "once" would not do: it starts anew after each catch_warnings of others.
        warnings.simplefilter("always")
        warnings.showwarning = show
        yield


@contextmanager
def _last_resort(*, silent: bool) -> Iterator[None]:
    """Print what loggers without a handler say, such as tifffile's, or do not."""
    before = logging.lastResort
    if silent:
        logging.lastResort = logging.NullHandler()
    try:
        yield
    finally:
        logging.lastResort = before


def _is_ours(
    category: type[Warning], place: tuple[str, int], frame: FrameType | None
) -> bool:
    """Return whether this package warns, given the place that the warning names."""
    if _is_of_package(category.__module__):
        return True
    while frame is not None and frame.f_globals.get("__name__") in _OF_PYTHON:
        frame = frame.f_back
    if frame is None or not _is_of_package(frame.f_globals.get("__name__", "")):
        return False
    return place != (frame.f_code.co_filename, frame.f_lineno)


def _is_of_package(module: str) -> bool:
    """Return whether a module lies in this package."""
    return module.partition(".")[0] == _PACKAGE
