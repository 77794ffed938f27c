"""Scorers, callables (estimator, X, y=None), for ``scoring=`` in model selection.

``accuracy_scorer`` needs classes; the others need none. Higher is better for all.

``invariance_scorer``, ``neighbor_agreement_scorer``, ``label_stability_scorer`` and
``adjusted_label_stability_scorer`` compare what the estimator says of the images and of
a copy in which each is turned by an angle of its own. ``resampling_stability_scorer``,
``label_agreement_scorer`` and ``silhouette_scorer`` judge clusters of z, turned or not.
All compare across any parameter of the embedder, its width d included; how they lean
with the number of clusters, each says. To see them side by side, with fewer fits:
:func:`invariant_cluster.model_selection.label_free_curve`.

>>> from sklearn.model_selection import GridSearchCV
>>> from invariant_cluster.metrics import neighbor_agreement_scorer
>>> GridSearchCV(pipe, {"embed__d": [32, 64]}, scoring=neighbor_agreement_scorer)
... # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.inspection import divide, heads_alone, turned_copy
from invariant_cluster.metrics._clusters import (
    adjusted_label_stability_score,
    cluster_silhouette_score,
    label_agreement_score,
)
from invariant_cluster.metrics._invariance import invariance_score
from invariant_cluster.metrics._matching import clustering_accuracy_score
from invariant_cluster.metrics._neighborhood import neighbor_agreement_score
from invariant_cluster.metrics._resampling import resampling_stability_score
from invariant_cluster.neighbors import default_n_neighbors


def accuracy_scorer(estimator: Any, X: ArrayLike, y: ArrayLike | None = None) -> float:
    """Return the Hungarian-matched accuracy of ``estimator.predict(X)``.

    Parameters
    ----------
    estimator : fitted clusterer or Pipeline that ends in one
    X : array-like of n_samples images or rows
    y : array-like of shape (n_samples,)
        Classes; they are used to score, never to fit.

    Returns
    -------
    float
        :func:`~invariant_cluster.metrics.clustering_accuracy_score`.

    Raises
    ------
    ValueError
        When ``y`` is None.
    TypeError
        When the estimator has no ``predict``.
    """
    if y is None:
        raise ValueError(
            "y is None, but accuracy_scorer compares clusters with classes: give y, or "
            "score without labels by neighbor_agreement_scorer."
        )
    return clustering_accuracy_score(y, _labels(estimator, X, "accuracy_scorer"))


def label_stability_scorer(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None
) -> float:
    """Return the share of images that keep their cluster when they are turned.

    One cluster for everything is perfectly stable: read it beside another score, or
    at a fixed number of clusters that are all in use. Across numbers of clusters
    compare by :func:`adjusted_label_stability_scorer`.

    Parameters
    ----------
    estimator : fitted clusterer of images, or Pipeline that ends in a clusterer
    X : array-like of n_samples images
    y : None
        Not used.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    TypeError
        When the estimator has no ``predict``.
    """
    labels, turned = _two_labels(estimator, X, "label_stability_scorer")
    return float(np.mean(labels == turned))


def adjusted_label_stability_scorer(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None
) -> float:
    """Return the adjusted Rand index of clusters before and after images are turned.

    As :func:`label_stability_scorer`, but 0 by chance whatever the number and sizes of
    clusters. Fewer clusters still score higher at equal quality: they have fewer
    borders that a turn may cross.

    Parameters
    ----------
    estimator : fitted clusterer of images, or Pipeline that ends in a clusterer
    X : array-like of n_samples images
    y : None
        Not used.

    Returns
    -------
    float
        At most 1; 0 where all images are in one cluster.

    Raises
    ------
    TypeError
        When the estimator has no ``predict``.
    """
    name = "adjusted_label_stability_scorer"
    return adjusted_label_stability_score(*_two_labels(estimator, X, name))


def resampling_stability_scorer(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None
) -> float:
    """Return how far clusters of two halves of X agree on all of X.

    z is computed once, by the fitted embedder; the clusterer is fitted anew on z of
    each half, SCAN's heads alone.

    Parameters
    ----------
    estimator : fitted Pipeline that ends in a clusterer, or clusterer of rows
    X : array-like of n_samples images or rows
    y : None
        Not used.

    Returns
    -------
    float
        :func:`~invariant_cluster.metrics.resampling_stability_score`, which says what
        it favours.

    Raises
    ------
    TypeError
        When the clusterer has no ``predict``, or the embedder no ``transform``.
    """
    z = _embedding(estimator, X, "resampling_stability_scorer")
    clusterer = divide(estimator).clusterer or estimator
    return resampling_stability_score(heads_alone(clusterer), z)


def label_agreement_scorer(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None
) -> float:
    """Return how far nearest neighbours in z share their cluster, beyond chance.

    Fewer clusters score higher at equal quality: they have fewer borders.

    Parameters
    ----------
    estimator : fitted Pipeline that ends in a clusterer, or clusterer of rows
    X : array-like of n_samples images or rows
        20 neighbours are looked at; under 200 rows a tenth of n_samples, at least 1.
    y : None
        Not used.

    Returns
    -------
    float
        :func:`~invariant_cluster.metrics.label_agreement_score`.

    Raises
    ------
    TypeError
        When the estimator has no ``predict``, or the embedder no ``transform``.
    """
    name = "label_agreement_scorer"
    z, labels = _embedding(estimator, X, name), _labels(estimator, X, name)
    return label_agreement_score(z, labels, n_neighbors=default_n_neighbors(len(z)))


def silhouette_scorer(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None
) -> float:
    """Return the mean silhouette of the clusters in z.

    It knows of no chance: on data without clusters it falls with their number and with
    d.

    Parameters
    ----------
    estimator : fitted Pipeline that ends in a clusterer, or clusterer of rows
    X : array-like of n_samples images or rows
    y : None
        Not used.

    Returns
    -------
    float
        :func:`~invariant_cluster.metrics.cluster_silhouette_score`.

    Raises
    ------
    TypeError
        When the estimator has no ``predict``, or the embedder no ``transform``.
    """
    name = "silhouette_scorer"
    z, labels = _embedding(estimator, X, name), _labels(estimator, X, name)
    return cluster_silhouette_score(z, labels)


def invariance_scorer(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None
) -> float:
    """Return the mean centred cosine between z of images and of turned copies.

    Parameters
    ----------
    estimator : fitted embedder, or Pipeline
        Of a Pipeline that ends in a clusterer, the steps before it are scored.
    X : array-like of n_samples images
    y : None
        Not used.

    Returns
    -------
    float
        :func:`~invariant_cluster.metrics.invariance_score`.

    Raises
    ------
    TypeError
        When the estimator has no ``transform``.
    """
    return invariance_score(*_two_embeddings(estimator, X, "invariance_scorer"))


def neighbor_agreement_scorer(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None
) -> float:
    """Return how far images and turned copies agree on nearest neighbours.

    It falls when z follows the angle, and also when z varies in one direction only,
    which leaves the cosine of :func:`invariance_scorer` high.

    Parameters
    ----------
    estimator : fitted embedder, or Pipeline
        Of a Pipeline that ends in a clusterer, the steps before it are scored.
    X : array-like of n_samples images
        20 neighbours are compared; under 200 images a tenth of n_samples, at least 1.
    y : None
        Not used.

    Returns
    -------
    float
        :func:`~invariant_cluster.metrics.neighbor_agreement_score`.

    Raises
    ------
    TypeError
        When the estimator has no ``transform``.
    """
    z, z_turned = _two_embeddings(estimator, X, "neighbor_agreement_scorer")
    n_neighbors = default_n_neighbors(len(z))
    return neighbor_agreement_score(z, z_turned, n_neighbors=n_neighbors)


def _labels(estimator: Any, X: ArrayLike, scorer: str) -> NDArray:
    _check_has(estimator, "predict", scorer, "a Pipeline that ends in a clusterer")
    return np.asarray(estimator.predict(X))


def _two_labels(estimator: Any, X: ArrayLike, scorer: str) -> tuple[NDArray, NDArray]:
    """Return clusters of the images and of their turned copies, each (n,)."""
    labels = _labels(estimator, X, scorer)
    turned = turned_copy(estimator, X)
    return labels, _labels(estimator, turned, scorer)


def _embedding(estimator: Any, X: ArrayLike, scorer: str) -> NDArray:
    """Return z of X, (n, d); rows given to a clusterer alone are z already."""
    embedder, clusterer = divide(estimator)
    if embedder is None and clusterer is not None:
        return np.asarray(X)
    return _transform(embedder, X, scorer)


def _two_embeddings(
    estimator: Any, X: ArrayLike, scorer: str
) -> tuple[NDArray, NDArray]:
    """Return z of the images and z of their turned copies, each (n, d)."""
    embedder = divide(estimator).embedder or estimator
    z = _transform(embedder, X, scorer)
    return z, _transform(embedder, turned_copy(estimator, X), scorer)


def _transform(embedder: Any, X: ArrayLike, scorer: str) -> NDArray:
    _check_has(embedder, "transform", scorer, "an embedder or a Pipeline with one")
    return np.asarray(embedder.transform(X))


def _check_has(estimator: Any, method: str, scorer: str, remedy: str) -> None:
    if not hasattr(estimator, method):
        raise TypeError(
            f"{scorer} calls {method}, which {type(estimator).__name__} does not have: "
            f"give {remedy}."
        )
