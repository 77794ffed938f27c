"""Scorers: callables (estimator, X, y=None) for ``scoring=`` in model selection.

``accuracy_scorer`` needs classes; the others need none. Higher is better for all.

``invariance_scorer``, ``neighbor_agreement_scorer``, ``label_stability_scorer`` and
``adjusted_label_stability_scorer`` compare the estimator's output for the images with
its output for a copy in which each image is turned by a random angle.
``resampling_stability_scorer``, ``label_agreement_scorer`` and ``silhouette_scorer``
score the clusters in z of the images as they are. Scores without classes are comparable
across the parameters of the embedder, its width d included; each docstring states how
the score depends on the number of clusters.
:func:`invariant_cluster.model_selection.label_free_curve` tabulates several criteria
with fewer fits.

>>> from sklearn.model_selection import GridSearchCV
>>> from invariant_cluster.metrics import neighbor_agreement_scorer
>>> GridSearchCV(pipe, {"embed__d": [32, 64]}, scoring=neighbor_agreement_scorer)
... # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.drift import one_warning
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
    """Return the accuracy of predicted clusters matched one to one with classes.

    Parameters
    ----------
    estimator : fitted clusterer or Pipeline that ends in one
        Estimator to score; it needs ``predict``.
    X : array-like of n_samples images or rows
        Input of ``predict``.
    y : array-like of shape (n_samples,)
        Classes. They are used to score, never to fit.

    Returns
    -------
    float
        Score in (0, 1].

    Raises
    ------
    ValueError
        If ``y`` is None.
    TypeError
        If the estimator has no ``predict``.

    See Also
    --------
    clustering_accuracy_score : The score of two labellings.
    neighbor_agreement_scorer : A score without classes.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from invariant_cluster.metrics import accuracy_scorer
    >>> z = [[0, 0], [0, 1], [9, 9], [9, 8]]
    >>> kmeans = KMeans(2, n_init=1, random_state=0).fit(z)
    >>> accuracy_scorer(kmeans, z, ["a", "a", "b", "b"])
    1.0
    """
    if y is None:
        raise ValueError(
            "y is None, but accuracy_scorer compares clusters with classes: give y, or "
            "use neighbor_agreement_scorer, which needs no classes."
        )
    return clustering_accuracy_score(y, _labels(estimator, X, "accuracy_scorer"))


def label_stability_scorer(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None
) -> float:
    """Return the share of images that keep their cluster when they are turned.

    Parameters
    ----------
    estimator : fitted clusterer of images, or Pipeline that ends in a clusterer
        Estimator to score; it needs ``predict``.
    X : array-like of n_samples images
        Images to predict, as they are and turned.
    y : None
        Ignored; present for the scorer interface.

    Returns
    -------
    float
        Score in [0, 1].

    Raises
    ------
    TypeError
        If the estimator has no ``predict``.

    See Also
    --------
    adjusted_label_stability_scorer : The same comparison, corrected for chance.
    invariance_scorer : Compare z instead of clusters.

    Notes
    -----
    A single cluster for all images scores 1. Read this score beside another one, or at
    a fixed number of clusters that are all in use. To compare numbers of clusters, use
    :func:`adjusted_label_stability_scorer`.

    Each image is turned about its centre by its own random angle, the same in every
    call.
    """
    labels, turned = _two_labels(estimator, X, "label_stability_scorer")
    return float(np.mean(labels == turned))


def adjusted_label_stability_scorer(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None
) -> float:
    """Return the adjusted Rand index of clusters before and after images are turned.

    Parameters
    ----------
    estimator : fitted clusterer of images, or Pipeline that ends in a clusterer
        Estimator to score; it needs ``predict``.
    X : array-like of n_samples images
        Images to predict, as they are and turned.
    y : None
        Ignored; present for the scorer interface.

    Returns
    -------
    float
        At most 1. The chance level is 0, and so is the score of a single cluster.

    Raises
    ------
    TypeError
        If the estimator has no ``predict``.

    See Also
    --------
    adjusted_label_stability_score : The score of two labellings.
    label_stability_scorer : Share of images that keep their cluster.

    Notes
    -----
    The chance level does not depend on the number and sizes of clusters. Fewer clusters
    still score higher at equal quality: they have fewer borders that a turned image can
    cross.
    """
    name = "adjusted_label_stability_scorer"
    return adjusted_label_stability_score(*_two_labels(estimator, X, name))


def resampling_stability_scorer(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None
) -> float:
    """Return how far the clusters of two halves of X agree on all of X.

    Parameters
    ----------
    estimator : fitted Pipeline that ends in a clusterer, or clusterer of rows
        Estimator to score; its clusterer needs ``predict``.
    X : array-like of n_samples images or rows
        Input of the estimator, at least 4 rows.
    y : None
        Ignored; present for the scorer interface.

    Returns
    -------
    float
        At most 1; the chance level is 0.

    Raises
    ------
    ValueError
        If X has fewer than 4 rows.
    TypeError
        If the clusterer has no ``predict``, or the embedder no ``transform``.

    See Also
    --------
    resampling_stability_score : The score, and what it favours.
    adjusted_label_stability_scorer : Stability when images are turned.

    Notes
    -----
    The fitted embedder computes z once. Clones of the clusterer are fitted on z of each
    half; ``SCANClusterer`` trains its heads only.
    """
    z = _embedding(estimator, X, "resampling_stability_scorer")
    clusterer = divide(estimator).clusterer or estimator
    return resampling_stability_score(heads_alone(clusterer), z)


def label_agreement_scorer(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None
) -> float:
    """Return how often nearest neighbours in z share a cluster, corrected for chance.

    Parameters
    ----------
    estimator : fitted Pipeline that ends in a clusterer, or clusterer of rows
        Estimator to score; it needs ``predict``.
    X : array-like of n_samples images or rows
        Input of the estimator.
    y : None
        Ignored; present for the scorer interface.

    Returns
    -------
    float
        At most 1; the chance level is 0.

    Raises
    ------
    TypeError
        If the estimator has no ``predict``, or the embedder no ``transform``.

    See Also
    --------
    label_agreement_score : The score of an embedding and its clusters.
    silhouette_scorer : Compare distances within and between clusters.

    Notes
    -----
    20 neighbours of each row are compared; with fewer than 200 rows, a tenth of
    n_samples and at least 1. Fewer clusters score higher at equal quality, since they
    have fewer borders.
    """
    name = "label_agreement_scorer"
    z, labels = _embedding(estimator, X, name), _labels(estimator, X, name)
    return label_agreement_score(z, labels, n_neighbors=default_n_neighbors(len(z)))


def silhouette_scorer(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None
) -> float:
    """Return the mean silhouette of the clusters in z.

    Parameters
    ----------
    estimator : fitted Pipeline that ends in a clusterer, or clusterer of rows
        Estimator to score; it needs ``predict``.
    X : array-like of n_samples images or rows
        Input of the estimator.
    y : None
        Ignored; present for the scorer interface.

    Returns
    -------
    float
        Score in [-1, 1]; 0 for a single cluster.

    Raises
    ------
    TypeError
        If the estimator has no ``predict``, or the embedder no ``transform``.

    See Also
    --------
    cluster_silhouette_score : The score of an embedding and its clusters.
    label_agreement_scorer : A score that is corrected for chance.

    Notes
    -----
    The silhouette is not corrected for chance: on data without clusters it falls with
    the number of clusters and with d.
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
        Estimator to score; it needs ``transform``. If a Pipeline ends in a clusterer,
        the steps before the clusterer are scored.
    X : array-like of n_samples images
        Images to embed, as they are and turned.
    y : None
        Ignored; present for the scorer interface.

    Returns
    -------
    float
        Score in [-1, 1].

    Raises
    ------
    TypeError
        If the estimator has no ``transform``.

    See Also
    --------
    invariance_score : The score of two embeddings.
    neighbor_agreement_scorer : Compare nearest neighbours instead of directions.

    Notes
    -----
    Each image is turned about its centre by its own random angle, the same in every
    call. Images are not shifted.
    """
    return invariance_score(*_two_embeddings(estimator, X, "invariance_scorer"))


def neighbor_agreement_scorer(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None
) -> float:
    """Return the share of nearest neighbours that images and turned copies agree on.

    Parameters
    ----------
    estimator : fitted embedder, or Pipeline
        Estimator to score; it needs ``transform``. If a Pipeline ends in a clusterer,
        the steps before the clusterer are scored.
    X : array-like of n_samples images
        Images to embed, as they are and turned.
    y : None
        Ignored; present for the scorer interface.

    Returns
    -------
    float
        Score in [0, 1].

    Raises
    ------
    TypeError
        If the estimator has no ``transform``.

    See Also
    --------
    neighbor_agreement_score : The score of two embeddings.
    invariance_scorer : Compare directions instead of nearest neighbours.

    Notes
    -----
    20 neighbours of each image are compared; with fewer than 200 images, a tenth of
    n_samples and at least 1.

    The score falls if z depends on the angle. It also falls if z varies in one
    direction only, which the cosine of :func:`invariance_scorer` does not detect.
    """
    z, z_turned = _two_embeddings(estimator, X, "neighbor_agreement_scorer")
    n_neighbors = default_n_neighbors(len(z))
    return neighbor_agreement_score(z, z_turned, n_neighbors=n_neighbors)


def _labels(estimator: Any, X: ArrayLike, scorer: str) -> NDArray:
    """Return the predicted cluster of each row, (n,)."""
    _check_has(estimator, "predict", scorer, "a Pipeline that ends in a clusterer")
    return np.asarray(estimator.predict(X))


def _two_labels(estimator: Any, X: ArrayLike, scorer: str) -> tuple[NDArray, NDArray]:
    """Return clusters of the images and of their turned copies, each (n,)."""
    labels = _labels(estimator, X, scorer)
    with one_warning(silent=True):  # turning smooths images
        return labels, _labels(estimator, turned_copy(estimator, X), scorer)


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
    with one_warning(silent=True):  # turning smooths images
        return z, _transform(embedder, turned_copy(estimator, X), scorer)


def _transform(embedder: Any, X: ArrayLike, scorer: str) -> NDArray:
    """Return z of X, (n, d)."""
    _check_has(embedder, "transform", scorer, "an embedder or a Pipeline with one")
    return np.asarray(embedder.transform(X))


def _check_has(estimator: Any, method: str, scorer: str, remedy: str) -> None:
    """Raise a TypeError unless the estimator has the method."""
    if not hasattr(estimator, method):
        raise TypeError(
            f"{scorer} calls {method}, which {type(estimator).__name__} does not have: "
            f"give {remedy}."
        )
