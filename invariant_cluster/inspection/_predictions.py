"""Clusters and confidences, as a fitted clusterer gives them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Prediction(NamedTuple):
    """Clusters of some rows.

    Attributes
    ----------
    labels : ndarray of shape (n,), int
    probabilities : ndarray of shape (n, n_clusters) or None
        None when the clusterer has no ``predict_proba``.
    """

    labels: NDArray[np.intp]
    probabilities: NDArray | None

    @property
    def confidence(self) -> NDArray | None:
        """Probability of each row's cluster, shape (n,), or None."""
        return None if self.probabilities is None else self.probabilities.max(axis=1)


def predict_clusters(clusterer: Any, X: ArrayLike) -> Prediction:
    """Return the clusters of rows, with probabilities where the clusterer has them.

    Parameters
    ----------
    clusterer : fitted clusterer, or Pipeline that ends in one
        A clusterer without ``predict`` gives its ``labels_``, which are those of the
        rows that it was fitted on.
    X : array-like of n rows

    Returns
    -------
    Prediction

    Raises
    ------
    ValueError
        When the clusterer has only ``labels_`` and X has another number of rows.
    """
    if hasattr(clusterer, "predict_proba"):
        probabilities = np.asarray(clusterer.predict_proba(X))
        return Prediction(probabilities.argmax(axis=1), probabilities)
    if hasattr(clusterer, "predict"):
        return Prediction(np.asarray(clusterer.predict(X)), None)
    labels, n = np.asarray(clusterer.labels_), len(np.asarray(X))
    if len(labels) != n:
        raise ValueError(
            f"X has {n} images but {clusterer!r} has no predict, only the labels_ of "
            f"the {len(labels)} images that it was fitted on: give those images, or a "
            "clusterer with predict."
        )
    return Prediction(labels, None)
