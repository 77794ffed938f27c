"""SimCLR: an encoder and its projection head."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from invariant_cluster.modules._mlp import make_mlp
from invariant_cluster.modules._trunk_encoder import TrunkEncoder
from invariant_cluster.runtime import autocast


class ViewPair(NamedTuple):
    """Projections of two views of each image.

    Attributes
    ----------
    p1 : Tensor of shape (n, projection_dim)
        Projections of the first views.
    p2 : Tensor of shape (n, projection_dim)
        Projections of the second views.
    z1 : Tensor of shape (n, d)
        z of the first views.
    """

    p1: Tensor
    p2: Tensor
    z1: Tensor


class SimCLR(nn.Module):
    """Encoder with a projection head that only training uses.

    Parameters
    ----------
    encoder : TrunkEncoder
        Maps raw images to z.
    projection_dim : int
        Dimension of the projections, in which the contrastive loss compares views.

    References
    ----------
    T. Chen et al., "A simple framework for contrastive learning of visual
    representations", ICML 2020.
    """

    def __init__(self, encoder: TrunkEncoder, projection_dim: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = make_mlp([encoder.d, encoder.d, projection_dim])

    def forward(self, raw: Tensor) -> Tensor:
        """Return z of raw images.

        Parameters
        ----------
        raw : Tensor of shape (n, c, h, w)
            Images in the user's units.

        Returns
        -------
        Tensor of shape (n, d)
            Semantic representation.
        """
        return self.encoder(raw)

    def forward_views(self, seen: Tensor) -> ViewPair:
        """Encode and project two views of each image.

        Parameters
        ----------
        seen : Tensor of shape (2 n, c, h, w)
            Scaled, already aligned images: the first views of n images, then the
            second.

        Returns
        -------
        ViewPair
            Projections of both views, and z of the first.
        """
        z = self.encoder.embed_aligned(seen)
        with autocast(z.device, self.encoder.train_dtype if self.training else None):
            projected = self.projector(z)
        p1, p2 = projected.float().chunk(2)
        return ViewPair(p1, p2, z.chunk(2)[0])
