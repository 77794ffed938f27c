"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place at the end.

    After an exception nothing has changed: an older file is still there.

    Raises
    ------
    FileNotFoundError
        When the folder does not exist.
    IsADirectoryError
        When the path is a folder.
    """
    target = check_place(path)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def check_place(path: str | os.PathLike[str]) -> Path:
    """Return the path if a file can be written there.

    Raises
    ------
    FileNotFoundError
        When the folder does not exist.
    IsADirectoryError
        When the path is a folder.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"path={str(path)!r} is in a folder that does not exist: make "
            f"{str(target.parent)!r} first."
        )
    if target.is_dir():
        raise IsADirectoryError(
            f"path={str(path)!r} is a folder: give the name of a file."
        )
    return target


def _umask() -> int:
    """Return the process's mask of permissions, which can only be read by setting."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
