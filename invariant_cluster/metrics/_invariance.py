"""Change of an embedding when its images move."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.validation import check_finite_array, check_same_shape


def invariance_score(z: ArrayLike, z_moved: ArrayLike) -> float:
    """Return the mean centred cosine between images and their moved copies.

    Parameters
    ----------
    z : array-like of shape (n_samples, d)
        Embedding of at least 2 images.
    z_moved : array-like of shape (n_samples, d)
        Embedding of a moved copy of each image, in the same order.

    Returns
    -------
    float
        In [-1, 1]. 1 if and only if each image and its copy have the same direction.

    Raises
    ------
    ValueError
        If the shapes differ, there is one row only, or a value is NaN or infinite.

    See Also
    --------
    invariance_scorer : Score an estimator on turned copies.
    neighbor_agreement_score : Compare nearest neighbours instead of directions.

    Notes
    -----
    The mean row of ``z`` is subtracted from both arrays. Otherwise one large constant
    component would make any embedding look invariant. A row that equals the mean has no
    direction and counts as 0, so a constant embedding scores 0 and not 1.

    Examples
    --------
    >>> from invariant_cluster.metrics import invariance_score
    >>> round(invariance_score([[1, 0], [0, 1]], [[1, 0], [0, 1]]), 2)
    1.0
    >>> round(invariance_score([[1, 0], [0, 1]], [[0, 1], [1, 0]]), 2)
    -1.0
    """
    rows = check_finite_array(z, "z", (None, None)).astype(np.float64)
    moved = check_finite_array(z_moved, "z_moved", (None, None)).astype(np.float64)
    check_same_shape(z=rows, z_moved=moved)
    if len(rows) < 2:
        raise ValueError(
            "z has 1 row, and the mean of the rows is subtracted: give at least 2 "
            "images."
        )
    center = rows.mean(axis=0)
    return float((_directions(rows, center) * _directions(moved, center)).sum(1).mean())


def _directions(rows: NDArray, center: NDArray) -> NDArray:
    """Return rows - center at length 1, (n, d); 0 where only rounding error remains."""
    offset = rows - center
    lengths = np.linalg.norm(offset, axis=1, keepdims=True)
    rounding = np.finfo(np.float32).eps * np.linalg.norm(center)
    return np.divide(offset, lengths, out=offset * 0, where=lengths > rounding)
