"""Rotation of images in the user's layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.geometry import move_array
from invariant_cluster.images._layout import ImageLayout


def turn(X: ArrayLike, theta: NDArray, layout: ImageLayout, background: NDArray) -> Any:
    """Return the images, each rotated about its centre by its own angle.

    Parameters
    ----------
    X : array-like of n images
        Images or flat rows, as the user gave them.
    theta : ndarray of shape (n,)
        Angles in radians, counter-clockwise.
    layout : ImageLayout
        Layout of X.
    background : ndarray of shape (c,) or (n, c)
        Value of pixels that enter the frame, in the units of the images.

    Returns
    -------
    ndarray of the shape and dtype of X, or DataFrame
        The rotated images. A DataFrame of flat rows keeps its labels.

    See Also
    --------
    move_array : Rotate and shift images (n, c, h, w).

    Notes
    -----
    Interpolation is bilinear; integers are rounded.
    """
    images = layout.to_channels(np.asarray(X))
    fill = background[..., None, None]
    moved = move_array(images, theta, np.zeros((len(images), 2)), fill)
    turned = layout.from_channels(moved)
    if isinstance(X, pd.DataFrame):
        return pd.DataFrame(turned, X.index, X.columns)
    return turned
