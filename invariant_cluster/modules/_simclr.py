"""SimCLR: an encoder and a projection head, trained to tell images apart."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from invariant_cluster._losses import effective_dimension, nt_xent_consistency
from invariant_cluster._runtime import autocast
from invariant_cluster.modules._mlp import make_mlp
from invariant_cluster.modules._trunk_encoder import TrunkEncoder


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
