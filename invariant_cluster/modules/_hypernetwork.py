"""The hypernetwork: z to the weights of the implicit network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from invariant_cluster.modules._inr import ImplicitNetwork
from invariant_cluster.modules._mlp import make_mlp

_MODULATION = 0.1
_MULTIPLE = 8


class Hypernetwork(nn.Module):
    """MLP that maps z to the weights eta of the implicit network.

    Parameters
    ----------
    d : int
        Dimension of z.
    implicit : ImplicitNetwork
        The network whose weights are generated.
    hidden : sequence of int, default=(256, 256, 256)
        Widths of the hidden layers; the default is the paper's.

    See Also
    --------
    ImplicitNetwork : Evaluate the generated network.
    HypernetworkDecoder : Combine both networks.

    Notes
    -----
    The activation is LeakyReLU(0.1), as in appendix A of the IRL-INR paper. The last
    bias is a Kaiming-initialised set of weights of the implicit network, and the last
    weights are reduced to a tenth, so z first modulates a well-scaled network. With
    PyTorch's default initialisation the generated weights would have the wrong scale in
    every layer.

    References
    ----------
    O. Chang, L. Flokas and H. Lipson, "Principled weight initialization for
    hypernetworks", ICLR 2020.
    """

    def __init__(
        self,
        d: int,
        implicit: ImplicitNetwork,
        hidden: Sequence[int] = (256, 256, 256),
    ) -> None:
        super().__init__()
        initial = implicit.initial_weights()
        initial = F.pad(initial, (0, -len(initial) % _MULTIPLE))
        self.layers = make_mlp((d, *hidden, len(initial)), partial(nn.LeakyReLU, 0.1))
        last = cast(nn.Linear, self.layers[-1])
        with torch.no_grad():
            last.weight.mul_(_MODULATION)
            last.bias.copy_(initial)

    def forward(self, z: Tensor) -> Tensor:
        """Return the weights of each image's implicit network.

        Parameters
        ----------
        z : Tensor of shape (n, d)
            Semantic representation.

        Returns
        -------
        Tensor of shape (n, k)
            Weights and biases eta. k is ``implicit.n_weights`` rounded up to a multiple
            of 8, for which GPUs have the faster kernels; the last few are not used.
        """
        return self.layers(z)
