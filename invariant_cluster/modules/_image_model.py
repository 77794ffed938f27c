"""An encoder and a decoder of images: the base of all generative models."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from invariant_cluster.geometry import (
    disc_points,
    homogeneous_grid,
    pixel_grid,
    rotation_matrix,
    to_canonical,
)
from invariant_cluster.modules._image_encoder import ImageEncoder
from invariant_cluster.runtime import autocast


class Reconstruction(NamedTuple):
    """Reconstructed pixels and the pixels they are compared with.

    Attributes
    ----------
    logits : Tensor of shape (n, p, c)
        Logits of the reconstructed values of p pixels.
    targets : Tensor of shape (n, p, c)
        Values of these pixels in the encoded images, in [0, 1].
    """

    logits: Tensor
    targets: Tensor


class ImageModel(nn.Module):
    """An encoder and a decoder of images; ``forward`` only encodes.

    Parameters
    ----------
    encoder : ImageEncoder
        Maps raw images to z.
    decoder : nn.Module
        Maps z (n, d) and canonical points (n, p, 2) to logits (n, p, c).

    See Also
    --------
    IRLINR : Train by reconstruction of views.
    PoseVAE : Train as a variational autoencoder.
    """

    def __init__(self, encoder: ImageEncoder, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, raw: Tensor) -> Tensor:
        """Return z of raw images.

        Parameters
        ----------
        raw : Tensor of shape (n, c, h, w)
            Images in the user's units.

        Returns
        -------
        Tensor of shape (n, d)
            Semantic representation.
        """
        return self.encoder(raw)

    def draw(self, z: Tensor, points: Tensor) -> Tensor:
        """Return the logits of the image of each z at canonical points.

        Parameters
        ----------
        z : Tensor of shape (n, d)
            Semantic representation.
        points : Tensor of shape (n, p, 2)
            Canonical points of each image, in grid units of the encoded frame.

        Returns
        -------
        Tensor of shape (n, p, c), float32
            Logits of the pixel values.

        See Also
        --------
        draw_pixels : Reconstruct pixels of encoded images.
        draw_image : Draw whole images.
        """
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
        """Reconstruct pixels of encoded images inside the disc.

        Parameters
        ----------
        z : Tensor of shape (n, d)
            Semantic representation.
        seen : Tensor of shape (n, c, h, w)
            The encoded images, which give the targets.
        rotation : Tensor of shape (n, 2, 2)
            R(theta) of the pose of each encoded image.
        tau : Tensor of shape (n, 2)
            Shift of the pose of each encoded image, in grid units.
        n_pixels : int, optional
            Number of pixels drawn at random, the same ones for the whole batch; by
            default all pixels of the disc.

        Returns
        -------
        Reconstruction
            Logits and targets of the pixels.
        """
        height, width = seen.shape[-2:]
        index = _sample_disc(height, width, n_pixels, z.device)
        size = height, width, max(height, width)
        points = homogeneous_grid(*size, tau.dtype, tau.device)[index, :2]
        logits = self.draw(z, to_canonical(points, rotation, tau))
        targets = seen.flatten(2)[:, :, index].transpose(1, 2)
        return Reconstruction(logits, targets)

    def draw_image(
        self,
        z: Tensor,
        theta: Tensor,
        tau: Tensor,
        size: tuple[int, int] | None = None,
        scale: Tensor | None = None,
    ) -> Tensor:
        """Return the scaled image of each z in a pose.

        Parameters
        ----------
        z : Tensor of shape (n, d)
            Semantic representation.
        theta : Tensor of shape (n,)
            Angle of the pose, in radians.
        tau : Tensor of shape (n, 2)
            Shift of the pose, in grid units.
        size : (h, w), optional
            Size in pixels; by default that of the training images.
        scale : Tensor of shape (n,), optional
            Size of each object as a multiple of the canonical size; 1 by default.

        Returns
        -------
        Tensor of shape (n, c, h, w)
            Images in [0, 1]. If the aligner crops or a scale is given, points beyond
            the encoded disc are background, since the decoder was not trained there.
        """
        aligner = self.encoder.aligner
        height, width = size or aligner.layout.channels_first_shape[1:]
        grid = pixel_grid(height, width, device=z.device).reshape(-1, 2)
        points = to_canonical(grid, rotation_matrix(theta), tau) / aligner.zoom
        if scale is not None:
            points = points / scale[:, None, None]
        values = self.draw(z, points).sigmoid()
        if aligner.side or scale is not None:  # the decoder was trained in the disc
            outside = points.norm(dim=-1, keepdim=True) > 1
            values = torch.where(outside, aligner.fill.flatten(), values)
        return values.transpose(1, 2).reshape(len(z), -1, height, width)


def _sample_disc(
    height: int, width: int, n_pixels: int | None, device: torch.device
) -> Tensor:
    """Return flat indices of the disc's pixels: all, or n_pixels drawn at random."""
    inside = disc_points(height, width, device)
    if n_pixels is None or n_pixels >= len(inside):
        return inside
    return inside[torch.randperm(len(inside), device=device)[:n_pixels]]
