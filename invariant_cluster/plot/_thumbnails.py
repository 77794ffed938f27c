"""Which points of a map get a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def choose_apart(
    places: NDArray, side: float, most: int, *, seed: int = 0
) -> NDArray[np.intp]:
    """Return indices of points whose squares of a side do not overlap, at most so many.

    Points are tried in random order, the same in every call.

    Parameters
    ----------
    places : ndarray of shape (n, 2)
    side : float
        Of the squares about the points.
    most : int

    Returns
    -------
    ndarray of shape (k,), k <= most
    """
    free = np.ones(len(places), dtype=bool)
    chosen: list[int] = []
    for index in np.random.default_rng(seed).permutation(len(places)):
        if len(chosen) == most:
            break
        if free[index]:
            chosen.append(index)
            free &= np.abs(places - places[index]).max(axis=1) >= side
    return np.array(chosen, dtype=np.intp)
