"""Which files hold the dies of wafers."""

from __future__ import annotations

import os
from pathlib import Path

from invariant_cluster.readers import DIE_TABLES, is_image_name, is_klarf

_HOW = "give a CSV or Parquet file with one row for each die, KLARF, or a folder of one"


def holds_dies(path: Path) -> bool:
    """Return whether a path is a table of dies, KLARF, or a folder of these alone.

    Parameters
    ----------
    path : Path
        A file or a folder.

    Returns
    -------
    bool
        False for a folder in which there is an image.
    """
    if path.is_file():
        return _is_die_file(path)
    found = False
    for folder, below, names in os.walk(path):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            if is_image_name(name):
                return False
            if not name.startswith("."):
                file = Path(folder) / name
                # Links to nothing and pipes are no files.
                if not file.is_file() or not _is_die_file(file):
                    return False
                found = True
    return found


def list_die_files(
    path: str | os.PathLike[str], *, of_klarf: bool | None = None
) -> list[Path]:
    """Return the files of a path that hold dies.

    Parameters
    ----------
    path : path-like
        A file, or a folder with such files at any depth.
    of_klarf : bool, optional
        Whether to return KLARF files, or tables; by default both.

    Returns
    -------
    list of Path
        The file, or the files of the folder in the order of their names.

    Raises
    ------
    FileNotFoundError
        If there is no such path.
    ValueError
        If a folder holds none.
    """
    place = Path(path).expanduser()
    if not place.exists():
        raise FileNotFoundError(f"path={str(path)!r} does not exist: {_HOW}.")
    if place.is_file():
        return [place]
    files = [
        file
        for file in sorted(place.rglob("*"))
        if file.is_file() and not file.name.startswith(".") and _is_die_file(file)
    ]
    if of_klarf is not None:
        files = [file for file in files if is_klarf(file) == of_klarf]
    if not files:
        raise ValueError(f"path={str(path)!r} holds no dies: {_HOW}.")
    return files


def _is_table(path: Path) -> bool:
    """Return whether a file is a table by its name."""
    return path.suffix.lower() in DIE_TABLES


def _is_die_file(path: Path) -> bool:
    """Return whether a file is a table by its name, or KLARF by its content."""
    return _is_table(path) or is_klarf(path)
