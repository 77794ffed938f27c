"""Clusters and probabilities predicted by a fitted clusterer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Prediction(NamedTuple):
    """Predicted clusters of rows.

    Attributes
    ----------
    labels : ndarray of shape (n,), int
        Cluster of each row.
    probabilities : ndarray of shape (n, n_clusters) or None
        Probability of each cluster; None if the clusterer has no ``predict_proba``.
    """

    labels: NDArray[np.intp]
    probabilities: NDArray | None

    @property
    def confidence(self) -> NDArray | None:
        """Probability of each row's cluster, shape (n,); None without probabilities."""
        return None if self.probabilities is None else self.probabilities.max(axis=1)


def predict_clusters(clusterer: Any, X: ArrayLike) -> Prediction:
    """Return the clusters of rows, with probabilities if the clusterer has them.

    Parameters
    ----------
    clusterer : fitted clusterer, or Pipeline that ends in one
        Clusterer to query. ``predict_proba`` is preferred to ``predict``. A clusterer
        with neither, such as DBSCAN, gives the ``labels_`` of its training rows.
    X : array-like of n rows
        Rows to label, as the clusterer takes them.

    Returns
    -------
    Prediction
        Labels, and probabilities or None.

    Raises
    ------
    ValueError
        If the clusterer has only ``labels_`` and X has another number of rows than the
        training data.

    Notes
    -----
    With probabilities the label is the index of the highest one.
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
            f"the {len(labels)} training images: give those images, or use a clusterer "
            "with predict."
        )
    return Prediction(labels, None)
