"""What the files of a folder have in common is settled before they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from invariant_cluster.datasets._folder_decoding import MapFiles, survey
from invariant_cluster.datasets._reading import Reading
from invariant_cluster.readers import choose_ground
from invariant_cluster.runtime import at_most

_MOST_FOR_GROUND = 1000


def settle_ground(paths: Sequence[str], reading: Reading) -> Reading:
    """Return a reading that puts transparent pixels of all files on one ground.

    Parameters
    ----------
    paths : sequence of str
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
    paths: Sequence[str], reading: Reading, map_files: MapFiles, known: int = 0
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
