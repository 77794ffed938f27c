"""Copies of images in which each image is turned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.images import (
    NO_TONE,
    border_median,
    infer_layout,
    own_backgrounds,
    turn,
    unmasked,
)
from invariant_cluster.inspection._steps import image_shape_of, steps_of


def turned_copy(model: Any, X: ArrayLike, *, seed: int = 0) -> Any:
    """Return the images, each turned about its centre by a random angle.

    Parameters
    ----------
    model : estimator or Pipeline
        Model of the images. If its first step is a fitted embedder, pixels that enter
        the frame get what :func:`turn_images` says; otherwise they get the median of
        the border pixels of X.
    X : array-like of shape (n, h, w), (n, h, w, c), (n, c, h, w) or (n, n_values)
        Images as the model's ``fit`` takes them.
    seed : int, default=0
        Seed of the angles.

    Returns
    -------
    ndarray or DataFrame
        The turned images in the shape and dtype of X. A DataFrame of flat rows keeps
        its index and columns.

    See Also
    --------
    turn_images : Turn images by given angles.

    Notes
    -----
    Angles are uniform on the circle and depend on the seed alone, so scores of
    different models on the same rows are comparable. Images are not shifted: every
    embedder of this package is invariant to rotation, but not every one to translation.
    """
    theta = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(np.asarray(X)))
    first = steps_of(model)[0]
    if hasattr(first, "layout_") and hasattr(first, "background_"):
        return turn_images(first, X, theta)
    layout = infer_layout(np.asarray(X), image_shape_of(model))
    background = border_median(layout.to_channels(np.asarray(X)))
    return turn(X, theta, layout, background)


def turn_images(embedder: Any, X: ArrayLike, theta: NDArray) -> Any:
    """Return an embedder's images, each turned by its own angle.

    Parameters
    ----------
    embedder : fitted embedder
        Embedder whose ``layout_`` describes X. Pixels that enter the frame get its
        ``background_``, or the background of the image itself if the embedder gives all
        images one brightness.
    X : array-like of n images
        Images of the shape given to ``fit``.
    theta : ndarray of shape (n,)
        Counter-clockwise angles in radians.

    Returns
    -------
    ndarray or DataFrame
        The turned images in the shape and dtype of X. A DataFrame keeps its index and
        columns.

    Raises
    ------
    ValueError
        If the images do not have the shape of the training images.

    See Also
    --------
    turned_copy : Turn images by random angles.
    """
    embedder.layout_.check_same_shape(np.asarray(X), type(embedder).__name__)
    X = unmasked(X, embedder.layout_, embedder.background_)
    return turn(X, theta, embedder.layout_, _background_of(embedder, X))


def _background_of(embedder: Any, X: ArrayLike) -> NDArray:
    """Return the background of all images, (c,), or of each image, (n, c)."""
    if not getattr(embedder, "tone_", NO_TONE).background:
        background: NDArray = embedder.background_
        return background
    return own_backgrounds(embedder.layout_.to_channels(np.asarray(X)))
