"""Scores of an embedding by its nearest neighbours."""

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
    """Return the share of nearest neighbours that have the same class.

    Parameters
    ----------
    embedding : array-like of shape (n_samples, d)
        Semantic representation of the images.
    labels : array-like of shape (n_samples,)
        Class of each row.
    n_neighbors : int, default=20
        Number of neighbours of each row, from 1 to n_samples - 1.

    Returns
    -------
    float
        In [0, 1]. The chance level is about the sum of the squared class shares.

    Raises
    ------
    ValueError
        If an array has the wrong shape or holds NaN, the lengths differ, or
        ``n_neighbors`` is out of range.

    See Also
    --------
    label_agreement_score : The same share for clusters, corrected for chance.
    neighbor_agreement_score : Compare the neighbours of two embeddings.

    Notes
    -----
    Neighbours are found by cosine after the mean row is subtracted. SCAN learns from
    these neighbours, so the score is about the accuracy that SCAN can reach.

    References
    ----------
    W. Van Gansbeke et al., "SCAN: Learning to classify images without labels", ECCV
    2020.

    Examples
    --------
    >>> from invariant_cluster.metrics import neighbor_purity_score
    >>> z = [[0, 0], [0, 1], [9, 9], [9, 8]]
    >>> neighbor_purity_score(z, ["a", "a", "b", "b"], n_neighbors=1)
    1.0
    """
    rows = check_finite_array(embedding, "embedding", (None, None))
    names = check_labels(labels, "labels")
    check_same_length(embedding=rows, labels=names)
    neighbors = mine_neighbors(rows, n_neighbors)
    return float((names[neighbors] == names[:, None]).mean())


def neighbor_agreement_score(
    z: ArrayLike, z_moved: ArrayLike, *, n_neighbors: int = 20
) -> float:
    """Return the share of nearest neighbours that two embeddings have in common.

    Parameters
    ----------
    z : array-like of shape (n_samples, d)
        Embedding of the images.
    z_moved : array-like of shape (n_samples, d')
        Embedding of a moved copy of each image, in the same order. The widths may
        differ.
    n_neighbors : int, default=20
        Number of neighbours of each row, from 1 to n_samples - 1.

    Returns
    -------
    float
        In [0, 1]. The chance level is ``n_neighbors / (n_samples - 1)``.

    Raises
    ------
    ValueError
        If an array has the wrong shape or holds NaN, the lengths differ, or
        ``n_neighbors`` is out of range.

    See Also
    --------
    neighbor_agreement_scorer : Score an estimator on turned copies.
    invariance_score : Compare directions instead of neighbours.

    Notes
    -----
    The score is ``mean_i |N(i) & N'(i)| / n_neighbors``, where N and N' are the
    neighbours in ``z`` and in ``z_moved``. Only ranks enter, so scores of embeddings of
    different width and scale are comparable.

    Neighbours at equal cosine agree only by chance: an embedding that is constant, or
    varies in one direction only, does not score 1.

    Examples
    --------
    >>> from invariant_cluster.metrics import neighbor_agreement_score
    >>> z = [[0, 0], [0, 1], [9, 9], [9, 8]]
    >>> scaled = [[0, 0], [0, 5], [45, 45], [45, 40]]
    >>> neighbor_agreement_score(z, scaled, n_neighbors=1)
    1.0
    """
    rows = check_finite_array(z, "z", (None, None))
    moved = check_finite_array(z_moved, "z_moved", (None, None))
    check_same_length(z=rows, z_moved=moved)
    return _overlap(
        mine_neighbors(rows, n_neighbors), _mine_shuffled(moved, n_neighbors)
    )


def _mine_shuffled(rows: NDArray, n_neighbors: int) -> NDArray:
    """Return the neighbours (n, k), mined with the rows in random order.

    Ties are resolved by the order of the rows, so tied neighbours would always agree if
    both embeddings were mined in the same order.
    """
    order = np.random.default_rng(0).permutation(len(rows))
    neighbors = np.empty((len(rows), n_neighbors), dtype=np.int64)
    neighbors[order] = order[mine_neighbors(rows[order], n_neighbors)]
    return neighbors


def _overlap(first: NDArray, second: NDArray) -> float:
    """Return the mean share of common indices in the rows of two (n, k) arrays."""
    # No index repeats within a row: a repeat in the joined row is a common index.
    joined = np.sort(np.hstack([first, second]), axis=1)
    return float((joined[:, 1:] == joined[:, :-1]).sum() / first.size)
