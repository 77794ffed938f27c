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
_LEAST_APART = 0.25  # of the different dies; those tested again may differ by rounding


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
        If coordinates are not those of a grid, or some are far from all others.
    """
    places = [_places_of(one) for one in wafers]
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


def _places_of(wafer: WaferDies) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the columns and the rows of the dies of a wafer."""
    columns, rows = _index(wafer.x, wafer, "x"), _index(wafer.y, wafer, "y")
    n_dies = len(np.unique(wafer.x + 1j * wafer.y))
    if len(np.unique(columns + 1j * rows)) < _LEAST_APART * n_dies:
        raise ValueError(
            f"some coordinates of wafer {wafer.name!r} are so far from the others that "
            "these fall together: leave out dies that are none, such as those at 9999."
        )
    return columns, rows


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
