"""Training of the variational autoencoders: inputs and loss of a step."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from invariant_cluster.losses import cross_entropy, squared_error
from invariant_cluster.modules import VAEBatch
from invariant_cluster.training._term_net import TermNet


class VAENet(TermNet):
    """Net that trains a ``PoseVAE`` module on images without augmentation.

    Parameters
    ----------
    *args
        Positional arguments of :class:`TermNet`.
    n_pixels : int, optional
        Number of pixels that a step reconstructs per image; by default all of the disc.
    **kwargs
        Keyword arguments of :class:`TermNet`.

    See Also
    --------
    ELBOObjective : The loss of this net.
    IRLINRNet : Train by reconstruction and moved copies.
    """

    def __init__(self, *args: Any, n_pixels: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.n_pixels = n_pixels

    def infer(self, x: Tensor, **fit_params: Any) -> Any:
        """Return the output of one training step.

        Parameters
        ----------
        x : Tensor of shape (b, c, h, w)
            Raw images.
        **fit_params
            Accepted for skorch; ignored.

        Returns
        -------
        VAEBatch
            Reconstruction and divergence of the images.
        """
        aligner = self.module_.encoder.aligner
        seen = aligner(aligner.scale(x.to(self.device)))
        return self.module_.forward_sample(seen, self.n_pixels)


class ELBOObjective(nn.Module):
    """Negative evidence lower bound in nats per image.

    Parameters
    ----------
    divergence_weight : float, default=1.0
        Weight w of the divergence. 1 gives the bound itself; other values give the loss
        of a beta-VAE.

    See Also
    --------
    VAENet : The net that minimises this loss.

    Notes
    -----
    The loss is ``-E_q log p(J | z, theta, tau) + w KL(q || p)``. The expectation is
    estimated from one draw of q per image, and p is a Bernoulli distribution of each
    pixel in the disc.

    References
    ----------
    D. P. Kingma and M. Welling, "Auto-encoding variational Bayes", ICLR 2014.
    """

    def __init__(self, divergence_weight: float = 1.0) -> None:
        super().__init__()
        self.divergence_weight = divergence_weight

    def forward(self, batch: VAEBatch, _: object = None) -> dict[str, Tensor]:
        """Return the loss, its terms and the squared error.

        Parameters
        ----------
        batch : VAEBatch
            Output of :meth:`VAENet.infer`.

        Returns
        -------
        dict of str to Tensor of shape ()
            "loss"; "reconstruction", the cross-entropy per pixel in nats; "divergence",
            in nats per image; "squared_error" per pixel.
        """
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
