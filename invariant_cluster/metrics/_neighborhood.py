"""What an embedding's nearest neighbours say about it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.neighbors import mine_neighbors
from invariant_cluster.validation import (
    check_finite_array,
    check_labels,
    check_same_length,
)


def neighbor_purity_score(
    embedding: ArrayLike, labels: ArrayLike, *, n_neighbors: int = 20
) -> float:
    """Return the share of nearest neighbours that are of the same class.

    SCAN learns from these neighbours (Van Gansbeke et al., ECCV 2020), so this is
    about the accuracy that it can reach. Cosine, after subtracting the mean row.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, d)
    labels : array-like of shape (n_samples,)
    n_neighbors : int
        From 1 to n_samples - 1.

    Returns
    -------
    float
        In [0, 1]; about the sum of the squared class shares by chance.

    Raises
    ------
    ValueError
        Wrong shapes, unequal lengths, NaN, or ``n_neighbors`` out of range.
    """
    rows = check_finite_array(embedding, "embedding", (None, None))
    names = check_labels(labels, "labels")
    check_same_length(embedding=rows, labels=names)
    neighbors = mine_neighbors(rows, n_neighbors)
    return float((names[neighbors] == names[:, None]).mean())


def neighbor_agreement_score(
    z: ArrayLike, z_moved: ArrayLike, *, n_neighbors: int = 20
) -> float:
    """Return how far two embeddings of the same images agree on nearest neighbours.

    ``mean_i |N(i) & N'(i)| / n_neighbors``, with N and N' mined in z and in z_moved.
    Only ranks enter, so it compares across the width and scale of embeddings, which
    also may differ between the two. Equal cosines agree by chance only, so that an
    embedding that is constant, or varies in one direction, does not score 1.

    Parameters
    ----------
    z, z_moved : array-like of shape (n_samples, d) and (n_samples, d')
        Embeddings of the images and of a moved copy of each.
    n_neighbors : int
        From 1 to n_samples - 1.

    Returns
    -------
    float
        In [0, 1]; n_neighbors / (n_samples - 1) by chance.

    Raises
    ------
    ValueError
        Wrong shapes, unequal lengths, NaN, or ``n_neighbors`` out of range.
    """
    rows = check_finite_array(z, "z", (None, None))
    moved = check_finite_array(z_moved, "z_moved", (None, None))
    check_same_length(z=rows, z_moved=moved)
    return _overlap(
        mine_neighbors(rows, n_neighbors), _mine_shuffled(moved, n_neighbors)
    )


def _mine_shuffled(rows: NDArray, n_neighbors: int) -> NDArray:
    """Return the neighbours (n, k) as mined with the rows in another order.

    Ties are resolved by the order of rows; in one order, tied neighbours would agree.
    """
    order = np.random.default_rng(0).permutation(len(rows))
    neighbors = np.empty((len(rows), n_neighbors), dtype=np.int64)
    neighbors[order] = order[mine_neighbors(rows[order], n_neighbors)]
    return neighbors


def _overlap(first: NDArray, second: NDArray) -> float:
    """Return the mean share of indices common to the rows of two (n, k) arrays."""
    # No index repeats within a row, so a repeat in the joined row is a common one.
    joined = np.sort(np.hstack([first, second]), axis=1)
    return float((joined[:, 1:] == joined[:, :-1]).sum() / first.size)
