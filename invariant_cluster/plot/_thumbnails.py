"""Selection of the points of a map that get a thumbnail."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def choose_apart(
    places: NDArray, side: float, most: int, *, seed: int = 0
) -> NDArray[np.intp]:
    """Return indices of points whose surrounding squares do not overlap.

    Parameters
    ----------
    places : ndarray of shape (n, 2)
        Position of each point.
    side : float
        Side of the square centred on each point, in the units of ``places``.
    most : int
        Largest number of points.
    seed : int, default=0
        Seed of the order in which points are tried.

    Returns
    -------
    ndarray of shape (k,), int
        Indices of at most ``most`` points, in the order tried.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.plot._thumbnails import choose_apart
    >>> len(choose_apart(np.array([[0, 0], [1, 0], [9, 0]]), side=2.0, most=3))
    2
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
