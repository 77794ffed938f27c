"""Copies of a user's images in which each is turned by an angle of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.geometry import move_array
from invariant_cluster.images._layout import ImageLayout, infer_layout


def turn(X: ArrayLike, theta: NDArray, layout: ImageLayout, fill: NDArray) -> Any:
    """Return the images, each turned about its centre by its own angle.

    Interpolation is bilinear, and integers are rounded.

    Parameters
    ----------
    X : array-like of n images
    theta : ndarray of shape (n,), in radians
    layout : ImageLayout
        Of X.
    fill : ndarray of shape (c, 1, 1)
        What enters the frame.

    Returns
    -------
    ndarray of the shape and dtype of X, or a DataFrame of flat rows with its labels
    """
    images = layout.to_channels(np.asarray(X))
    moved = move_array(images, theta, np.zeros((len(images), 2)), fill)
    turned = layout.from_channels(moved)
    if isinstance(X, pd.DataFrame):
        return pd.DataFrame(turned, X.index, X.columns)
    return turned


def turned_copy(
    X: ArrayLike, image_shape: Sequence[int] | None = None, *, seed: int = 0
) -> Any:
    """Return the images, each turned about its centre by a random angle.

    Angles are uniform on the circle and the same in every call, so that scores of
    different models on the same rows compare. No image is shifted: every kind of
    embedder here claims invariance to rotation, not every one to translation. What
    enters the frame has the median of the border pixels.

    Parameters
    ----------
    X : array-like of shape (n, h, w), (n, h, w, c), (n, c, h, w) or (n, n_values)
    image_shape : tuple of int, optional
        What folds flat rows into images.
    seed : int
        Of the angles.

    Returns
    -------
    ndarray of the shape and dtype of X, or a DataFrame of flat rows with its labels
    """
    layout = infer_layout(np.asarray(X), image_shape)
    images = layout.to_channels(np.asarray(X))
    theta = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(images))
    return turn(X, theta, layout, _border_median(images))


def _border_median(images: NDArray) -> NDArray:
    """Return the median border value of each channel of (n, c, h, w), (c, 1, 1)."""
    sides = (images[..., 0, :], images[..., -1, :], images[..., 0], images[..., -1])
    border = np.concatenate(sides, axis=-1)
    return np.median(border, axis=(0, -1))[:, None, None]
