"""Warnings that the command line prints."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer


@contextmanager
def one_line_warnings(*, silent: bool = False) -> Iterator[None]:
    """Print each warning as one line on stderr, once.

    Parameters
    ----------
    silent : bool, default=False
        Whether to print none.
    """
    shown: set[str] = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        told = " ".join(str(message).split())
        if told not in shown:
            typer.echo(f"Warning: {told}", err=True)
        shown.add(told)

    with warnings.catch_warnings():
        # "once" would not do: it starts anew after each catch_warnings of others.
        warnings.simplefilter("ignore" if silent else "always", UserWarning)
        warnings.showwarning = show
        yield
