"""SimCLR: an encoder and the projection head that contrast needs."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from invariant_cluster.modules._mlp import make_mlp
from invariant_cluster.modules._trunk_encoder import TrunkEncoder
from invariant_cluster.runtime import autocast


class ViewPair(NamedTuple):
    """Two views of each image: projections p (n, k), and z (n, d) of the first."""

    p1: Tensor
    p2: Tensor
    z1: Tensor


class SimCLR(nn.Module):
    """An encoder and a projection head that only training uses.

    Parameters
    ----------
    encoder : TrunkEncoder
    projection_dim : int
        Dimension in which views are compared.
    """

    def __init__(self, encoder: TrunkEncoder, projection_dim: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = make_mlp([encoder.d, encoder.d, projection_dim])

    def forward(self, raw: Tensor) -> Tensor:
        """Raw images (n, c, h, w) -> z (n, d)."""
        return self.encoder(raw)

    def forward_views(self, seen: Tensor) -> ViewPair:
        """Encode two views of each image, all aligned, (2 n, c, h, w)."""
        z = self.encoder.embed_aligned(seen)
        with autocast(z.device, self.encoder.train_dtype if self.training else None):
            projected = self.projector(z)
        p1, p2 = projected.float().chunk(2)
        return ViewPair(p1, p2, z.chunk(2)[0])
