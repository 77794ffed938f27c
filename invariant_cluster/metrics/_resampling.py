"""Whether clusters come back when other rows are clustered."""

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
    """Return how far clusters of two halves of the rows agree on all rows.

    The rows are split at random, a clone of the clusterer is fitted on each half, and
    both predict all rows: each row is new to one of the two. The adjusted Rand index
    of the two predictions is 0 by chance whatever the number and sizes of clusters.
    As in Lange et al., "Stability-Based Validation of Clustering Solutions", Neural
    Computation 2004, with that index for their distance.

    What is stable need not be right: two or three coarse clusters are often the most
    stable of all, also where finer ones are real, and any longish cloud splits in two
    in the same way.

    Parameters
    ----------
    clusterer : estimator with ``fit`` and ``predict``
        Not changed. Its ``random_state`` is replaced.
    X : ImageEmbedding or array-like of shape (n_samples, d)
        An ImageEmbedding hands its images to the clusterer, which may then fine-tune.
    n_repeats : int, default=1
        Splits over which the mean is taken.
    random_state : int, RandomState instance or None, default=0
        Of the splits and of the clusterers.

    Returns
    -------
    float
        At most 1; 0 by chance, and where either half is one cluster.

    Raises
    ------
    ValueError
        Fewer than 4 rows, or ``n_repeats`` below 1.
    TypeError
        When the clusterer has no ``predict``.
    """
    _check(clusterer, X, n_repeats)
    random = check_random_state(random_state)
    found = [_split_and_compare(clusterer, X, random) for _ in range(n_repeats)]
    return float(np.mean(found))


def _check(clusterer: Any, X: Any, n_repeats: int) -> None:
    if not hasattr(clusterer, "predict"):
        raise TypeError(
            f"{type(clusterer).__name__} has no predict, which labels the rows that it "
            "was not fitted on: give SCANClusterer, KMeans or another with predict."
        )
    if n_repeats < 1:
        raise ValueError(f"n_repeats={n_repeats!r} must be at least 1.")
    if len(X) < _MIN_ROWS:
        raise ValueError(
            f"X has {len(X)} row(s): two halves need at least {_MIN_ROWS}."
        )


def _split_and_compare(clusterer: Any, X: Any, random: np.random.RandomState) -> float:
    order = random.permutation(len(X))
    labels = []
    for half in np.array_split(order, 2):
        model = with_seed(clusterer, random.randint(2**31 - 1))
        labels.append(np.asarray(model.fit(take_rows(X, half)).predict(X)))
    return adjusted_label_stability_score(*labels)
