"""Blank images: all pixels of a channel are equal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.runtime import at_most

_MOST_BYTES = 2**30  # of images looked at
_CHUNK_BYTES = 2**24


class Blank(NamedTuple):
    """Which images are blank.

    Attributes
    ----------
    rows : ndarray of shape (n_blank,)
        Their indices, ascending.
    n_seen : int
        Number of images looked at.
    """

    rows: NDArray[np.intp]
    n_seen: int


def find_blank(images: NDArray) -> Blank:
    """Return which images have nothing but equal pixels, channel by channel.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype. A memmap is read a chunk at a time.

    Returns
    -------
    Blank
        Their indices.

    Notes
    -----
    Of more than 1 GiB of images, evenly spaced ones are looked at. The middle row of
    pixels tells most images; the others are looked at completely.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.images import find_blank
    >>> images = np.zeros((3, 1, 8, 8))
    >>> images[1, 0, 2, 2] = 1
    >>> find_blank(images).rows
    array([0, 2])
    """
    n_bytes = max(1, images[0].nbytes)
    seen = at_most(images, max(1, _MOST_BYTES // n_bytes))
    step = max(1, _CHUNK_BYTES // n_bytes)
    found = [
        start + _blank_rows(seen[start : start + step])
        for start in range(0, len(seen), step)
    ]
    spacing = -(-len(images) // len(seen))
    return Blank(np.concatenate(found) * spacing, len(seen))


def _blank_rows(images: NDArray) -> NDArray[np.intp]:
    """Return the indices of blank images."""
    middle = images[:, :, images.shape[2] // 2]
    rows = np.flatnonzero((middle == middle[..., :1]).all(axis=(1, 2)))
    candidates = images[rows]
    blank = (candidates == candidates[..., :1, :1]).all(axis=(1, 2, 3))
    return rows[blank]
