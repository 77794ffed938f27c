"""Images in a user's own form, each turned by an angle of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.geometry import move_array
from invariant_cluster.images._layout import ImageLayout


def turn(X: ArrayLike, theta: NDArray, layout: ImageLayout, background: NDArray) -> Any:
    """Return the images, each turned about its centre by its own angle.

    Interpolation is bilinear; integers are rounded.

    Parameters
    ----------
    X : array-like of n images
        Images or flat rows, as the user gave them.
    theta : ndarray of shape (n,), in radians
        Counter-clockwise angles.
    layout : ImageLayout
        Layout of X.
    background : ndarray of shape (c,), in the images' units
        Value of the pixels that enter the frame.

    Returns
    -------
    ndarray of the shape and dtype of X, or a DataFrame of flat rows with its labels
    """
    images = layout.to_channels(np.asarray(X))
    fill = background[:, None, None]
    moved = move_array(images, theta, np.zeros((len(images), 2)), fill)
    turned = layout.from_channels(moved)
    if isinstance(X, pd.DataFrame):
        return pd.DataFrame(turned, X.index, X.columns)
    return turned
