"""Images as the embedder that knows them scales them for a screen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.images import as_pictures


def take_pictures(embedder: Any, images: ArrayLike) -> NDArray[np.float32]:
    """Return images that an embedder knows as pictures, on its intensity range.

    Parameters
    ----------
    embedder : fitted embedder
        Its ``layout_`` says how the array holds images; its ``intensity_range_``, if
        it has one, gives the values shown as black and white.
    images : array-like of n images, of the shape given to ``fit``

    Returns
    -------
    ndarray of shape (n, h, w) or (n, h, w, c), float32, in [0, 1]

    Raises
    ------
    ValueError
        When the images have another shape than the training images, or a number of
        channels that no screen shows.
    """
    array = np.asarray(images)
    embedder.layout_.check_same_shape(array, type(embedder).__name__)
    channels = embedder.layout_.to_channels(array)
    given = getattr(embedder, "intensity_range_", None)
    return as_pictures(channels, intensity_range=given, image_shape=channels.shape[1:])
