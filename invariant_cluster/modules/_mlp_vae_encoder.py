"""Spatial-VAE's encoder: pixels -> posterior of pose and z."""

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
    """MLP of all pixels (Bepler et al., NeurIPS 2019, section 2.2).

    The posterior is normal in theta, tau and z; the priors are theta ~ N(0, pi^2),
    tau ~ N(0, translation_std^2) and z ~ N(0, 1).

    Parameters
    ----------
    aligner : ImageAligner
    d : int
    hidden : sequence of int
        Widths of the hidden layers.
    translation_std : float
        As a fraction of the longer side; without effect where the rule has no tau.
    **options
        Of ImageEncoder.
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
        # tau in units of its prior's deviation; 0 where objects stay in the middle.
        self.tau_scale = 2 * translation_std * aligner.pose_rule.translates

    def infer_aligned(self, seen: Tensor) -> Latents:
        """Return the posterior's means."""
        theta, tau, z = self._posterior(seen).mean.split([1, 2, self.d], dim=1)
        return Latents(z, wrap_angle(theta[:, 0]), tau * self.tau_scale)

    def sample(self, seen: Tensor) -> LatentSample:
        """Draw theta, tau and z of images as they are encoded."""
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
        """Return the distribution of (theta, tau, z), (n, 3 + d)."""
        with autocast(seen.device, self.train_dtype if self.training else None):
            outputs = self.layers(seen.flatten(1))
        return Gaussian.of(outputs.float())
