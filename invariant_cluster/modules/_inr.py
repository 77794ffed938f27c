"""The implicit neural representation: coordinates -> pixel values, one net an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FourierFeatures(nn.Module):
    """``FF(x) = (cos(2 pi B x), sin(2 pi B x))``, B normal (paper, appendix A).

    Parameters
    ----------
    n_frequencies : int
        f, the rows of B; there are 2 f features.
    frequency_scale : float
        Standard deviation of B's entries, in cycles per unit (half the longer side).
    """

    frequencies: Tensor

    def __init__(self, n_frequencies: int = 256, frequency_scale: float = 2.0) -> None:
        super().__init__()
        frequencies = torch.randn(n_frequencies, 2) * frequency_scale
        self.register_buffer("frequencies", frequencies)

    def forward(self, points: Tensor) -> Tensor:
        """(..., 2) -> (..., 2 f)."""
        # No matrix product: in reduced precision the phase would lose its meaning.
        x, y = points[..., :1], points[..., 1:]
        phase = 2 * math.pi * (x * self.frequencies[:, 0] + y * self.frequencies[:, 1])
        return torch.cat([phase.cos(), phase.sin()], dim=-1)


class ImplicitNetwork(nn.Module):
    """A ReLU MLP on Fourier features whose weights are given, one set an image.

    It has no trainable parameters: the hypernetwork generates them. A whole batch runs
    as one matrix product a layer.

    Parameters
    ----------
    n_channels : int
    n_frequencies, frequency_scale : see FourierFeatures
    hidden : sequence of int
        Widths of the hidden layers; the paper's are (256, 256, 256).
    """

    def __init__(
        self,
        n_channels: int = 1,
        *,
        n_frequencies: int = 256,
        frequency_scale: float = 2.0,
        hidden: Sequence[int] = (256, 256, 256),
    ) -> None:
        super().__init__()
        self.features = FourierFeatures(n_frequencies, frequency_scale)
        self.sizes = (2 * n_frequencies, *hidden, n_channels)

    @property
    def layer_sizes(self) -> list[int]:
        """Weights and biases of each layer, counted: (n_in + 1) * n_out."""
        return [(n_in + 1) * n_out for n_in, n_out in pairwise(self.sizes)]

    @property
    def n_weights(self) -> int:
        """k, the number of weights and biases of one image's network."""
        return sum(self.layer_sizes)

    def forward(self, points: Tensor, eta: Tensor) -> Tensor:
        """Return the logits of the pixel values.

        Parameters
        ----------
        points : Tensor of shape (n, p, 2)
            Canonical coordinates.
        eta : Tensor of shape (n, k)
            Each image's weights and biases, w_1, b_1, w_2, b_2, ...

        Returns
        -------
        Tensor of shape (n, p, c)
        """
        x = self.features(points)
        blocks = eta.split(self.layer_sizes, dim=1)
        for block, (n_in, n_out) in zip(blocks, pairwise(self.sizes), strict=True):
            weight = block[:, : n_in * n_out].reshape(-1, n_in, n_out)
            bias = block[:, None, n_in * n_out :]
            x = torch.baddbmm(bias, x, weight)
            x = F.relu(x) if block is not blocks[-1] else x
        return x

    def initial_weights(self) -> Tensor:
        """Return one Kaiming-initialised set of weights (biases 0), shape (k,)."""
        layers = []
        for n_in, n_out in pairwise(self.sizes):
            weight = torch.randn(n_in * n_out) * math.sqrt(2 / n_in)
            layers += [weight, torch.zeros(n_out)]
        return torch.cat(layers)
