"""Names of files as text that can be printed and written."""

from __future__ import annotations

import os


def name_as_text(name: str) -> str:
    """Return the name of a file as text that any file or terminal takes.

    Parameters
    ----------
    name : str
        A name as the system gives it, in which bytes that are no text are surrogates.

    Returns
    -------
    str
        The name; bytes that are no text are replaced by U+FFFD.

    Examples
    --------
    >>> name_as_text("a/1.png")
    'a/1.png'
    """
    return os.fsencode(name).decode("utf-8", "replace")
