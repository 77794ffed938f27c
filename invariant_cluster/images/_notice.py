"""Warnings about images, each given once though several estimators see the images."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_GIVEN: ContextVar[set[str] | None] = ContextVar("_GIVEN", default=None)


@contextmanager
def noticed_once() -> Iterator[None]:
    """Give each warning about images once while the context lasts.

    Yields
    ------
    None
        Contexts may be nested; the outermost counts.

    See Also
    --------
    notice : Give a warning.
    """
    if _GIVEN.get() is not None:
        yield
        return
    token = _GIVEN.set(set())
    try:
        yield
    finally:
        _GIVEN.reset(token)


def notice(message: str, *, stacklevel: int = 5) -> None:
    """Warn of something about the images of a ``fit``.

    Parameters
    ----------
    message : str
        What was found, and what to do.
    stacklevel : int, default=5
        As in ``warnings.warn``, counted from the caller of this function.

    Warns
    -----
    UserWarning
        Unless the same message was given before in a :func:`noticed_once`.
    """
    given = _GIVEN.get()
    if given is not None:
        if message in given:
            return
        given.add(message)
    warnings.warn(message, UserWarning, stacklevel=stacklevel + 1)
