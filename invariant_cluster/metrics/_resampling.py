"""Stability of clusters under resampling."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from invariant_cluster.images import take_rows
from invariant_cluster.inspection import with_seed
from invariant_cluster.metrics._clusters import adjusted_label_stability_score

_MIN_ROWS = 4


def resampling_stability_score(
    clusterer: Any,
    X: ArrayLike,
    *,
    n_repeats: int = 1,
    random_state: int | np.random.RandomState | None = 0,
) -> float:
    """Return how far the clusters of two halves of the rows agree on all rows.

    Parameters
    ----------
    clusterer : estimator with ``fit`` and ``predict``
        Clusterer to score. Clones with other random states are fitted; the clusterer
        itself does not change.
    X : ImageEmbedding or array-like of shape (n_samples, d)
        Rows to cluster, at least 4. An ImageEmbedding passes its images to the
        clusterer, which may then fine-tune the encoder.
    n_repeats : int, default=1
        Number of random splits over which the score is averaged.
    random_state : int, RandomState instance or None, default=0
        Seed of the splits and of the clusterers.

    Returns
    -------
    float
        At most 1. The chance level is 0, whatever the number and sizes of clusters. A
        split in which either prediction has a single cluster scores 0.

    Raises
    ------
    ValueError
        If there are fewer than 4 rows, or ``n_repeats`` is below 1.
    TypeError
        If the clusterer has no ``predict``.

    See Also
    --------
    resampling_stability_scorer : The same score for ``scoring=``.
    adjusted_label_stability_score : Compare two labellings of the same rows.

    Notes
    -----
    The rows are split in two halves at random and a clone of the clusterer is fitted on
    each. Both clones then predict all rows, so that each row is new to one of them. The
    score is the adjusted Rand index of the two predictions, where the reference uses a
    distance of its own.

    Stable clusters need not be right. Two or three coarse clusters are often the most
    stable, even where finer ones are real, and an elongated cloud splits in the same
    way every time.

    References
    ----------
    T. Lange et al., "Stability-based validation of clustering solutions", Neural
    Computation 16, 2004.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from invariant_cluster.metrics import resampling_stability_score
    >>> z, _ = make_blobs(200, n_features=8, centers=4, random_state=0)
    >>> resampling_stability_score(KMeans(4, n_init=3), z)
    1.0
    >>> resampling_stability_score(KMeans(7, n_init=3), z) < 0.8
    True
    """
    _check(clusterer, X, n_repeats)
    random = check_random_state(random_state)
    found = [_split_and_compare(clusterer, X, random) for _ in range(n_repeats)]
    return float(np.mean(found))


def _check(clusterer: Any, X: Any, n_repeats: int) -> None:
    """Raise unless the clusterer predicts and there are enough rows and repeats."""
    if not hasattr(clusterer, "predict"):
        raise TypeError(
            f"clusterer={type(clusterer).__name__} has no predict, which labels rows "
            "outside of the training half: give SCANClusterer, KMeans or another "
            "clusterer with predict."
        )
    if n_repeats < 1:
        raise ValueError(f"n_repeats={n_repeats!r} must be at least 1: use 1.")
    if len(X) < _MIN_ROWS:
        raise ValueError(
            f"X has {len(X)} row(s): two halves need at least {_MIN_ROWS}, give more."
        )


def _split_and_compare(clusterer: Any, X: Any, random: np.random.RandomState) -> float:
    """Fit a clone on each half of a random split; return the agreement on all rows."""
    order = random.permutation(len(X))
    labels = []
    for half in np.array_split(order, 2):
        model = with_seed(clusterer, random.randint(2**31 - 1))
        labels.append(np.asarray(model.fit(take_rows(X, half)).predict(X)))
    return adjusted_label_stability_score(*labels)
