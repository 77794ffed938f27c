"""All files of a folder read into one array."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets._folder_records import Record
from invariant_cluster.datasets._read_square import read_cropped, read_square
from invariant_cluster.datasets._reading import Reading
from invariant_cluster.readers import UnreadableError


class Decoded(NamedTuple):
    """Files read into memory.

    Attributes
    ----------
    pieces : list of ndarray
        The images of the files that were read, in order; each piece of one dtype and
        number of channels.
    records : list of Record
        What reading each file said.
    """

    pieces: list[NDArray]
    records: list[Record]


FileLike: TypeAlias = str | os.PathLike[str]
MapFiles: TypeAlias = Callable[[Callable, Sequence[FileLike]], Iterable]


def decode(paths: Sequence[FileLike], reading: Reading, map_files: MapFiles) -> Decoded:
    """Return the images of files.

    Parameters
    ----------
    paths : sequence of path-like
        The files; those with a mask of their own are ``MaskedFile``.
    reading : Reading
        How they are read.
    map_files : callable
        Applies a function to chunks of the paths and returns the results in order.

    Returns
    -------
    Decoded
        At most one piece if all files are of one kind.

    Raises
    ------
    ImportError, ValueError
        As :func:`read_square`, but unreadable files are told in their records.
    """
    gathered = _Gathered(len(paths))
    records: list[Record] = []
    for pieces, some in map_files(partial(decode_chunk, reading=reading), paths):
        records.extend(some)
        for piece in pieces:
            gathered.append(piece)
    return Decoded(gathered.pieces(), records)


def decode_chunk(paths: Sequence[FileLike], reading: Reading) -> Decoded:
    """Return the images of a few files.

    Parameters
    ----------
    paths : sequence of path-like
        The files; those with a mask of their own are ``MaskedFile``.
    reading : Reading
        How they are read.

    Returns
    -------
    Decoded
        The images and what reading said of each file.
    """
    squares, records = [], []
    for path in paths:
        try:
            pixels, sides, notes, missing = read_square(path, reading)
        except UnreadableError as error:
            records.append(Record(reason=str(error.reason)))
            continue
        squares.append(pixels)
        kind = _n_channels(pixels), pixels.dtype.str
        records.append(Record(sides, *kind, notes, missing=missing))
    groups = groupby(squares, key=lambda square: (square.dtype, square.shape))
    return Decoded([np.stack(list(group)) for _, group in groups], records)


def _n_channels(pixels: NDArray) -> int:
    """Return the number of channels of an image (h, w) or (h, w, c)."""
    return 1 if pixels.ndim == 2 else pixels.shape[2]


class Survey(NamedTuple):
    """What files hold, found without keeping their images.

    Attributes
    ----------
    largest : int
        The largest height or width in pixels; 0 if no file can be read.
    dtypes : set of str
        Dtypes of the files.
    reasons : list of str or None
        Why each file cannot be read; None if it can.
    """

    largest: int
    dtypes: set[str]
    reasons: list[str | None]


def survey(paths: Sequence[FileLike], reading: Reading, map_files: MapFiles) -> Survey:
    """Return what files hold.

    Parameters
    ----------
    paths, reading, map_files
        As for :func:`decode`.

    Returns
    -------
    Survey
        Largest side, dtypes, and which files cannot be read.
    """
    found = list(map_files(partial(_survey_chunk, reading=reading), paths))
    return Survey(
        max((one.largest for one in found), default=0),
        {dtype for one in found for dtype in one.dtypes},
        [reason for one in found for reason in one.reasons],
    )


def _survey_chunk(paths: Sequence[FileLike], reading: Reading) -> Survey:
    """Return what a few files hold."""
    largest, dtypes = 0, set()
    reasons: list[str | None] = []
    for path in paths:
        try:
            image = read_cropped(path, reading).pixels
        except UnreadableError as error:
            reasons.append(str(error.reason))
            continue
        reasons.append(None)
        largest = max(largest, *image.shape[:2])
        dtypes.add(image.dtype.str)
    return Survey(largest, dtypes, reasons)


class _Gathered:
    """Pieces of images, copied into one array while they are of one kind.

    The array is made when the first piece comes, so that all images are never held
    twice.
    """

    def __init__(self, n_files: int) -> None:
        self.n_files = n_files
        self.done: list[NDArray] = []
        self.open: NDArray | None = None
        self.n_filled = 0

    def append(self, piece: NDArray) -> None:
        """Add images (m, ...) at the end."""
        if self.open is None or not _are_alike(self.open, piece):
            self._close()
            self.open = np.empty((self.n_files, *piece.shape[1:]), piece.dtype)
        self.open[self.n_filled : self.n_filled + len(piece)] = piece
        self.n_filled += len(piece)
        self.n_files -= len(piece)

    def _close(self) -> None:
        """Finish the array that is being filled."""
        if self.open is not None:
            filled = self.open[: self.n_filled]
            small = 2 * self.n_filled < len(self.open)
            self.done.append(filled.copy() if small else filled)
        self.open, self.n_filled = None, 0

    def pieces(self) -> list[NDArray]:
        """Return the arrays."""
        self._close()
        return self.done


def _are_alike(some: NDArray, others: NDArray) -> bool:
    """Return whether images have one shape and dtype."""
    return some.shape[1:] == others.shape[1:] and some.dtype == others.dtype
