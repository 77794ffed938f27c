"""Variational autoencoders with a pose: the base of spatial-VAE and TARGET-VAE."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from invariant_cluster.geometry import disc_mask
from invariant_cluster.losses import gaussian_divergence
from invariant_cluster.modules._image_encoder import ImageEncoder, Latents
from invariant_cluster.modules._image_model import ImageModel, Reconstruction


class Gaussian(NamedTuple):
    """Independent normal distributions.

    Attributes
    ----------
    mean : Tensor of shape (n, k)
        Means.
    log_std : Tensor of shape (n, k)
        Natural logarithms of the standard deviations.
    """

    mean: Tensor
    log_std: Tensor

    @classmethod
    def of(cls, outputs: Tensor) -> Gaussian:
        """Return the distributions that a network's outputs parametrise.

        Parameters
        ----------
        outputs : Tensor of shape (n, 2 k)
            k means, then k logarithms of standard deviations.

        Returns
        -------
        Gaussian
            k distributions per row.
        """
        return cls(*outputs.chunk(2, dim=1))

    def split(self, first: int) -> tuple[Gaussian, Gaussian]:
        """Return the first of the k distributions, and the others.

        Parameters
        ----------
        first : int
            Number of distributions in the first part.

        Returns
        -------
        head : Gaussian
            The first distributions.
        tail : Gaussian
            The remaining ones.
        """
        return (
            Gaussian(self.mean[:, :first], self.log_std[:, :first]),
            Gaussian(self.mean[:, first:], self.log_std[:, first:]),
        )

    def sample(self) -> Tensor:
        """Return one draw per row, differentiable in mean and log_std.

        Returns
        -------
        Tensor of shape (n, k)
            ``mean + exp(log_std) e`` with standard normal noise e.
        """
        return self.mean + self.log_std.exp() * torch.randn_like(self.mean)

    def divergence(self, prior_std: float = 1.0) -> Tensor:
        """Return the KL divergence from a centred normal prior, summed over k.

        Parameters
        ----------
        prior_std : float, default=1.0
            Standard deviation of the prior N(0, prior_std^2).

        Returns
        -------
        Tensor of shape (n,)
            Divergence in nats.

        See Also
        --------
        gaussian_divergence : Return the divergence of each element.
        """
        return gaussian_divergence(*self, prior_std).sum(dim=1)


class LatentSample(NamedTuple):
    """One draw of the latent variables of images from their posterior.

    Attributes
    ----------
    z : Tensor of shape (n, d)
        Semantic representation.
    rotation : Tensor of shape (n, 2, 2)
        R(theta) of the pose.
    tau : Tensor of shape (n, 2)
        Shift of the pose, in grid units.
    divergence : Tensor of shape (n,)
        KL divergence of the posterior from the prior, in nats.
    """

    z: Tensor
    rotation: Tensor
    tau: Tensor
    divergence: Tensor


class VAEBatch(NamedTuple):
    """Output of one training step, from which the loss is computed.

    Attributes
    ----------
    reconstruction : Reconstruction
        Reconstructed pixels of the images, with their targets.
    divergence : Tensor of shape (n,)
        KL divergence of the posterior from the prior, in nats.
    n_pixels : int
        Number of all pixels in the disc, whether reconstructed or not.
    """

    reconstruction: Reconstruction
    divergence: Tensor
    n_pixels: int


class VariationalEncoder(ImageEncoder):
    """Base class of encoders whose z and pose are random variables in training.

    See Also
    --------
    MLPVAEEncoder : Encoder of spatial-VAE.
    AttentionVAEEncoder : Encoder of TARGET-VAE.
    """

    def embed_aligned(self, seen: Tensor) -> Tensor:
        """Return the mean of z of already aligned images.

        Parameters
        ----------
        seen : Tensor of shape (n, c, h, w)
            Scaled, already aligned images.

        Returns
        -------
        Tensor of shape (n, d)
            Semantic representation.
        """
        return self.infer_aligned(seen).z

    follows_rule = False

    @abstractmethod
    def infer_aligned(self, seen: Tensor) -> Latents:
        """Return the means of z and of the pose.

        Parameters
        ----------
        seen : Tensor of shape (n, c, h, w)
            Scaled, already aligned images.

        Returns
        -------
        Latents
            Means of the posterior.
        """

    @abstractmethod
    def sample(self, seen: Tensor) -> LatentSample:
        """Draw z and the pose from the posterior.

        Parameters
        ----------
        seen : Tensor of shape (n, c, h, w)
            Scaled, already aligned images.

        Returns
        -------
        LatentSample
            The draw, differentiable in the parameters, and the divergence from the
            priors.
        """


class PoseVAE(ImageModel):
    """Variational autoencoder whose latent variables are z and the pose.

    Parameters
    ----------
    encoder : VariationalEncoder
        Maps images to the posterior of z and pose.
    decoder : nn.Module
        Maps z (n, d) and canonical points (n, p, 2) to logits (n, p, c).

    See Also
    --------
    SpatialGenerator : The decoder of spatial-VAE and TARGET-VAE.
    """

    encoder: VariationalEncoder

    def forward_sample(self, seen: Tensor, n_pixels: int | None) -> VAEBatch:
        """Encode images, draw z and pose, and reconstruct pixels.

        Parameters
        ----------
        seen : Tensor of shape (n, c, h, w)
            Scaled, already aligned images.
        n_pixels : int or None
            Number of pixels to reconstruct per image; None takes all pixels of the
            disc.

        Returns
        -------
        VAEBatch
            Reconstruction, divergence and the number of pixels in the disc.
        """
        latent = self.encoder.sample(seen)
        drawn = self.draw_pixels(latent.z, seen, latent.rotation, latent.tau, n_pixels)
        total = int(disc_mask(*seen.shape[-2:]).sum())
        return VAEBatch(drawn, latent.divergence, total)
