"""TARGET-VAE's encoder: attention over the poses that an object may have."""

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

_MOST_VALUES = 2**24  # 64 MiB of features at a time, without gradients


class Candidates(NamedTuple):
    """Features and probabilities of all pairs of a rotation r and a place p.

    Attributes
    ----------
    features : Tensor of shape (n, n_rotations, n_kernels, n_places)
        Features of the image at each pair.
    log_q : Tensor of shape (n, n_rotations, n_places)
        Log-probability that the object has rotation r and lies at p; the probabilities
        of an image sum to 1.
    """

    features: Tensor
    log_q: Tensor


class GroupConvolution(nn.Module):
    """Convolution with kernels rotated to n equally spaced angles (lifting to C_n).

    Rotations by multiples of 90 degrees are exact on the pixel grid; the others
    interpolate the kernel bilinearly.

    Parameters
    ----------
    n_channels : int
        Channels of the images.
    n_kernels : int
        Number of learned kernels.
    kernel_size : int
        Side of a kernel in pixels.
    n_rotations : int
        Number n of angles, ``2 pi r / n`` for r = 0, ..., n - 1.
    padding : int
        Pixels of zero padding on each side.

    Attributes
    ----------
    weight : nn.Parameter of shape (n_kernels, n_channels, kernel_size, kernel_size)
        The kernels at angle 0.
    bias : nn.Parameter of shape (n_kernels,)
        Bias of each kernel, the same at all angles.
    angles : Tensor of shape (n_rotations,)
        Angles in radians; a buffer.
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
        """Return the kernels at all angles.

        Returns
        -------
        Tensor of shape (n_rotations * n_kernels, n_channels, kernel_size, kernel_size)
            All kernels at the first angle, then all at the second, and so on.
        """
        n_kernels, n_rotations = len(self.weight), len(self.angles)
        theta = self.angles.repeat_interleave(n_kernels)
        kernels = self.weight.repeat(n_rotations, 1, 1, 1)
        return move_images(kernels, theta, theta.new_zeros(len(theta), 2))

    def forward(self, images: Tensor) -> Tensor:
        """Correlate images with the kernels at all angles.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Images whose background is 0, to match the zero padding.

        Returns
        -------
        Tensor of shape (n, n_rotations, n_kernels, h', w')
            Response of each rotated kernel at each place.
        """
        bias = self.bias.repeat(len(self.angles))
        maps = F.conv2d(images, self.turned(), bias, padding=self.padding)
        return maps.unflatten(1, (len(self.angles), -1))


class AttentionVAEEncoder(VariationalEncoder):
    """Rotation- and translation-equivariant encoder of TARGET-VAE.

    A group convolution searches for the object at each of n rotations r and at all
    places p; its response gives the distribution q(r, p). In training one pair is
    drawn, relaxed by a Gumbel softmax of temperature 1. Its weights average the
    features of all pairs, and the average gives q(theta | r, p), concentrated near the
    r-th angle, and q(z | r, p).

    Parameters
    ----------
    aligner : ImageAligner
        Scales the images and, if it aligns, moves them.
    d : int
        Dimension of z.
    n_rotations : int
        Number n of rotations.
    n_kernels : int
        Number of kernels, and of features at each pair (r, p).
    kernel_size : int or None
        Side of the kernels in pixels, odd; None takes the largest odd side that fits
        the image. Ignored without translation.
    translation_std : float
        Standard deviation of the prior of p, as a fraction of the longer side. Ignored
        without translation.
    **options
        Further parameters of :class:`ImageEncoder`.

    Attributes
    ----------
    places : Tensor of shape (n_places, 2)
        The places p in grid units: all pixels, or the centre alone if the pose rule
        does not translate. The kernels then cover the central square whose side is the
        shorter side of the image.
    log_prior : Tensor of shape (n_rotations, n_places)
        Log-probability of each pair before the image is seen.

    See Also
    --------
    MLPVAEEncoder : Encoder of spatial-VAE.
    PoseVAE : Variational autoencoder that trains the encoder.

    Notes
    -----
    The priors are uniform in r, p ~ N(0, translation_std^2),
    theta ~ N(theta_r, (pi / n)^2) and z ~ N(0, 1). The divergences of theta and z are
    taken at the averaged features. The authors take their mean over q(r, p), which is
    slightly larger and needs n d numbers for each place.

    References
    ----------
    A. Nasiri and T. Bepler, "Unsupervised object representation learning using
    translation and rotation group equivariant VAE", NeurIPS 2022.
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
        """Return the means of the posterior over all pairs (r, p); circular for theta.

        Parameters
        ----------
        seen : Tensor of shape (n, c, h, w)
            Scaled, already aligned images.

        Returns
        -------
        Latents
            z (n, d), theta (n,) in [0, 2 pi) and tau (n, 2) in grid units.

        Notes
        -----
        Without gradients, a few images are encoded at a time: the features of all pairs
        of one image can take as much memory as a thousand images.
        """
        per_image = self.log_prior.numel() * self.attention.in_channels
        most = max(1, _MOST_VALUES // per_image)
        parts = [seen] if torch.is_grad_enabled() else seen.split(most)
        return Latents(*map(torch.cat, zip(*map(self._means, parts), strict=True)))

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
        """Return the means of the posterior of one part of the images."""
        found = self._find(seen)
        q = found.log_q.exp()
        x, y = self._direction(q).unbind(dim=1)
        mean = self._posterior(found, q).mean
        theta = wrap_angle(angle_of(x, y) + mean[:, 0])
        return Latents(mean[:, 1:], theta, self._tau(q))

    def _find(self, seen: Tensor) -> Candidates:
        """Return features and log-probabilities of all pairs (r, p)."""
        with autocast(seen.device, self.train_dtype if self.training else None):
            # The convolution pads with 0, so the background must be 0.
            lifted = F.leaky_relu(self.lift(self._middle(seen - self.aligner.fill)))
            features = F.leaky_relu(self.mix(lifted.flatten(0, 1)))
            logits = self.attention(features)
        features, logits = (
            maps.float().unflatten(0, (-1, lifted.shape[1])).flatten(3)
            for maps in (features, logits)
        )
        # Logits are relative to the prior, so training starts at the prior.
        log_q = (logits.squeeze(2) + self.log_prior).flatten(1).log_softmax(dim=1)
        return Candidates(features, log_q.unflatten(1, (lifted.shape[1], -1)))

    def _middle(self, seen: Tensor) -> Tensor:
        """Return the central square if the encoder looks only there, else the image."""
        if self.crop is None:
            return seen
        top, left = ((side - self.crop) // 2 for side in seen.shape[-2:])
        return seen[..., top : top + self.crop, left : left + self.crop]

    def _posterior(self, found: Candidates, weights: Tensor) -> Gaussian:
        """Return q of theta - theta_r and z, from features averaged by the weights."""
        features = torch.einsum("nrp,nrkp->nk", weights, found.features)
        return Gaussian.of(self.posterior(features))

    def _direction(self, weights: Tensor) -> Tensor:
        """Return the mean of (cos, sin) of the angles under the weights, (n, 2)."""
        angles = self.lift.angles
        units = torch.stack([angles.cos(), angles.sin()], dim=1)
        return weights.sum(dim=2) @ units

    def _tau(self, weights: Tensor) -> Tensor:
        """Return the mean place under the weights, (n, 2)."""
        return weights.sum(dim=1) @ self.places


def _log_prior(places: Tensor, std: float, n_rotations: int) -> Tensor:
    """Return the log-probability of each pair of a rotation and a place (p, 2)."""
    log_p = -places.square().sum(dim=1) / (2 * std**2)
    log_prior = log_p.log_softmax(dim=0) - math.log(n_rotations)
    return log_prior.expand(n_rotations, -1).clone()
