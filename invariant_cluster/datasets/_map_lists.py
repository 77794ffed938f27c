"""Wafer maps of different sizes, one array for each, in one file."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets._pickle_records import read_records
from invariant_cluster.datasets._pickled_cells import decode_array
from invariant_cluster.datasets._pickled_frame import LOAD_ERRORS

Maps = dict[str, NDArray]
_IMAGES = "images"  # array of all images, beside others such as labels


def read_map_list(path: Path) -> Maps | None:
    """Return the wafer maps of a file that holds an array for each.

    Parameters
    ----------
    path : Path
        An archive .npz of at least two arrays (h, w), none of which is called "images",
        or a pickled list, tuple, dict or array of such arrays. Nothing in a pickle is
        executed.

    Returns
    -------
    dict of str to ndarray of shape (h, w), or None
        The maps by their names or numbers; None if the file holds something else.
    """
    if path.suffix.lower() == ".npz":
        return _maps_of_archive(path)
    try:
        held = read_records(path)
        if hasattr(held, "args"):
            held = decode_array(held)
        pairs = held.items() if isinstance(held, dict) else enumerate(held)
        return _checked({str(name): decode_array(one) for name, one in pairs})
    except LOAD_ERRORS:
        return None


def _maps_of_archive(path: Path) -> Maps | None:
    """Return the maps of an archive, if it holds several and nothing else."""
    if not zipfile.is_zipfile(path):
        return None
    with np.load(path, allow_pickle=False) as archive:
        if len(archive.files) < 2 or _IMAGES in archive.files:
            return None
        try:
            return _checked({name: archive[name] for name in archive.files})
        except ValueError:  # arrays of objects
            return None


def _checked(maps: dict[str, Any]) -> Maps | None:
    """Return arrays if all are maps."""
    are_maps = all(one.ndim == 2 and one.dtype.kind in "biu" for one in maps.values())
    return maps if maps and are_maps else None
