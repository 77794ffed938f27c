"""Copies of a model's images in which each image is turned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.images import border_median, infer_layout, turn
from invariant_cluster.inspection._steps import image_shape_of, steps_of


def turned_copy(model: Any, X: ArrayLike, *, seed: int = 0) -> Any:
    """Return the images, each turned about its centre by a random angle.

    Angles are uniform on the circle and depend on the seed alone, so that scores of
    different models on the same rows are comparable. No image is shifted: every
    embedder of this package claims invariance to rotation, not every one to
    translation.

    Parameters
    ----------
    model : estimator or Pipeline
        If its first step is a fitted embedder of images, its ``background_`` enters
        the frame; otherwise the median of the border pixels of X does.
    X : array-like of shape (n, h, w), (n, h, w, c), (n, c, h, w) or (n, n_values)
        Images as the model's ``fit`` takes them.
    seed : int, default=0
        Seed of the angles.

    Returns
    -------
    ndarray of the shape and dtype of X, or a DataFrame of flat rows with its labels
    """
    theta = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(np.asarray(X)))
    first = steps_of(model)[0]
    if hasattr(first, "layout_") and hasattr(first, "background_"):
        return turn_images(first, X, theta)
    layout = infer_layout(np.asarray(X), image_shape_of(model))
    background = border_median(layout.to_channels(np.asarray(X)))
    return turn(X, theta, layout, background)


def turn_images(embedder: Any, X: ArrayLike, theta: NDArray) -> Any:
    """Return images that an embedder knows, each turned by its own angle.

    Parameters
    ----------
    embedder : fitted embedder
        Its ``layout_`` says how X holds images; its ``background_`` enters the frame.
    X : array-like of n images, of the shape given to ``fit``
    theta : ndarray of shape (n,), in radians
        Counter-clockwise angles.

    Returns
    -------
    ndarray of the shape and dtype of X, or a DataFrame with its labels

    Raises
    ------
    ValueError
        When X has another shape than the training images.
    """
    embedder.layout_.check_same_shape(np.asarray(X), type(embedder).__name__)
    return turn(X, theta, embedder.layout_, embedder.background_)
