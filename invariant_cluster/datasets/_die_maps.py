"""Dies of a wafer by their coordinates put on a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets._resizing import resize_nearest
from invariant_cluster.datasets._wafers import FAILING

PASSING = 1
_LEAST_EXTENT = 0.9  # of the largest grid: of the same kind of wafer
_MOST_SIDE = 2000
_LEAST_ORDER = 0.5  # 1 on a grid, 0 at random


class WaferDies(NamedTuple):
    """The tested dies of a wafer.

    Attributes
    ----------
    name : str
        Name of the wafer.
    x, y : ndarray of shape (n,), float
        Coordinates of the dies in any unit, y up.
    fails : ndarray of bool of shape (n,)
        Whether each die fails. Of dies that are there twice the last one counts.
    """

    name: str
    x: NDArray
    y: NDArray
    fails: NDArray[np.bool_]


def draw_wafers(
    wafers: Sequence[WaferDies], size: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return wafer maps of one size.

    Parameters
    ----------
    wafers : sequence of WaferDies
        The wafers.
    size : int
        Side of the maps in pixels.

    Returns
    -------
    images : ndarray of shape (n, size, size), uint8
        0 without a die, 1 for one that passes, 2 for one that fails; y is up. Wafers
        whose grids agree within a tenth have one frame, so that a missing row of dies
        does not move a wafer.
    grids : ndarray of shape (n, 2), int
        Rows and columns of dies of each frame.

    Raises
    ------
    ValueError
        If coordinates are not those of a grid.
    """
    places = [(_index(one.x, one, "x"), _index(one.y, one, "y")) for one in wafers]
    bounds = np.array([[_ends(columns), _ends(rows)] for columns, rows in places])
    frame = np.stack([bounds[..., 0].min(axis=0), bounds[..., 1].max(axis=0)], axis=-1)
    images = np.empty((len(wafers), size, size), np.uint8)
    grids = np.empty((len(wafers), 2), np.int64)
    for row, (wafer, (columns, rows)) in enumerate(zip(wafers, places, strict=True)):
        own = bounds[row]
        alike = _sides(own) >= _LEAST_EXTENT * _sides(frame)
        (left, _), (bottom, _) = used = frame if alike.all() else own
        grids[row] = _sides(used)[::-1]
        drawn = np.zeros(grids[row], np.uint8)
        values = np.where(wafer.fails, FAILING, PASSING)
        drawn[rows - bottom, columns - left] = values
        images[row] = resize_nearest(drawn[::-1], size)
    return images, grids


def _index(values: NDArray, wafer: WaferDies, axis: str) -> NDArray[np.int64]:
    """Return coordinates in steps of the die."""
    steps = values / _pitch(values)
    turn = np.exp(2j * np.pi * steps).mean()
    offset = np.angle(turn) / (2 * np.pi)  # of all steps from whole numbers
    places = np.rint(steps - offset).astype(np.int64)
    if np.ptp(places) >= _MOST_SIDE or abs(turn) < _LEAST_ORDER:
        raise ValueError(
            f"the coordinates {axis} of wafer {wafer.name!r} are on no grid of dies: "
            "give the index of each die."
        )
    return places


def _pitch(values: NDArray) -> float:
    """Return the distance of neighbouring columns."""
    gaps = np.diff(np.unique(values))
    if len(gaps) == 0:
        return 1.0
    if (gaps == np.rint(gaps)).all():  # indices, or lengths in whole units
        common = float(np.gcd.reduce(gaps.astype(np.int64)))
        if gaps.sum() < _MOST_SIDE * common:
            return common
    # Coordinates of one column may differ by rounding.
    return float(np.median(gaps[gaps > gaps.max() / 10]))


def _ends(places: NDArray) -> tuple[int, int]:
    """Return the first and the last place."""
    return int(places.min()), int(places.max())


def _sides(bounds: NDArray) -> NDArray:
    """Return the numbers of columns and rows between bounds (2, 2)."""
    return bounds[:, 1] - bounds[:, 0] + 1
