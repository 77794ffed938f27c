"""A folder's images, each of which is read when it is taken."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invariant_cluster.datasets._depths import common_depth, convert_depth
from invariant_cluster.datasets._folder_decoding import decode_chunk, survey
from invariant_cluster.datasets._folder_listing import Listing, list_images
from invariant_cluster.datasets._folder_records import (
    Record,
    check_alike,
    describe_bad,
    warn_of_notes,
)
from invariant_cluster.datasets._mask_pairs import pair_masks
from invariant_cluster.datasets._palette import AUTO
from invariant_cluster.datasets._parallel_files import files_at_a_time, map_files
from invariant_cluster.datasets._reading import Reading
from invariant_cluster.datasets._settling import settle_ground, settle_palette
from invariant_cluster.datasets._stored_images import Source


def open_folder(
    path: str | os.PathLike[str],
    reading: Reading,
    exclude: Iterable[str | os.PathLike[str]] = (),
) -> Source:
    """Return a folder's images, each of which is read when it is taken.

    Parameters
    ----------
    path : path-like
        Folder of class folders or of images.
    reading : Reading
        How the files are read.
    exclude : iterable of path-like, default=()
        Files and folders that are left out.

    Returns
    -------
    Source
        The images, named by their paths in the folder and equal to those of
        :func:`load_image_folder`, with the settled reading.

    Raises
    ------
    ImportError, FileNotFoundError, ValueError
        As :func:`load_image_folder`; errors of files after the first are raised when
        they are read.
    """
    listing, reading = pair_masks(list_images(path, exclude), reading, exclude)
    settled = _settle(listing, reading)
    files = _Files(listing, settled)
    shape = (len(listing.names), *files.shape)
    return Source(
        shape, files.dtype, files.read, names=listing.names, reading=files.reading
    )


def list_unreadable(
    path: str | os.PathLike[str],
    reading: Reading,
    exclude: Iterable[str | os.PathLike[str]] = (),
    *,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Return the files of a folder that cannot be read; all are read once.

    Parameters
    ----------
    path, reading, exclude
        As for :func:`open_folder`.
    n_jobs, verbose
        As for :func:`load_image_folder`.

    Returns
    -------
    DataFrame
        ``file`` and ``reason`` of each.

    Raises
    ------
    ValueError
        If no file can be read.
    """
    listing, reading = pair_masks(list_images(path, exclude), reading, exclude)
    apply = partial(map_files, n_jobs=n_jobs, verbose=verbose)
    if reading.palette == AUTO:  # which is settled on the files that can be read
        reading = replace(reading, palette=None)
    reasons = survey(listing.files, reading, apply).reasons
    if None not in reasons:
        records = [Record(reason=reason) for reason in reasons]
        raise ValueError(
            describe_bad(listing.folder, listing.names, records, can_skip=False)
        )
    pairs = zip(listing.paths, reasons, strict=True)
    bad = [(path, reason) for path, reason in pairs if reason is not None]
    return pd.DataFrame(bad, columns=["file", "reason"], dtype=object)


def _settle(listing: Listing, reading: Reading) -> Reading:
    """Return a reading with what depends on all files, which are read if needed."""
    reading = settle_palette(listing.files, settle_ground(listing.files, reading))
    scales = reading.keep_scale and reading.scale is None
    mixes = reading.mixed_depth != "raise" and reading.dtype is None
    if not (scales or mixes):
        return reading
    largest, dtypes, _ = survey(listing.files, reading, map_files)
    if scales and largest:
        reading = replace(reading, scale=largest / reading.size)
    if mixes and dtypes:
        common = common_depth(map(np.dtype, dtypes), reading.mixed_depth)
        reading = replace(reading, dtype=common.name)
    return reading


class _Files:
    """Files of one kind, read by their numbers.

    The first file decides the colours and, unless the reading does, the dtype.
    """

    def __init__(self, listing: Listing, reading: Reading) -> None:
        self.listing, self.reading = listing, reading
        self.files = listing.files
        self.told: set[str] = set()
        self.first: Record | None = None
        first = self._read_batch(slice(0, 1))
        self.shape, self.dtype = first.shape[1:], first.dtype

    def read(self, start: int, stop: int) -> NDArray:
        """Return the images of consecutive files."""
        images = np.empty((max(0, stop - start), *self.shape), self.dtype)
        most = files_at_a_time(self.reading.size)
        for row in range(start, stop, most):
            rows = slice(row, min(stop, row + most))
            images[row - start : rows.stop - start] = self._read_batch(rows)
        return images

    def _read_batch(self, rows: slice) -> NDArray:
        """Return the images of a few files, checked and in one dtype."""
        names = self.listing.names[rows]
        pieces, records = decode_chunk(self.files[rows], self.reading)
        if any(record.reason is not None for record in records):
            told = self.listing.folder, names, records
            raise ValueError(describe_bad(*told, can_skip=True, are_all=False))
        self._check_kind(names, records)
        self._tell(names, records)
        dtype = np.dtype(str(self.reading.dtype))
        depth = self.reading.mixed_depth
        return np.concatenate([convert_depth(one, dtype, depth) for one in pieces])

    def _check_kind(self, names: Sequence[str], records: Sequence[Record]) -> None:
        """Check that files are like the first, which sets the dtype if none is set."""
        if self.first is None:
            self.first = records[0]
        known = [self.listing.names[0], *names], [self.first, *records]
        check_alike(self.listing.folder, *known, self.reading.mixed_depth)
        if self.reading.dtype is None:
            name = np.dtype(self.first.dtype).name
            self.reading = replace(self.reading, dtype=name)

    def _tell(self, names: Sequence[str], records: Sequence[Record]) -> None:
        """Warn of each kind of change once."""
        new = [
            record._replace(
                notes=tuple(note for note in record.notes if note not in self.told)
            )
            for record in records
        ]
        self.told.update(note for record in new for note in record.notes)
        warn_of_notes(names, new, stacklevel=4, are_all=False)
