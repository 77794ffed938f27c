"""What the command line says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import typer


def _as_it_is(text: str) -> str:
    return text


_translate: ContextVar[Callable[[str], str]] = ContextVar(
    "translate", default=_as_it_is
)


@contextmanager
def translating(translate: Callable[[str], str]) -> Iterator[None]:
    """Let :func:`in_options` translate inside a block.

    Parameters
    ----------
    translate : callable
        Returns a text with options instead of parameters of Python.
    """
    token = _translate.set(translate)
    try:
        yield
    finally:
        _translate.reset(token)


def in_options(text: str) -> str:
    """Return a text in the words of the command that runs, if one does."""
    return _translate.get()(text)


def say(text: str, *, color: str | None = None) -> None:
    """Print to stderr, so that results on stdout can go to a pipe.

    Of several processes, the first one prints.

    Parameters
    ----------
    text : str
        What to print.
    color : str, optional
        Colour of the text in a terminal, in bold.
    """
    from invariant_cluster.training import current_team  # torch: not for --help

    if current_team().is_first:
        typer.secho(text, fg=color, bold=color is not None, err=True)
