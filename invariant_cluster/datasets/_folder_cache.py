"""Decoded images of a folder kept on disk, with an index of the files."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets._folder_records import Record
from invariant_cluster.datasets._object_masks import MaskedFile
from invariant_cluster.datasets._reading import Reading

_FORMAT = 2  # a new one makes older caches be decoded anew
_PIXELS = ".cache"  # an ending that no image has: a cache may lie among the images

Stamp = tuple[int, ...]


class Kept(NamedTuple):
    """What a cache holds of one file.

    Attributes
    ----------
    stamp : tuple of int
        Size in bytes and time of the last change in nanoseconds, of the file and of
        its mask if it has one.
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

    Raises
    ------
    ValueError
        If the folder of caches cannot be made.
    """
    place = Path(cache).expanduser()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"cache={os.fspath(cache)!r} cannot be made ({error.strerror}): give the "
            "name of a folder."
        ) from error
    asked = json.dumps([os.path.realpath(folder), reading.to_json()])
    return place / f"{hashlib.sha256(asked.encode()).hexdigest()[:16]}.json"


def stamp_of(path: str | os.PathLike[str]) -> Stamp:
    """Return what tells whether a file or its mask has changed.

    Parameters
    ----------
    path : path-like
        The file; with a mask it is a ``MaskedFile``.

    Returns
    -------
    tuple of int
        Size in bytes and time of the last change in nanoseconds; -1 and -1 if there is
        no such file. Those of the mask follow.
    """
    masks = path.masks if isinstance(path, MaskedFile) else ()
    return tuple(number for file in (path, *masks) for number in _stamp(file))


def _stamp(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Return size and time of one file."""
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
        reading = Reading.from_json(found["reading"])
        fits = images is None or _fit(images, n_rows, reading)
        return Cached(files, reading, images) if fits else None
    except (EOFError, KeyError, OSError, TypeError, ValueError):
        return None


def _fit(images: NDArray, n_rows: int, reading: Reading) -> bool:
    """Return whether images are as many, as large and of the dtype as an index says."""
    shape = (n_rows, reading.size, reading.size)
    return images.shape[:3] == shape and images.dtype == reading.dtype


def _unpack_files(listed: list[Any]) -> tuple[dict[str, Kept], int]:
    """Return the files of an index and the number of images."""
    files, n_rows = {}, 0
    for name, stamp, sides, n_channels, dtype, notes, reason, missing in listed:
        row = n_rows if reason is None else -1
        n_rows += reason is None
        read = tuple(sides), n_channels, dtype, tuple(notes)
        record = Record(*read, reason, tuple(missing))
        files[name] = Kept(tuple(stamp), record, row)
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

    Warns
    -----
    UserWarning
        If the folder of the cache cannot be written, or the disk is full.
    """
    pixels = f"{index.stem}-{uuid.uuid4().hex}{_PIXELS}"
    files = [
        (name, stamp, *record)
        for name, stamp, record in zip(names, stamps, records, strict=True)
    ]
    found = {
        "format": _FORMAT,
        "reading": reading.to_json(),
        "images": pixels,
        "files": files,
    }
    text = json.dumps(found).encode("ascii")
    try:
        if images is not None:
            _write(index.parent / pixels, lambda file: np.save(file, images))
        _write(index, lambda file: file.write(text))
    except OSError as error:
        warnings.warn(
            f"cache={str(index.parent)!r} cannot be written ({error.strerror}): the "
            "images were read, but the next run must decode them again.",
            UserWarning,
            stacklevel=4,
        )
        return
    _drop_old(index, pixels)


def _drop_old(index: Path, kept: str) -> None:
    """Delete earlier images of an index, but not files that are being written."""
    for old in index.parent.glob(f"{index.stem}-*{_PIXELS}"):
        if old.name != kept:
            with suppress(OSError):  # another process may have it open
                old.unlink()


def _write(path: Path, write: Callable[[Any], Any]) -> None:
    """Write a file under another name and rename it."""
    partial = path.with_name(f"{path.stem}-{uuid.uuid4().hex}.partial")
    try:
        with partial.open("xb") as file:
            write(file)
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
