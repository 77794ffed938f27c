"""Variational autoencoders with a pose: what spatial-VAE and TARGET-VAE share."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from invariant_cluster.geometry import disc_mask
from invariant_cluster.losses import gaussian_divergence
from invariant_cluster.modules._image_encoder import ImageEncoder
from invariant_cluster.modules._image_model import ImageModel, Reconstruction


class Gaussian(NamedTuple):
    """Independent normal distributions; mean and log of the deviation, (n, k) each."""

    mean: Tensor
    log_std: Tensor

    @classmethod
    def of(cls, outputs: Tensor) -> Gaussian:
        """Take a network's outputs (n, 2 k) for the k means and log deviations."""
        return cls(*outputs.chunk(2, dim=1))

    def split(self, first: int) -> tuple[Gaussian, Gaussian]:
        """Return the first of the k, and the others."""
        return (
            Gaussian(self.mean[:, :first], self.log_std[:, :first]),
            Gaussian(self.mean[:, first:], self.log_std[:, first:]),
        )

    def sample(self) -> Tensor:
        """Return one draw a row, differentiable in both parameters, (n, k)."""
        return self.mean + self.log_std.exp() * torch.randn_like(self.mean)

    def divergence(self, prior_std: float = 1.0) -> Tensor:
        """Return the KL divergence from N(0, prior_std^2), summed over k, (n,)."""
        return gaussian_divergence(*self, prior_std).sum(dim=1)


class LatentSample(NamedTuple):
    """One draw of an image's latent variables from their posterior.

    Attributes
    ----------
    z : Tensor of shape (n, d)
    rotation : Tensor of shape (n, 2, 2)
        R(theta).
    tau : Tensor of shape (n, 2)
    divergence : Tensor of shape (n,)
        KL divergence of the posterior from the prior, in nats.
    """

    z: Tensor
    rotation: Tensor
    tau: Tensor
    divergence: Tensor


class VAEBatch(NamedTuple):
    """What one training step yields; n_pixels are in the disc, drawn or not."""

    reconstruction: Reconstruction
    divergence: Tensor
    n_pixels: int


class VariationalEncoder(ImageEncoder):
    """An encoder whose z and pose are random variables in training."""

    @abstractmethod
    def sample(self, seen: Tensor) -> LatentSample:
        """Draw the latent variables of images as they are encoded, (n, c, h, w)."""


class PoseVAE(ImageModel):
    """A variational encoder and a decoder of coordinates."""

    encoder: VariationalEncoder

    def forward_sample(self, seen: Tensor, n_pixels: int | None) -> VAEBatch:
        """Encode aligned images (n, c, h, w) and draw pixels of them again."""
        latent = self.encoder.sample(seen)
        drawn = self.draw_pixels(latent.z, seen, latent.rotation, latent.tau, n_pixels)
        total = int(disc_mask(*seen.shape[-2:]).sum())
        return VAEBatch(drawn, latent.divergence, total)
