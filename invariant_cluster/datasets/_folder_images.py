"""The images of a folder's files, decoded or taken from a cache."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets._depths import common_depth, convert_depth
from invariant_cluster.datasets._folder_cache import (
    Cached,
    Kept,
    Stamp,
    index_place,
    load_cached,
    save_cached,
    stamp_of,
)
from invariant_cluster.datasets._folder_decoding import FileLike, MapFiles, decode
from invariant_cluster.datasets._folder_listing import Listing
from invariant_cluster.datasets._folder_records import Record, are_alike
from invariant_cluster.datasets._reading import Reading
from invariant_cluster.datasets._settling import (
    settle_ground,
    settle_palette,
    settle_scale,
)

_BATCH = 4096


class FolderImages(NamedTuple):
    """Images of a folder.

    Attributes
    ----------
    images : ndarray of shape (n, size, size) or (n, size, size, c), or None
        Images of the files that were read, in order; None if there are none, or if
        they do not fit one array.
    records : list of Record
        What reading each file said.
    reading : Reading
        How they were read, settled for other folders.
    """

    images: NDArray | None
    records: list[Record]
    reading: Reading


def read_folder(
    listing: Listing,
    reading: Reading,
    map_files: MapFiles,
    cache: str | os.PathLike[str] | None = None,
) -> FolderImages:
    """Return the images of a folder.

    Parameters
    ----------
    listing : Listing
        The files.
    reading : Reading
        How they are read.
    map_files : callable
        As for ``decode``.
    cache : path-like, optional
        Folder in which decoded images are kept.

    Returns
    -------
    FolderImages
        The images; unreadable files are told in the records.
    """
    if cache is None:
        settled = _settle(listing.files, reading)
        return _decode_all(listing.files, settled, map_files)
    index = index_place(cache, listing.folder, reading)
    stamps = [stamp_of(file) for file in listing.files]
    cached = load_cached(index)
    settled = _settle(listing.files, reading)
    if cached and _are_settled_alike(cached.reading, settled):
        stale = _stale_rows(listing.names, stamps, cached)
        found = _decode_stale(listing, settled, map_files, cached, stale)
        unchanged = _is_current(listing.names, stamps, found.records, cached)
    else:
        found, unchanged = _decode_all(listing.files, settled, map_files), False
    if not unchanged and are_alike(found.records, reading.mixed_depth):
        save_cached(index, listing.names, stamps, *_kept_parts(found))
    return found


def _settle(paths: Sequence[FileLike], reading: Reading) -> Reading:
    """Return a reading with the ground and the palette of a folder."""
    return settle_palette(paths, settle_ground(paths, reading))


def _are_settled_alike(one: Reading, other: Reading) -> bool:
    """Return whether two readings of a folder have the same ground and palette."""
    return (one.transparent, one.palette) == (other.transparent, other.palette)


def _kept_parts(found: FolderImages) -> tuple[list[Record], NDArray | None, Reading]:
    """Return what a cache keeps of a folder."""
    return found.records, found.images, found.reading


def _decode_all(
    paths: Sequence[FileLike], reading: Reading, map_files: MapFiles
) -> FolderImages:
    """Return the images of all files, decoded."""
    reading = settle_scale(paths, reading, map_files)
    pieces, records = decode(paths, reading, map_files)
    if not pieces or not are_alike(records, reading.mixed_depth):
        return FolderImages(None, records, reading)
    dtype = _depth_of(records, reading)
    images = _join(pieces, dtype, reading.mixed_depth)
    return FolderImages(images, records, replace(reading, dtype=dtype.name))


def _depth_of(records: Sequence[Record], reading: Reading) -> np.dtype:
    """Return the dtype of a folder's images: that of the reading, if it has one."""
    if reading.dtype is not None:
        return np.dtype(reading.dtype)
    dtypes = {record.dtype for record in records if record.reason is None}
    return common_depth(map(np.dtype, dtypes), reading.mixed_depth)


def _join(pieces: list[NDArray], dtype: np.dtype, mixed_depth: str) -> NDArray:
    """Return all pieces as one array of the dtype; the list is emptied."""
    if len(pieces) == 1:
        return convert_depth(pieces[0], dtype, mixed_depth)
    n_images = sum(map(len, pieces))
    joined = np.empty((n_images, *pieces[0].shape[1:]), dtype=dtype)
    start = 0
    while pieces:
        piece = pieces.pop(0)
        joined[start : start + len(piece)] = convert_depth(piece, dtype, mixed_depth)
        start += len(piece)
    return joined


def _stale_rows(
    names: Sequence[str], stamps: Sequence[Stamp], cached: Cached
) -> list[int]:
    """Return the numbers of the files that are new, have changed or were not read.

    What was not read may be readable now: permissions and packages leave no stamp.
    """
    kept = {
        name: one.stamp for name, one in cached.files.items() if _is_read(one.record)
    }
    return [
        row
        for row, (name, stamp) in enumerate(zip(names, stamps, strict=True))
        if kept.get(name) != stamp
    ]


def _is_current(
    names: Sequence[str],
    stamps: Sequence[Stamp],
    records: Sequence[Record],
    cached: Cached,
) -> bool:
    """Return whether a cache holds these files and no others."""
    kept = {name: (one.stamp, one.record) for name, one in cached.files.items()}
    return kept == dict(zip(names, zip(stamps, records, strict=True), strict=True))


def _decode_stale(
    listing: Listing,
    reading: Reading,
    map_files: MapFiles,
    cached: Cached,
    stale: list[int],
) -> FolderImages:
    """Return the images of all files, of which only the stale ones are decoded.

    All are decoded if the stale ones change the scale or the dtype of the folder.
    """
    kept = {name: cached.files[name] for name in listing.names if name in cached.files}
    for row in stale:
        kept.pop(listing.names[row], None)
    files = listing.files
    paths = [files[row] for row in stale]
    largest = max((max(one.record.sides) for one in kept.values()), default=0)
    reading = settle_scale(paths, reading, map_files, known=largest)
    if reading.scale != cached.reading.scale:
        return _decode_all(listing.files, reading, map_files)
    pieces, fresh = decode(paths, reading, map_files)
    new = iter(fresh)
    records = [kept[n].record if n in kept else next(new) for n in listing.names]
    if not are_alike(records, reading.mixed_depth) or not any(map(_is_read, records)):
        return FolderImages(None, records, reading)
    dtype = _depth_of(records, reading)
    if cached.images is not None and cached.images.dtype != dtype:
        return _decode_all(listing.files, reading, map_files)
    rows = _old_rows(listing.names, records, kept)
    decoded = _join(pieces, dtype, reading.mixed_depth) if pieces else None
    images = _merge(cached.images, rows, decoded)
    return FolderImages(images, records, replace(reading, dtype=dtype.name))


def _is_read(record: Record) -> bool:
    """Return whether a file was read."""
    return record.reason is None


def _old_rows(
    names: Sequence[str], records: Sequence[Record], kept: dict[str, Kept]
) -> NDArray[np.intp]:
    """Return the old row of each image, -1 if it is new."""
    rows = [
        kept[name].row if name in kept else -1
        for name, record in zip(names, records, strict=True)
        if record.reason is None
    ]
    return np.array(rows, dtype=np.intp)


def _merge(old: NDArray | None, rows: NDArray[np.intp], new: NDArray | None) -> NDArray:
    """Return old images at the given rows, and new ones in order where a row is -1."""
    like = old if new is None else new
    assert like is not None
    merged = np.empty((len(rows), *like.shape[1:]), dtype=like.dtype)
    if new is not None:
        merged[rows < 0] = new
    places = np.flatnonzero(rows >= 0)
    for start in range(0, len(places) if old is not None else 0, _BATCH):
        some = places[start : start + _BATCH]
        merged[some] = old[rows[some]]  # type: ignore[index]
    return merged
