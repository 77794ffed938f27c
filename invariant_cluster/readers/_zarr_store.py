"""Whether a folder is a zarr store."""

from __future__ import annotations

from pathlib import Path

_FILES = ("zarr.json", ".zarray", ".zgroup")


def is_zarr_store(path: Path) -> bool:
    """Return whether a folder is a zarr store.

    Parameters
    ----------
    path : Path
        A folder.

    Returns
    -------
    bool
        True if its name ends in .zarr or it holds the description of a store.
    """
    is_named = path.suffix.lower() == ".zarr"
    return is_named or any((path / name).exists() for name in _FILES)
