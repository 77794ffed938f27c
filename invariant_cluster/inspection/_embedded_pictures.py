"""Pictures of images on an embedder's intensity range."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.images import (
    NO_TONE,
    as_pictures,
    range_of,
    shown_values,
    unmasked,
)


def take_pictures(embedder: Any, images: ArrayLike) -> NDArray[np.float32]:
    """Return an embedder's images as pictures, scaled by its intensity range.

    Parameters
    ----------
    embedder : fitted embedder
        Embedder whose ``layout_`` describes the array. Its ``intensity_range_``, if it
        has one, gives the values shown as black and white.
    images : array-like of n images
        Images of the shape given to ``fit``.

    Returns
    -------
    ndarray of shape (n, h, w) or (n, h, w, 3), float32
        Pictures with values in [0, 1], as :func:`invariant_cluster.images.as_pictures`
        returns them.

    Raises
    ------
    ValueError
        If the images do not have the shape of the training images, or a number of
        channels other than 1, 3 and 4.

    See Also
    --------
    invariant_cluster.images.as_pictures : Scale images without an embedder.
    """
    array = np.asarray(unmasked(images, embedder.layout_, embedder.background_))
    embedder.layout_.check_same_shape(array, type(embedder).__name__)
    tone = getattr(embedder, "tone_", NO_TONE)
    channels = shown_values(embedder.layout_.to_channels(array), tone)
    given = range_of(embedder)
    return as_pictures(channels, intensity_range=given, image_shape=channels.shape[1:])
