"""Images as a screen shows them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.images._intensity import measure_range
from invariant_cluster.images._layout import infer_layout

_SHOWN = (1, 3, 4)  # channels


def as_pictures(
    images: ArrayLike,
    *,
    intensity_range: tuple[float, float] | None = None,
    image_shape: Sequence[int] | None = None,
) -> NDArray[np.float32]:
    """Return images as grey or coloured pictures with values in [0, 1].

    Parameters
    ----------
    images : array-like of shape (n, h, w), (n, h, w, c), (n, c, h, w) or (n, n_values)
    intensity_range : (low, high), optional
        The values that become 0 and 1: an embedder's ``intensity_range_``. By default
        measured as an embedder does.
    image_shape : tuple of int, optional
        Of one image, where the array's shape does not tell.

    Returns
    -------
    ndarray of shape (n, h, w) or, with 3 or 4 channels, (n, h, w, c); float32
        A fourth channel is opacity.

    Raises
    ------
    ValueError
        With another number of channels.
    """
    array = np.asarray(images)
    channels = infer_layout(array, image_shape).to_channels(array)
    if channels.shape[1] not in _SHOWN:
        raise ValueError(
            f"images have {channels.shape[1]} channels, and a screen shows 1, 3 or 4: "
            "choose such channels first, as in images[..., :3]."
        )
    low, high = measure_range(channels, intensity_range)
    scaled = (channels.astype(np.float32) - low) / (high - low)
    pictures = np.moveaxis(scaled.clip(0, 1), 1, -1)
    return pictures[..., 0] if pictures.shape[-1] == 1 else pictures
