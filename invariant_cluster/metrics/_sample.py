"""The rows on which scores of clusters are computed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.validation import (
    check_finite_array,
    check_labels,
    check_same_length,
)

_MAX_ROWS = 5000  # Time grows with pairs of rows, or with rows times clusters.


def sample_clusters(embedding: ArrayLike, labels: ArrayLike) -> tuple[NDArray, NDArray]:
    """Return rows and their clusters, checked, at most 5,000 of them.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, d)
        Rows that were clustered.
    labels : array-like of shape (n_samples,)
        Cluster of each row.

    Returns
    -------
    rows : ndarray of shape (n, d)
        All rows, or 5,000 drawn at random, the same in every call.
    names : ndarray of shape (n,)
        Their clusters.

    Raises
    ------
    ValueError
        If an array has the wrong shape or holds NaN or infinity, or the lengths differ.
    """
    rows = check_finite_array(embedding, "embedding", (None, None))
    names = check_labels(labels, "labels")
    check_same_length(embedding=rows, labels=names)
    if len(rows) > _MAX_ROWS:
        chosen = np.random.default_rng(0).choice(len(rows), _MAX_ROWS, replace=False)
        rows, names = rows[chosen], names[chosen]
    return rows, names
