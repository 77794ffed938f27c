"""What displays take from fitted estimators: a step, its pictures, turned copies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from invariant_cluster.images import as_pictures, turn


def find_step(estimator: Any, X: ArrayLike, method: str) -> tuple[Any, Any]:
    """Return the first step that has a method, and X as that step is given it.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
    X : array-like of n images
    method : str

    Raises
    ------
    TypeError
        When no step has it.
    """
    for i, step in enumerate(steps_of(estimator)):
        if hasattr(step, method):
            check_is_fitted(step)
            return step, estimator[:i].transform(X) if i else X
    raise TypeError(
        f"estimator={type(estimator).__name__} has no {method}: give an embedder that "
        "has, such as IRLINREmbedder, or a Pipeline with one."
    )


def steps_of(estimator: Any) -> list[Any]:
    """Return the steps of a Pipeline, or the estimator alone."""
    if isinstance(estimator, Pipeline):
        return [step for _, step in estimator.steps]
    return [estimator]


def take_pictures(embedder: Any, images: ArrayLike) -> NDArray[np.float32]:
    """Return images of an embedder's layout as pictures, on its scale if it has one.

    Parameters
    ----------
    embedder : fitted embedder
    images : array-like of n images, of the shape given to ``fit``

    Returns
    -------
    ndarray of shape (n, h, w) or (n, h, w, c)
    """
    array = np.asarray(images)
    embedder.layout_.check_same_shape(array, type(embedder).__name__)
    channels = embedder.layout_.to_channels(array)
    given = getattr(embedder, "intensity_range_", None)
    return as_pictures(channels, intensity_range=given, image_shape=channels.shape[1:])


def turn_images(embedder: Any, X: ArrayLike, theta: NDArray) -> Any:
    """Return images of an embedder's layout, each turned by its own angle.

    Parameters
    ----------
    embedder : fitted embedder
    X : array-like of n images
    theta : ndarray of shape (n,), in radians

    Returns
    -------
    ndarray of the shape and dtype of X, or a DataFrame with its labels
    """
    embedder.layout_.check_same_shape(np.asarray(X), type(embedder).__name__)
    fill = embedder.background_[:, None, None]
    return turn(X, theta, embedder.layout_, fill)
