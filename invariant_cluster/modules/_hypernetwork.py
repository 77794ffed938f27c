"""The hypernetwork: z -> the weights of the implicit network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from invariant_cluster.modules._inr import ImplicitNetwork
from invariant_cluster.modules._mlp import make_mlp

_MODULATION = 0.1


class Hypernetwork(nn.Module):
    """MLP z -> eta with LeakyReLU(0.1) (paper, appendix A).

    The last bias starts as a sane network (Kaiming) and the last weights are small, so
    that z modulates it: with the default initialisation the generated network would
    have weights of a size that suits no layer (compare Chang et al., "Principled weight
    initialization for hypernetworks", ICLR 2020).

    Parameters
    ----------
    d : int
        Dimension of z.
    implicit : ImplicitNetwork
        The network whose weights are generated.
    hidden : sequence of int
        The paper's are (256, 256, 256).
    """

    def __init__(
        self,
        d: int,
        implicit: ImplicitNetwork,
        hidden: Sequence[int] = (256, 256, 256),
    ) -> None:
        super().__init__()
        sizes = (d, *hidden, implicit.n_weights)
        self.layers = make_mlp(sizes, partial(nn.LeakyReLU, 0.1))
        last = cast(nn.Linear, self.layers[-1])
        with torch.no_grad():
            last.weight.mul_(_MODULATION)
            last.bias.copy_(implicit.initial_weights())

    def forward(self, z: Tensor) -> Tensor:
        """(n, d) -> (n, k)."""
        return self.layers(z)
