"""Images on disk that are read when rows of them are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike, NDArray

from invariant_cluster.datasets._missing_pixels import (
    fill_images,
    has_missing,
    warn_of_missing,
)
from invariant_cluster.datasets._reading import Reading


class Source(NamedTuple):
    """How images on disk are read.

    Attributes
    ----------
    shape : tuple of int
        Shape of the whole array, images first.
    dtype : numpy.dtype
        Dtype of the images.
    read : callable
        Returns the rows from ``start`` to below ``stop`` as an array.
    block : int, default=1
        Number of consecutive rows that the file stores as one piece. Rows taken one by
        one are read a piece at a time, and each piece once.
    names : list of str or None, default=None
        Name of each image, if it has one.
    whole : ndarray or None, default=None
        The array itself, if it is mapped into memory.
    reading : Reading or None, default=None
        How image files are read, if the images are files.
    fills : str, default=""
        Name of an array whose pixels may lack a value, which become background.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[int, int], NDArray]
    block: int = 1
    names: list[str] | None = None
    whole: NDArray | None = None
    reading: Reading | None = None
    fills: str = ""


class StoredImages:
    """Images of a file or a folder, read when rows of them are taken.

    :func:`open_images` returns them. ``images[rows]`` reads the rows of a slice, a list
    of row numbers or a mask and returns an array; ``np.asarray(images)`` reads all of
    them, except that an ``.npy`` file stays on disk as a memmap. A pickle holds the
    path alone, so that other processes open the file themselves. NaN and infinity in an
    array become the background of their image; a warning counts those read first.

    Parameters
    ----------
    open_source : callable
        Opens the file; called once here, and once in each process that unpickles.
    *arguments : Any
        Arguments of ``open_source``.

    Attributes
    ----------
    shape : tuple of int
        Shape of the whole array, images first.
    dtype : numpy.dtype
        Dtype of the images.
    ndim : int
        Number of axes.
    nbytes : int
        Bytes of all images in memory.
    names : list of str or None
        File of each image, relative to its folder, or name of each particle; None if
        the images are an array or a single stack.
    reading : Reading or None
        How the files of a folder are read, to read others in the same way; None if the
        images are an array.
    skipped : DataFrame or None
        Files that ``on_error="skip"`` left out, and why; not pickled.

    Raises
    ------
    IndexError
        If a row is outside the images, or a mask has another length.
    TypeError
        If an index selects something else than rows.

    See Also
    --------
    open_images : Open a file or a folder.
    """

    def __init__(self, open_source: Callable[..., Source], *arguments: Any) -> None:
        self._opening = (open_source, *arguments)
        self._source = open_source(*arguments)
        self.shape = self._source.shape
        self.dtype = self._source.dtype
        self.names = self._source.names
        self.reading = self._source.reading
        self.skipped: pd.DataFrame | None = None
        self._is_told = False

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all images in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray]:
        return (self[row] for row in range(len(self)))

    def __repr__(self) -> str:
        return f"StoredImages(shape={self.shape}, dtype={self.dtype})"

    def __reduce__(self) -> tuple[type[StoredImages], tuple[Any, ...]]:
        return type(self), self._opening_settled()

    def _opening_settled(self) -> tuple[Any, ...]:
        """Return how to open the images again, without settling the reading anew."""
        return tuple(
            self.reading if isinstance(one, Reading) else one for one in self._opening
        )

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray:
        whole = self._source.whole
        if whole is None or (self._source.fills and has_missing(whole)):
            array = self[:]
        else:
            array = whole
        converted = array if dtype is None else array.astype(dtype, copy=False)
        return converted.copy() if copy and converted is array else converted

    def __getitem__(self, key: Any) -> NDArray:
        if isinstance(key, slice):
            rows = np.arange(*key.indices(len(self)))
            return self._fill(self._take_slice(key), rows)
        if isinstance(key, tuple):
            raise TypeError(
                f"images[{key!r}] selects more than rows: take rows first, "
                "images[rows], and index the result."
            )
        rows = _as_rows(key, len(self))
        taken = self._fill(self._take(np.atleast_1d(rows)), np.atleast_1d(rows))
        return taken[0] if rows.ndim == 0 else taken

    def _fill(self, images: NDArray, rows: NDArray[np.intp]) -> NDArray:
        """Return taken rows with background instead of missing pixels; tell it once."""
        if not self._source.fills:
            return images
        filled = fill_images(images, self._source.fills, rows)
        if not self._is_told:
            self._is_told = bool(filled.n_missing.any())
            warn_of_missing(self._source.fills, filled, len(self))
        return filled.images

    def _take_slice(self, key: slice) -> NDArray:
        """Return the rows of a slice; consecutive ones are read at once."""
        start, stop, step = key.indices(len(self))
        if step == 1:
            return self._source.read(start, max(start, stop))
        return self._take(np.arange(start, stop, step))

    def _take(self, rows: NDArray[np.intp]) -> NDArray:
        """Return rows in any order, with repetitions; each piece is read once."""
        taken = np.empty((len(rows), *self.shape[1:]), dtype=self.dtype)
        order = np.argsort(rows, kind="stable")
        pieces = rows[order] // self._source.block
        cuts = np.flatnonzero(np.diff(pieces)) + 1
        for places in np.split(order, cuts) if len(rows) else []:
            start, stop = rows[places[0]], rows[places[-1]] + 1
            taken[places] = self._source.read(start, stop)[rows[places] - start]
        return taken


def _as_rows(key: Any, n_images: int) -> NDArray[np.intp]:
    """Return an index as row numbers from 0 on."""
    rows = np.asarray(key)
    if rows.dtype == bool:
        if rows.shape != (n_images,):
            raise IndexError(
                f"A mask of shape {rows.shape} does not fit {n_images} images: give "
                "one value per image."
            )
        return np.flatnonzero(rows)
    if rows.size == 0:
        return np.zeros(0, dtype=np.intp)
    if rows.ndim > 1 or rows.dtype.kind not in "iu":
        raise TypeError(
            f"images[{key!r}] does not select rows: give a row number, a slice, a list "
            "of row numbers or a mask."
        )
    if rows.min() < -n_images or rows.max() >= n_images:
        raise IndexError(
            f"images[{key!r}] is outside the {n_images} images: give rows from 0 to "
            f"{n_images - 1}."
        )
    return np.where(rows < 0, rows + n_images, rows).astype(np.intp)
