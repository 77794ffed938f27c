"""Training of SimCLR: views and loss of a step."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from invariant_cluster.losses import effective_dimension, nt_xent_consistency
from invariant_cluster.modules import SimCLR, ViewPair
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
        return contrast_views(self.module_, x.to(self.device), self.augmentation)


def contrast_views(module: SimCLR, raw: Tensor, augmentation: Augmentation) -> ViewPair:
    """Encode two augmented views of each raw image.

    Parameters
    ----------
    module : SimCLR
        Encoder and projection head, on the device of the images.
    raw : Tensor of shape (n, c, h, w)
        Images in the user's units.
    augmentation : Augmentation
        Draws the views.

    Returns
    -------
    ViewPair
        Projections of both views, and z of the first.

    See Also
    --------
    SimCLRObjective : Return the loss of the views.
    """
    images = module.encoder.aligner.scale(raw).repeat(2, 1, 1, 1)
    return module.forward_views(augment_aligned(images, module.encoder, augmentation))


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
