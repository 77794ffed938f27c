"""Wafer maps of arrays, tables and lists, opened as maps of failing dies."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from invariant_cluster.datasets._die_files import holds_dies
from invariant_cluster.datasets._die_table import load_dies
from invariant_cluster.datasets._fail_maps import (
    fails_of,
    make_fail_maps,
    settle_values,
    some_of,
    warn_of_values,
)
from invariant_cluster.datasets._map_lists import read_map_list
from invariant_cluster.datasets._palette import AUTO, Palette
from invariant_cluster.datasets._palette_roles import NoPaletteError
from invariant_cluster.datasets._reading import Reading
from invariant_cluster.datasets._stored_images import StoredImages


class WaferMaps(StoredImages):
    """Wafer maps that become maps of failing dies when rows of them are taken.

    :func:`open_wafers` and :func:`as_fail_maps` return them.

    Parameters
    ----------
    images : array-like of shape (n, h, w) or (n, h, w, 3)
        The maps.
    reading : Reading
        How they are read; ``palette`` holds the meaning of their values.
    names : list of str, optional
        Name of each wafer. Maps with names are those of failing dies already.

    Attributes
    ----------
    shape : tuple of int
        (n, h, w).
    dtype : numpy.dtype
        uint8.
    names : list of str or None
        Name of each wafer.
    reading : Reading
        How they are read, to read others in the same way.
    """

    def __init__(
        self, images: Any, reading: Reading, names: Sequence[str] | None = None
    ) -> None:
        self._opened = (images, reading, names)
        self.shape = tuple(images.shape[:3])
        self.dtype = np.dtype(np.uint8)
        self.names = None if names is None else list(names)
        self.reading = reading
        self.skipped = None

    def __reduce__(self) -> tuple[type[WaferMaps], tuple[Any, ...]]:
        return type(self), self._opened

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def __getitem__(self, key: Any) -> NDArray:
        images, reading, names = self._opened
        taken = np.asarray(images[key])
        palette = reading.palette
        if names is not None or not isinstance(palette, tuple):
            return taken
        return fails_of(taken, palette)


def as_fail_maps(images: Any, reading: Reading, *, exact: bool = False) -> Any:
    """Return an array of wafer maps as maps of failing dies.

    Parameters
    ----------
    images : StoredImages or ndarray of shape (n, h, w) or (n, h, w, 3)
        The maps, as :func:`make_fail_maps` takes them.
    reading : Reading
        Its ``palette`` is "auto", or says what the values mean.
    exact : bool, default=False
        Whether a palette of numbers is meant for this very array. Otherwise it may be
        that of other maps, and is found anew if these have other values.

    Returns
    -------
    WaferMaps
        The maps, whose ``reading`` holds the palette that was found; ``images``
        themselves if none is found.

    Warns
    -----
    UserWarning
        If the images are not recognised as wafer maps.

    See Also
    --------
    make_fail_maps : Convert arrays in memory, or refuse them.

    Examples
    --------
    >>> from invariant_cluster.datasets import Reading, as_fail_maps, load_wafer_maps
    >>> as_fail_maps(load_wafer_maps().images, Reading(palette="auto"))
    StoredImages(shape=(1799, 32, 32), dtype=uint8)
    """
    if reading.palette is None:
        return images
    try:
        palette = settle_values(images, reading.palette, exact=exact)
    except NoPaletteError as error:
        warnings.warn(
            "The array was not recognised as wafer maps and is kept as it is: "
            f"{error}. If it holds wafer maps, say what their values mean with "
            "palette={0: 'outside', 1: 'pass', 2: 'fail'} (fit --palette "
            "0=outside,1=pass,2=fail).",
            UserWarning,
            stacklevel=2,
        )
        return images
    warn_of_values(some_of(images), palette)
    return WaferMaps(images, replace(reading, palette=palette))


def open_wafers(
    path: str | os.PathLike[str], reading: Reading, *, exact: bool = False
) -> WaferMaps | None:
    """Open a table of dies, KLARF, or a list of wafer maps of different sizes.

    Parameters
    ----------
    path : path-like
        A path for :func:`load_die_table` or :func:`load_klarf`; or a file .npz, .pkl or
        .pickle that holds an array (h, w) for each wafer.
    reading : Reading
        ``size`` is the side of the maps, ``palette`` the meaning of the values of
        lists ("auto" for None), and ``pass_bins`` is that of tables.
    exact : bool, default=False
        As for :func:`as_fail_maps`.

    Returns
    -------
    WaferMaps or None
        The failing dies of each wafer, with their names; None if the path holds
        something else.

    Raises
    ------
    ValueError
        If the file is of such a kind and cannot be read.

    See Also
    --------
    load_die_table : Read a table, with the passing dies.
    make_fail_maps : Convert a list in memory.
    """
    place = Path(path)
    if holds_dies(place):
        bunch = load_dies(place, reading.size, reading.pass_bins)
        # Later files may be of another kind: their palette is not that of this one.
        kept = replace(reading, palette="auto")
        return WaferMaps(bunch.images, kept, bunch.wafers.tolist())
    if place.suffix.lower() not in (".npz", ".pkl", ".pickle"):
        return None
    maps = read_map_list(place)
    if maps is None:
        return None
    arrays = list(maps.values())
    wanted = _settle_list(place, arrays, reading, exact)
    fails, palette = make_fail_maps(arrays, palette=wanted, size=reading.size)
    return WaferMaps(fails, replace(reading, palette=palette), list(maps))


def _settle_list(
    path: Path, arrays: list[NDArray], reading: Reading, exact: bool
) -> Palette:
    """Return the palette of the maps of a file, or raise an error that names it."""
    try:
        return settle_values(arrays, reading.palette or AUTO, exact=exact)
    except NoPaletteError as error:
        raise ValueError(
            f"{path} holds {len(arrays):,} arrays (h, w), which were not recognised as "
            f"wafer maps: {error}. If they are, say what their values mean with "
            "palette={0: 'outside', 1: 'pass', 2: 'fail'} (fit --palette "
            "0=outside,1=pass,2=fail); if one of them holds images as rows, give its "
            "name as dataset= (--key)."
        ) from error
