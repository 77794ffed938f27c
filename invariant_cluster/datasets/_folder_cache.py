"""Decoded images of a folder kept on disk, with an index of the files."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets._folder_records import Record
from invariant_cluster.datasets._reading import Reading

_FORMAT = 1  # a new one makes older caches be decoded anew

Stamp = tuple[int, int]


class Kept(NamedTuple):
    """What a cache holds of one file.

    Attributes
    ----------
    stamp : (int, int)
        Size in bytes and time of the last change in nanoseconds.
    record : Record
        What reading said.
    row : int
        Row of its image; -1 if the file was not read.
    """

    stamp: Stamp
    record: Record
    row: int


class Cached(NamedTuple):
    """A folder as it was when it was last read.

    Attributes
    ----------
    files : dict of str to Kept
        The files by name.
    reading : Reading
        How they were read, settled.
    images : ndarray of shape (n, size, size) or (n, size, size, c), or None
        The images, memory-mapped; None if no file was read.
    """

    files: dict[str, Kept]
    reading: Reading
    images: NDArray | None


def index_place(cache: str | os.PathLike[str], folder: str, reading: Reading) -> Path:
    """Return the path of the index of a folder that is read in one way.

    Parameters
    ----------
    cache : path-like
        Folder of caches; it is made if it does not exist.
    folder : str
        The folder of images.
    reading : Reading
        How it is to be read.

    Returns
    -------
    Path
        Path of the index, which may not exist.
    """
    place = Path(cache).expanduser()
    place.mkdir(parents=True, exist_ok=True)
    asked = json.dumps([os.path.realpath(folder), reading.to_json()])
    return place / f"{hashlib.sha256(asked.encode()).hexdigest()[:16]}.json"


def stamp_of(path: str) -> Stamp:
    """Return what tells whether a file has changed.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    (int, int)
        Size in bytes and time of the last change in nanoseconds; (-1, -1) if there is
        no such file.
    """
    try:
        status = os.stat(path)
    except OSError:
        return (-1, -1)
    return status.st_size, status.st_mtime_ns


def load_cached(index: Path) -> Cached | None:
    """Return what an index and its images hold.

    Parameters
    ----------
    index : Path
        Path of the index.

    Returns
    -------
    Cached or None
        None if there is none, or if it is damaged or of another version.
    """
    try:
        found = json.loads(index.read_text(encoding="utf-8"))
        if found["format"] != _FORMAT:
            return None
        files, n_rows = _unpack_files(found["files"])
        images = None
        if n_rows:
            images = np.load(index.parent / found["images"], mmap_mode="r")
            if len(images) != n_rows:
                return None
        return Cached(files, Reading.from_json(found["reading"]), images)
    except (EOFError, KeyError, OSError, TypeError, ValueError):
        return None


def _unpack_files(listed: list[Any]) -> tuple[dict[str, Kept], int]:
    """Return the files of an index and the number of images."""
    files, n_rows = {}, 0
    for name, size, changed, sides, n_channels, dtype, notes, reason in listed:
        row = n_rows if reason is None else -1
        n_rows += reason is None
        record = Record(tuple(sides), n_channels, dtype, tuple(notes), reason)
        files[name] = Kept((size, changed), record, row)
    return files, n_rows


def save_cached(
    index: Path,
    names: Sequence[str],
    stamps: Sequence[Stamp],
    records: Sequence[Record],
    images: NDArray | None,
    reading: Reading,
) -> None:
    """Write an index and its images, completely or not at all.

    Parameters
    ----------
    index : Path
        Path of the index.
    names, stamps, records : sequences
        Name, stamp and record of each file.
    images : ndarray or None
        Images of the files that were read, in order.
    reading : Reading
        How they were read, settled.
    """
    pixels = f"{index.stem}-{uuid.uuid4().hex}.npy"
    if images is not None:
        _write(index.parent / pixels, lambda file: np.save(file, images))
    files = [
        (name, *stamp, *record)
        for name, stamp, record in zip(names, stamps, records, strict=True)
    ]
    found = {
        "format": _FORMAT,
        "reading": reading.to_json(),
        "images": pixels,
        "files": files,
    }
    text = json.dumps(found).encode("ascii")
    _write(index, lambda file: file.write(text))
    for old in index.parent.glob(f"{index.stem}-*"):
        if old.name != pixels:
            with suppress(OSError):  # another process may have it open
                old.unlink()


def _write(path: Path, write: Callable[[Any], Any]) -> None:
    """Write a file under another name and rename it."""
    partial = path.with_name(f"{path.stem.split('-')[0]}-{uuid.uuid4().hex}.partial")
    try:
        with partial.open("xb") as file:
            write(file)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
