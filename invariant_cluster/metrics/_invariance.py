"""How little an embedding changes when its images move."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.validation import check_finite_array, check_same_shape


def invariance_score(z: ArrayLike, z_moved: ArrayLike) -> float:
    """Return the mean cosine between images and their moved copies, after centring.

    The mean of ``z`` is subtracted from both: otherwise an embedding with one large
    constant component looks invariant whatever it does. A row that equals the mean
    counts as 0, so an embedding that is constant scores 0, not 1.

    Parameters
    ----------
    z, z_moved : array-like of shape (n_samples, d), n_samples >= 2
        Embeddings of the images and of a moved copy of each, row by row.

    Returns
    -------
    float
        In [-1, 1]; 1 iff each image and its copy point the same way.

    Raises
    ------
    ValueError
        Other shapes, shapes that differ, one row only, NaN or infinity.
    """
    rows = check_finite_array(z, "z", (None, None)).astype(np.float64)
    moved = check_finite_array(z_moved, "z_moved", (None, None)).astype(np.float64)
    check_same_shape(z=rows, z_moved=moved)
    if len(rows) < 2:
        raise ValueError(
            "z has 1 row, which is its own mean: give at least 2 images, since the "
            "mean over the images is subtracted."
        )
    center = rows.mean(axis=0)
    return float((_directions(rows, center) * _directions(moved, center)).sum(1).mean())


def _directions(rows: NDArray, center: NDArray) -> NDArray:
    """Return rows - center at length 1, (n, d); 0 where only rounding is left."""
    offset = rows - center
    lengths = np.linalg.norm(offset, axis=1, keepdims=True)
    rounding = np.finfo(np.float32).eps * np.linalg.norm(center)
    return np.divide(offset, lengths, out=offset * 0, where=lengths > rounding)
