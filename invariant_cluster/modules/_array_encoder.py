"""An encoder that takes images as the user holds them."""

from __future__ import annotations

import math
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from invariant_cluster.modules._image_encoder import ImageEncoder


class ArrayEncoder(nn.Module):
    """Maps images in the user's layout to z: for use without this package.

    Parameters
    ----------
    encoder : ImageEncoder
    """

    def __init__(self, encoder: ImageEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        """(n, h, w), (n, h, w, c), (n, c, h, w) or flat rows, as at fit -> z (n, d)."""
        return cast(Tensor, self.encoder(self._to_channels(images)))

    def _to_channels(self, images: Tensor) -> Tensor:
        """Return the images as (n, c, h, w), as ImageLayout does of arrays."""
        layout = self.encoder.aligner.layout
        if layout.n_flat is not None:
            images = F.pad(images, (0, math.prod(layout.shape) - layout.n_flat))
        if layout.order == "hwc":
            return images.reshape(-1, *layout.shape).permute(0, 3, 1, 2)
        return images.reshape(-1, *layout.channels_first_shape)
