"""Training of SimCLR: what a step sees and what it minimises."""

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
    """Trains a ``SimCLR`` module on two augmented views of each image.

    Parameters
    ----------
    augmentation : Augmentation
    """

    def __init__(self, *args: Any, augmentation: Augmentation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.augmentation = augmentation

    def infer(self, x: Tensor, **fit_params: Any) -> Any:
        """Raw images (b, c, h, w) -> ViewPair."""
        encoder = self.module_.encoder
        images = encoder.aligner.scale(x.to(self.device)).repeat(2, 1, 1, 1)
        seen = augment_aligned(images, encoder, self.augmentation)
        return self.module_.forward_views(seen)


class SimCLRObjective(nn.Module):
    """NT-Xent between the projections of two views (Chen et al., ICML 2020).

    Parameters
    ----------
    temperature : float
    """

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.contrast = partial(nt_xent_consistency, temperature=temperature)

    def forward(self, views: ViewPair, _: object = None) -> dict[str, Tensor]:
        """Return the loss, and how many dimensions z uses."""
        return {
            "loss": self.contrast(views.p1, views.p2),
            "effective_d": effective_dimension(views.z1.detach()),
        }
