"""Training of SimCLR: views and loss of a step."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from invariant_cluster.losses import effective_dimension, nt_xent_consistency
from invariant_cluster.modules import ViewPair
from invariant_cluster.training._augmented import augment_aligned
from invariant_cluster.training._term_net import TermNet
from invariant_cluster.views import Augmentation


class SimCLRNet(TermNet):
    """Net that trains a ``SimCLR`` module on two augmented views of each image.

    Parameters
    ----------
    *args
        Positional arguments of :class:`TermNet`.
    augmentation : Augmentation
        Draws the views.
    **kwargs
        Keyword arguments of :class:`TermNet`.

    See Also
    --------
    SimCLRObjective : The loss of this net.
    IRLINRNet : Train by reconstruction and moved copies.
    """

    def __init__(self, *args: Any, augmentation: Augmentation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.augmentation = augmentation

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
        ViewPair
            Projections of both views, and z of the first.
        """
        encoder = self.module_.encoder
        images = encoder.aligner.scale(x.to(self.device)).repeat(2, 1, 1, 1)
        seen = augment_aligned(images, encoder, self.augmentation)
        return self.module_.forward_views(seen)


class SimCLRObjective(nn.Module):
    """NT-Xent loss between the projections of two views.

    Parameters
    ----------
    temperature : float
        Temperature of the loss. Higher values separate images less.

    See Also
    --------
    nt_xent_consistency : Return the loss.
    SimCLRNet : The net that minimises it.

    References
    ----------
    T. Chen et al., "A simple framework for contrastive learning of visual
    representations", ICML 2020, equation 1.
    """

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.contrast = partial(nt_xent_consistency, temperature=temperature)

    def forward(self, views: ViewPair, _: object = None) -> dict[str, Tensor]:
        """Return the loss and a diagnostic.

        Parameters
        ----------
        views : ViewPair
            Output of :meth:`SimCLRNet.infer`.

        Returns
        -------
        dict of str to Tensor of shape ()
            "loss", and "effective_d", the number of dimensions that z uses.
        """
        return {
            "loss": self.contrast(views.p1, views.p2),
            "effective_d": effective_dimension(views.z1.detach()),
        }
