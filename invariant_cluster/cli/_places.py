"""Places that the command line writes to, checked before any training."""

from __future__ import annotations

from pathlib import Path

from invariant_cluster.cli._file_names import LABELS, MODEL, REPORT, SKIPPED
from invariant_cluster.persistence import check_place
from invariant_cluster.report import import_extra


def prepare_folder(folder: Path, overwrite: bool) -> Path:
    """Return the output folder, after all checks that do not need the images."""
    import_extra()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--out {folder} is a file: give the name of a folder.")
    for name in (LABELS, MODEL, REPORT, SKIPPED):
        _check_free(folder / name, overwrite)
    return folder


def check_out(path: Path | None, overwrite: bool) -> None:
    """Raise if a file cannot be written, or exists and must not be replaced.

    So must the list of files that are left out, beside it.
    """
    if path is not None:
        _check_free(check_place(path), overwrite)
        _check_free(beside(path, SKIPPED) or path, overwrite)


def check_shards_folder(folder: Path | None) -> Path:
    """Return the folder of the shards; raise if there is none or it is a file."""
    if folder is None:
        raise ValueError("--shards needs --out: give the folder to write to.")
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--out {folder} is a file: give the name of a folder.")
    return folder


def beside(path: Path | None, name: str) -> Path | None:
    """Return the place of a file beside another one: more.csv -> more_skipped.csv."""
    return None if path is None else path.with_name(f"{path.stem}_{name}")


def _check_free(path: Path, overwrite: bool) -> None:
    """Raise a ValueError if the path exists, unless it may be overwritten."""
    if path.exists() and not overwrite:
        raise ValueError(
            f"{path} already exists: choose another path, or use --overwrite."
        )
