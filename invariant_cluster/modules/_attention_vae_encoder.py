"""TARGET-VAE's encoder: attention over the ways in which the object may lie."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from invariant_cluster.geometry import (
    angle_of,
    move_images,
    pixel_grid,
    rotation_matrix,
    rotation_towards,
    wrap_angle,
)
from invariant_cluster.modules._image_aligner import ImageAligner
from invariant_cluster.modules._image_encoder import Latents
from invariant_cluster.modules._vae import Gaussian, LatentSample, VariationalEncoder
from invariant_cluster.runtime import autocast

_MOST_VALUES = 2**24  # 64 MiB of features at a time, where no gradient needs them


class Candidates(NamedTuple):
    """What is known of each pair of a rotation r and a place p.

    Attributes
    ----------
    features : Tensor of shape (n, n_rotations, n_kernels, n_places)
    log_q : Tensor of shape (n, n_rotations, n_places)
        Log-probability that the object lies there.
    """

    features: Tensor
    log_q: Tensor


class GroupConvolution(nn.Module):
    """Correlates images with kernels turned to each of n rotations (lifting to C_n).

    Only multiples of 90 degrees are exact on a grid; others interpolate the kernel.

    Parameters
    ----------
    n_channels, n_kernels, kernel_size, n_rotations : int
    padding : int
    """

    angles: Tensor

    def __init__(
        self,
        n_channels: int,
        n_kernels: int,
        kernel_size: int,
        n_rotations: int,
        *,
        padding: int,
    ) -> None:
        super().__init__()
        bound = 1 / math.sqrt(n_channels * kernel_size**2)
        shape = (n_kernels, n_channels, kernel_size, kernel_size)
        self.weight = nn.Parameter(torch.empty(shape).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(n_kernels))
        angles = torch.arange(n_rotations) * (2 * math.pi / n_rotations)
        self.register_buffer("angles", angles)
        self.padding = padding

    def turned(self) -> Tensor:
        """Return the kernels at each angle, (n_rotations n_kernels, c, k, k)."""
        n_kernels, n_rotations = len(self.weight), len(self.angles)
        theta = self.angles.repeat_interleave(n_kernels)
        kernels = self.weight.repeat(n_rotations, 1, 1, 1)
        return move_images(kernels, theta, theta.new_zeros(len(theta), 2))

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, n_rotations, n_kernels, h', w')."""
        bias = self.bias.repeat(len(self.angles))
        maps = F.conv2d(images, self.turned(), bias, padding=self.padding)
        return maps.unflatten(1, (len(self.angles), -1))


class AttentionVAEEncoder(VariationalEncoder):
    """A rotation- and translation-equivariant encoder (Nasiri and Bepler, 2022).

    A group convolution looks for the object at each of n rotations r and all places p.
    Its response makes q(r, p). A relaxed draw of one pair (Gumbel-softmax at
    temperature 1) weighs the features of all, and these make q(z | r, p) and
    q(theta | r, p), theta near the r-th angle. The priors are uniform in r,
    p ~ N(0, translation_std^2), theta ~ N(theta_r, (pi / n)^2) and z ~ N(0, 1). The
    divergences of z and theta are taken at the draw; their mean over q(r, p), as the
    authors have it, would take n d numbers for each place, and is a little larger.

    Parameters
    ----------
    aligner : ImageAligner
    d : int
    n_rotations, n_kernels : int
    kernel_size : int or None
        Odd; by default as large as the image.
    translation_std : float
        As a fraction of the longer side. Where the rule has no tau, the kernels see the
        whole image and the object lies in the middle.
    **options
        Of ImageEncoder.
    """

    log_prior: Tensor
    places: Tensor

    def __init__(
        self,
        aligner: ImageAligner,
        *,
        d: int,
        n_rotations: int,
        n_kernels: int,
        kernel_size: int | None,
        translation_std: float,
        **options: Any,
    ) -> None:
        super().__init__(aligner, d=d, normalize=False, **options)
        n_channels, height, width = aligner.seen_shape
        shorter = min(height, width)
        translates = aligner.pose_rule.translates
        if translates:
            size = kernel_size or shorter - 1 + shorter % 2
            places = pixel_grid(height, width).reshape(-1, 2)
        else:
            size, places = shorter, torch.zeros(1, 2)
        self.crop = None if translates else shorter
        self.lift = GroupConvolution(
            n_channels,
            n_kernels,
            size,
            n_rotations,
            padding=size // 2 if translates else 0,
        )
        self.mix = nn.Conv2d(n_kernels, n_kernels, 1)
        self.attention = nn.Conv2d(n_kernels, 1, 1)
        self.posterior = nn.Linear(n_kernels, 2 * (1 + d))
        self.register_buffer("places", places)
        log_prior = _log_prior(places, 2 * translation_std, n_rotations)
        self.register_buffer("log_prior", log_prior)

    def infer_aligned(self, seen: Tensor) -> Latents:
        """Return the posterior's means over all pairs (r, p), circular for theta.

        A few images at a time: what is known of one image's pairs can take as much
        memory as a thousand images.
        """
        per_image = self.log_prior.numel() * self.attention.in_channels
        most = max(1, _MOST_VALUES // per_image)
        parts = [seen] if torch.is_grad_enabled() else seen.split(most)
        return Latents(*map(torch.cat, zip(*map(self._means, parts), strict=True)))

    def sample(self, seen: Tensor) -> LatentSample:
        """Draw (r, p), relaxed, then theta and z, of images as they are encoded."""
        found = self._find(seen)
        drawn = F.gumbel_softmax(found.log_q.flatten(1), dim=1)
        drawn = drawn.reshape_as(found.log_q)
        posterior = self._posterior(found, drawn)
        near, z = posterior.split(1)
        coarse = rotation_towards(self._direction(drawn))
        spread = math.pi / len(self.lift.angles)
        divergence = (
            (found.log_q.exp() * (found.log_q - self.log_prior)).sum(dim=(1, 2))
            + near.divergence(spread)
            + z.divergence()
        )
        return LatentSample(
            z.sample(),
            coarse @ rotation_matrix(near.sample()[:, 0]),
            self._tau(drawn),
            divergence,
        )

    def _means(self, seen: Tensor) -> Latents:
        found = self._find(seen)
        q = found.log_q.exp()
        x, y = self._direction(q).unbind(dim=1)
        mean = self._posterior(found, q).mean
        theta = wrap_angle(angle_of(x, y) + mean[:, 0])
        return Latents(mean[:, 1:], theta, self._tau(q))

    def _find(self, seen: Tensor) -> Candidates:
        with autocast(seen.device, self.train_dtype if self.training else None):
            # The convolution pads with 0, which has to be the background.
            lifted = F.leaky_relu(self.lift(self._middle(seen - self.aligner.fill)))
            features = F.leaky_relu(self.mix(lifted.flatten(0, 1)))
            logits = self.attention(features)
        features, logits = (
            maps.float().unflatten(0, (-1, lifted.shape[1])).flatten(3)
            for maps in (features, logits)
        )
        # Relative to the prior, so that training starts there.
        log_q = (logits.squeeze(2) + self.log_prior).flatten(1).log_softmax(dim=1)
        return Candidates(features, log_q.unflatten(1, (lifted.shape[1], -1)))

    def _middle(self, seen: Tensor) -> Tensor:
        """Return the square in the middle, if only that is looked at."""
        if self.crop is None:
            return seen
        top, left = ((side - self.crop) // 2 for side in seen.shape[-2:])
        return seen[..., top : top + self.crop, left : left + self.crop]

    def _posterior(self, found: Candidates, weights: Tensor) -> Gaussian:
        """Return q of theta - theta_r and z at pairs of weights (n, r, p)."""
        features = torch.einsum("nrp,nrkp->nk", weights, found.features)
        return Gaussian.of(self.posterior(features))

    def _direction(self, weights: Tensor) -> Tensor:
        """Return the mean of (cos, sin) of the angles, (n, 2)."""
        angles = self.lift.angles
        units = torch.stack([angles.cos(), angles.sin()], dim=1)
        return weights.sum(dim=2) @ units

    def _tau(self, weights: Tensor) -> Tensor:
        return weights.sum(dim=1) @ self.places


def _log_prior(places: Tensor, std: float, n_rotations: int) -> Tensor:
    """Return the log-probability of each pair of a rotation and a place (p, 2)."""
    log_p = -places.square().sum(dim=1) / (2 * std**2)
    log_prior = log_p.log_softmax(dim=0) - math.log(n_rotations)
    return log_prior.expand(n_rotations, -1).clone()
