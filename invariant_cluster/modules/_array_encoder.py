"""An encoder for images in the user's array layout."""

from __future__ import annotations

import math
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from invariant_cluster.modules._image_encoder import ImageEncoder


class ArrayEncoder(nn.Module):
    """Encoder that takes images in the user's layout, for use without this package.

    It is the module that an embedder exports to ONNX.

    Parameters
    ----------
    encoder : ImageEncoder
        Fitted encoder; its aligner holds the layout of the training images.

    See Also
    --------
    ImageEncoder : Encode images of shape (n, c, h, w).
    """

    def __init__(self, encoder: ImageEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        """Return z of images in the layout of the training images.

        Parameters
        ----------
        images : Tensor
            Raw images of shape (n, h, w), (n, h, w, c), (n, c, h, w) or flat rows
            (n, n_values), as they were given to ``fit``.

        Returns
        -------
        Tensor of shape (n, d)
            Semantic representation.
        """
        return cast(Tensor, self.encoder(self._to_channels(images)))

    def _to_channels(self, images: Tensor) -> Tensor:
        """Return the images as (n, c, h, w), like ``ImageLayout.to_channels``."""
        layout = self.encoder.aligner.layout
        if layout.n_flat is not None:
            images = F.pad(images, (0, math.prod(layout.shape) - layout.n_flat))
        if layout.order == "hwc":
            return images.reshape(-1, *layout.shape).permute(0, 3, 1, 2)
        return images.reshape(-1, *layout.channels_first_shape)
