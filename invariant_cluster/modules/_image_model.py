"""An encoder and a decoder of images: what all generative models here share."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from invariant_cluster.geometry import (
    disc_mask,
    pixel_grid,
    rotation_matrix,
    to_canonical,
)
from invariant_cluster.modules._image_encoder import ImageEncoder
from invariant_cluster.runtime import autocast


class Reconstruction(NamedTuple):
    """Logits and targets of the sampled pixels, each (n, p, c)."""

    logits: Tensor
    targets: Tensor


class ImageModel(nn.Module):
    """An encoder and a decoder; ``forward`` is the encoder's.

    Parameters
    ----------
    encoder : ImageEncoder
    decoder : nn.Module
        z (n, d) and canonical points (n, p, 2) -> logits (n, p, c).
    """

    def __init__(self, encoder: ImageEncoder, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, raw: Tensor) -> Tensor:
        """Raw images (n, c, h, w) -> z (n, d)."""
        return self.encoder(raw)

    def draw(self, z: Tensor, points: Tensor) -> Tensor:
        """Return the logits of the image of z at canonical points (n, p, 2)."""
        with autocast(z.device, self.encoder.train_dtype if self.training else None):
            logits = self.decoder(z, points)
        return logits.float()

    def draw_pixels(
        self,
        z: Tensor,
        seen: Tensor,
        rotation: Tensor,
        tau: Tensor,
        n_pixels: int | None = None,
    ) -> Reconstruction:
        """Draw pixels of the disc of encoded images (n, c, h, w) in a pose.

        Parameters
        ----------
        z : Tensor of shape (n, d)
        seen : Tensor of shape (n, c, h, w)
            Gives the targets.
        rotation : Tensor of shape (n, 2, 2)
            R(theta).
        tau : Tensor of shape (n, 2)
        n_pixels : int, optional
            How many pixels are drawn, the same for the whole batch; all by default.
        """
        height, width = seen.shape[-2:]
        index = _sample_disc(height, width, n_pixels, z.device)
        points = pixel_grid(height, width, device=index.device).reshape(-1, 2)[index]
        logits = self.draw(z, to_canonical(points, rotation, tau))
        targets = seen.flatten(2)[:, :, index].transpose(1, 2)
        return Reconstruction(logits, targets)

    def draw_image(
        self,
        z: Tensor,
        theta: Tensor,
        tau: Tensor,
        size: tuple[int, int] | None = None,
    ) -> Tensor:
        """Return the scaled image of each z in a pose, shape (n, c, h, w).

        Parameters
        ----------
        z : Tensor of shape (n, d)
        theta : Tensor of shape (n,)
        tau : Tensor of shape (n, 2)
        size : (h, w), optional
            Pixels; by default those of the training images.
        """
        aligner = self.encoder.aligner
        height, width = size or aligner.layout.channels_first_shape[1:]
        grid = pixel_grid(height, width, device=z.device).reshape(-1, 2)
        points = to_canonical(grid, rotation_matrix(theta), tau) / aligner.zoom
        values = self.draw(z, points).sigmoid()
        if aligner.side:  # beyond what it was trained to draw there is background
            outside = points.norm(dim=-1, keepdim=True) > 1
            values = torch.where(outside, aligner.fill.flatten(), values)
        return values.transpose(1, 2).reshape(len(z), -1, height, width)


def _sample_disc(
    height: int, width: int, n_pixels: int | None, device: torch.device
) -> Tensor:
    """Return flat indices of pixels inside the disc, a random draw if asked."""
    inside = disc_mask(height, width, device=device).flatten().nonzero().squeeze(1)
    if n_pixels is None or n_pixels >= len(inside):
        return inside
    return inside[torch.randperm(len(inside), device=device)[:n_pixels]]
