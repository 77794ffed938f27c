"""Distances to boxes: ranges of the statistics of an image and of its copies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def squared_distances(
    rows: NDArray, low: NDArray, high: NDArray, groups: NDArray
) -> dict[str, NDArray[np.float32]]:
    """Return squared distances of rows to boxes, apart for groups of columns.

    Parameters
    ----------
    rows : ndarray of shape (n, k)
        Points.
    low, high : ndarray of shape (m, k)
        Corners of boxes.
    groups : ndarray of shape (k,), str
        Group of each column.

    Returns
    -------
    dict of ndarray of shape (n, m), float32
        By group, in the order of their first columns: sums over its columns of the
        squared distance to the nearest point of the box, 0 inside.
    """
    found: dict[str, NDArray[np.float32]] = {}
    rows, low, high = (part.astype(np.float32) for part in (rows, low, high))
    for j, group in enumerate(groups.tolist()):
        column = rows[:, j, None]
        outside = np.clip(column, low[:, j], high[:, j])
        outside -= column
        outside *= outside
        found[group] = found[group] + outside if group in found else outside
    return found


def nth_smallest(distances: NDArray, n: int) -> NDArray:
    """Return the n-th smallest entry of each row, counted from 1."""
    column: NDArray = np.partition(distances, n - 1, axis=1)[:, n - 1]
    return column
