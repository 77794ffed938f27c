"""Images as pictures for display."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.images._intensity import measure_range
from invariant_cluster.images._layout import infer_layout
from invariant_cluster.images._masked import unmasked

_SHOWN = (1, 3, 4)  # numbers of channels
_COLORS = 3


def as_pictures(
    images: ArrayLike,
    *,
    intensity_range: tuple[float, float] | None = None,
    image_shape: Sequence[int] | None = None,
) -> NDArray[np.float32]:
    """Return images as grey or colour pictures with values in [0, 1].

    Parameters
    ----------
    images : array-like of shape (n, h, w), (n, h, w, c), (n, c, h, w) or (n, n_values)
        Images or flat rows, with 1, 3 or 4 channels. Masked pixels get the background.
    intensity_range : (low, high), optional
        Intensities that become 0 and 1, such as an embedder's ``intensity_range_``;
        values outside are clipped. By default measured as in :func:`measure_range`.
    image_shape : tuple of int, optional
        Shape of one image, as in :func:`infer_layout`.

    Returns
    -------
    ndarray of shape (n, h, w) or (n, h, w, c), float32
        Pictures as matplotlib takes them: one channel is grey, three are RGB. Of four,
        the first three are shown: the fourth is a band of its own, such as near
        infrared, and no opacity.

    Raises
    ------
    ValueError
        If the number of channels is not 1, 3 or 4, or the layout is ambiguous.

    See Also
    --------
    infer_layout : Find the layout of an array.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.images import as_pictures
    >>> images = np.arange(128, dtype=np.uint8).reshape(2, 8, 8)
    >>> pictures = as_pictures(images)
    >>> pictures.shape, float(pictures.min()), float(pictures.max())
    ((2, 8, 8), 0.0, 1.0)
    """
    array = np.asarray(images)
    layout = infer_layout(array, image_shape)
    channels = layout.to_channels(np.asarray(unmasked(images, layout)))
    if channels.shape[1] not in _SHOWN:
        raise ValueError(
            f"images have {channels.shape[1]} channels, but pictures have 1, 3 or 4: "
            "select channels first, as in images[..., :3]."
        )
    low, high = measure_range(channels, intensity_range)
    scaled = (channels.astype(np.float32) - low) / (high - low)
    pictures = np.moveaxis(scaled.clip(0, 1), 1, -1)[..., :_COLORS]
    return pictures[..., 0] if pictures.shape[-1] == 1 else pictures
