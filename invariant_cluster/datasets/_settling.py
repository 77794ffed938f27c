"""What the files of a folder have in common is settled before they are read."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets._folder_decoding import FileLike, MapFiles, survey
from invariant_cluster.datasets._palette import AUTO, are_numbers
from invariant_cluster.datasets._palette_maps import as_eight_bits
from invariant_cluster.datasets._palette_roles import NoPaletteError, find_palette
from invariant_cluster.datasets._read_square import read_cropped
from invariant_cluster.datasets._reading import Reading
from invariant_cluster.readers import UnreadableError, choose_ground
from invariant_cluster.runtime import at_most

_MOST_FOR_GROUND = 1000
_MOST_FOR_PALETTE = 100


def settle_ground(paths: Sequence[FileLike], reading: Reading) -> Reading:
    """Return a reading that puts transparent pixels of all files on one ground.

    Parameters
    ----------
    paths : sequence of path-like
        Files of the folder; 1,000 of them at most decide, evenly spaced.
    reading : Reading
        How they are to be read.

    Returns
    -------
    Reading
        The reading with "black" or "white" for "auto".
    """
    if reading.transparent != "auto":
        return reading
    some = [paths[row] for row in at_most(np.arange(len(paths)), _MOST_FOR_GROUND)]
    return replace(reading, transparent=choose_ground(some))


def settle_scale(
    paths: Sequence[FileLike], reading: Reading, map_files: MapFiles, known: int = 0
) -> Reading:
    """Return a reading whose frame takes the largest image.

    Parameters
    ----------
    paths, reading, map_files
        As for ``decode``.
    known : int, default=0
        Largest side of further files.

    Returns
    -------
    Reading
        The reading with a scale, if it keeps the scale and has none.
    """
    if not reading.keep_scale or reading.scale is not None:
        return reading
    largest = max(known, survey(paths, reading, map_files).largest)
    return replace(reading, scale=largest / reading.size) if largest else reading


def settle_palette(paths: Sequence[FileLike], reading: Reading) -> Reading:
    """Return a reading with the palette of wafer maps, if the files are such.

    Parameters
    ----------
    paths : sequence of path-like
        Files of the folder; 100 of them at most decide, evenly spaced.
    reading : Reading
        How they are to be read.

    Returns
    -------
    Reading
        The reading with a palette for "auto" and for one of an array's values, or with
        None if none is found.

    Warns
    -----
    UserWarning
        If none is found.
    """
    is_of_arrays = isinstance(reading.palette, tuple) and are_numbers(reading.palette)
    if reading.palette != AUTO and not is_of_arrays:
        return reading
    some = [paths[row] for row in at_most(np.arange(len(paths)), _MOST_FOR_PALETTE)]
    pictures = list(_readable(some, reading))
    try:
        return replace(reading, palette=find_palette(pictures) if pictures else None)
    except NoPaletteError as error:
        warnings.warn(
            f"The images were not recognised as wafer maps and are kept as they are: "
            f"{error}. If they are wafer maps, say what their colours mean with "
            "palette={'white': 'outside', 'green': 'pass', 'red': 'fail'} "
            "(fit --palette white=outside,green=pass,red=fail); if not, leave out "
            "palette (fit --kind wafers).",
            UserWarning,
            stacklevel=3,
        )
        return replace(reading, palette=None)


def _readable(
    paths: Sequence[FileLike], reading: Reading
) -> Iterator[NDArray[np.uint8]]:
    """Yield the pictures of files; those that cannot be read are named later."""
    for path in paths:
        try:
            yield as_eight_bits(read_cropped(path, reading).pixels)
        except UnreadableError:
            continue
