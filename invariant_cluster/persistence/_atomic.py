"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place at the end.

    After an exception nothing has changed: an older file is still there. A file that is
    replaced hands on its permissions; a link goes on pointing to its file.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, ValueError, PermissionError
        As :func:`check_place`.
    """
    target = check_place(path).resolve()
    temporary = target.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        # The system applies the user's mask of permissions.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        model = target if target.exists() else temporary
        mode = stat.S_IMODE(model.stat().st_mode)
        yield temporary
        temporary.chmod(mode)  # who writes may set others, or make the file anew
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
    ValueError
        When it is neither a folder nor a file, such as a device.
    PermissionError
        When files in the folder cannot be made.
    """
    target = Path(path)
    folder = target.resolve().parent
    if not folder.is_dir():
        raise FileNotFoundError(
            f"path={str(path)!r} is in a folder that does not exist: make "
            f"{str(target.parent)!r} first."
        )
    if target.is_dir():
        raise IsADirectoryError(
            f"path={str(path)!r} is a folder: give the name of a file."
        )
    if target.exists() and not target.is_file():
        raise ValueError(
            f"path={str(path)!r} is no ordinary file: give the name of one."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(
            f"path={str(path)!r} is in a folder that you may not write to: give "
            "another."
        )
    return target
