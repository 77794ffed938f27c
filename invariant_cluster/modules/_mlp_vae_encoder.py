"""Spatial-VAE's encoder: pixels to the posterior of pose and z."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from invariant_cluster.geometry import rotation_matrix, wrap_angle
from invariant_cluster.modules._image_aligner import ImageAligner
from invariant_cluster.modules._image_encoder import Latents
from invariant_cluster.modules._mlp import make_mlp
from invariant_cluster.modules._vae import Gaussian, LatentSample, VariationalEncoder
from invariant_cluster.runtime import autocast

_N_POSE = 3  # theta and both coordinates of tau


class MLPVAEEncoder(VariationalEncoder):
    """Encoder of spatial-VAE: an MLP on all pixels.

    Parameters
    ----------
    aligner : ImageAligner
        Scales the images and, if it aligns, moves them.
    d : int
        Dimension of z.
    hidden : sequence of int
        Widths of the hidden layers.
    translation_std : float
        Standard deviation of the prior of tau, as a fraction of the longer side.
        Ignored if the pose rule does not translate.
    **options
        Further parameters of :class:`ImageEncoder`.

    Attributes
    ----------
    tau_scale : float
        Standard deviation of the prior of tau in grid units; 0 if the pose rule does
        not translate.

    See Also
    --------
    AttentionVAEEncoder : Encoder of TARGET-VAE.
    PoseVAE : Variational autoencoder that trains the encoder.

    Notes
    -----
    The posterior is normal in theta, tau and z. The priors are theta ~ N(0, pi^2),
    tau ~ N(0, translation_std^2) and z ~ N(0, 1).

    References
    ----------
    T. Bepler et al., "Explicitly disentangling image content from translation and
    rotation with spatial-VAE", NeurIPS 2019, section 2.2.
    """

    def __init__(
        self,
        aligner: ImageAligner,
        *,
        d: int,
        hidden: Sequence[int],
        translation_std: float,
        **options: Any,
    ) -> None:
        super().__init__(aligner, d=d, normalize=False, **options)
        sizes = [math.prod(aligner.seen_shape), *hidden, 2 * (_N_POSE + d)]
        self.layers = make_mlp(sizes, nn.Tanh)
        # Prior deviation of tau in grid units; 0 if objects stay in the middle.
        self.tau_scale = 2 * translation_std * aligner.pose_rule.translates

    def infer_aligned(self, seen: Tensor) -> Latents:
        """Return the means of the posterior.

        Parameters
        ----------
        seen : Tensor of shape (n, c, h, w)
            Scaled, already aligned images.

        Returns
        -------
        Latents
            z (n, d), theta (n,) in [0, 2 pi) and tau (n, 2) in grid units.
        """
        theta, tau, z = self._posterior(seen).mean.split([1, 2, self.d], dim=1)
        return Latents(z, wrap_angle(theta[:, 0]), tau * self.tau_scale)

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
            priors; without translation that of tau is not counted.
        """
        posterior = self._posterior(seen)
        drawn = posterior.sample()
        theta, others = posterior.split(1)
        used = others if self.tau_scale else posterior.split(_N_POSE)[1]
        divergence = theta.divergence(math.pi) + used.divergence()
        return LatentSample(
            drawn[:, _N_POSE:],
            rotation_matrix(drawn[:, 0]),
            drawn[:, 1:_N_POSE] * self.tau_scale,
            divergence,
        )

    def _posterior(self, seen: Tensor) -> Gaussian:
        """Return the joint distribution of theta, tau and z, with 3 + d dimensions."""
        with autocast(seen.device, self.train_dtype if self.training else None):
            outputs = self.layers(seen.flatten(1))
        return Gaussian.of(outputs.float())
