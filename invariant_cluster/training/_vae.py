"""Training of the variational autoencoders: what a step sees and what it minimises."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from invariant_cluster.losses import cross_entropy, squared_error
from invariant_cluster.modules import VAEBatch
from invariant_cluster.training._term_net import TermNet


class VAENet(TermNet):
    """Trains a ``PoseVAE`` module on images as they are.

    Parameters
    ----------
    n_pixels : int or None
        Pixels that are reconstructed in a step.
    """

    def __init__(self, *args: Any, n_pixels: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.n_pixels = n_pixels

    def infer(self, x: Tensor, **fit_params: Any) -> Any:
        """Raw images (b, c, h, w) -> VAEBatch."""
        aligner = self.module_.encoder.aligner
        seen = aligner(aligner.scale(x.to(self.device)))
        return self.module_.forward_sample(seen, self.n_pixels)


class ELBOObjective(nn.Module):
    """Negative evidence lower bound in nats an image (Kingma and Welling, ICLR 2014).

    ``-E_q log p(J | z, theta, tau) + weight * KL(q || p)``, one draw of q an image;
    p is Bernoulli for each pixel of the disc.

    Parameters
    ----------
    divergence_weight : float
        1 is the bound itself; others are a beta-VAE's.
    """

    def __init__(self, divergence_weight: float = 1.0) -> None:
        super().__init__()
        self.divergence_weight = divergence_weight

    def forward(self, batch: VAEBatch, _: object = None) -> dict[str, Tensor]:
        """Return the bound as "loss", the cross-entropy of a pixel, KL, an error."""
        logits, targets = batch.reconstruction
        reconstruction = cross_entropy(logits, targets)
        divergence = batch.divergence.mean()
        return {
            "loss": batch.n_pixels * reconstruction
            + self.divergence_weight * divergence,
            "reconstruction": reconstruction,
            "divergence": divergence,
            "squared_error": squared_error(logits.detach(), targets),
        }
