"""Files that are written completely or not at all."""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path whose file replaces ``path`` at the end of the block.

    If the block raises an exception, an older file stays as it was and the temporary
    file is removed.

    Parameters
    ----------
    path : path-like
        File to write. If it exists, it is replaced; if it is a link, the file that it
        points to is replaced.

    Yields
    ------
    pathlib.Path
        Empty file in the folder of the target, to be written inside the block.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, ValueError, PermissionError
        As :func:`check_place`, before the block starts.

    See Also
    --------
    check_place : Check that a file can be written.

    Notes
    -----
    A replaced file passes on its permissions; a new file has those of the user's mask.
    The last step is a rename, so no reader sees a file that is half written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from invariant_cluster.persistence import replacing
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.txt"
    ...     with replacing(path) as temporary:
    ...         n_characters = temporary.write_text("complete")
    ...     path.read_text()
    'complete'
    """
    target = check_place(path).resolve()
    temporary = target.with_name(f".{uuid.uuid4().hex}.partial")
    try:
        # os.open applies the user's permission mask.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        model = target if target.exists() else temporary
        mode = stat.S_IMODE(model.stat().st_mode)
        yield temporary
        temporary.chmod(mode)  # the block may have replaced the file
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def check_place(path: str | os.PathLike[str]) -> Path:
    """Return the path if a file can be written there.

    Parameters
    ----------
    path : path-like
        File to write; it may exist.

    Returns
    -------
    pathlib.Path
        The path as given; a link is not followed.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    IsADirectoryError
        If the path is a folder.
    ValueError
        If the path is something else than a file or a folder, such as a device.
    PermissionError
        If the user may not create files in the folder.

    See Also
    --------
    replacing : Write the file completely or not at all.
    """
    target = Path(path)
    folder = target.resolve().parent
    if not folder.is_dir():
        raise FileNotFoundError(
            f"path={str(path)!r} is in a folder that does not exist: create "
            f"{str(target.parent)!r} first."
        )
    if target.is_dir():
        raise IsADirectoryError(
            f"path={str(path)!r} is a folder: give the name of a file."
        )
    if target.exists() and not target.is_file():
        raise ValueError(
            f"path={str(path)!r} is not a regular file: give the path of one."
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(
            f"path={str(path)!r} is in a folder without write permission: choose "
            "another folder."
        )
    return target
