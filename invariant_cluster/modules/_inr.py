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
    shifts: Tensor

    def __init__(self, n_frequencies: int = 256, frequency_scale: float = 2.0) -> None:
        super().__init__()
        frequencies = torch.randn(n_frequencies, 2) * frequency_scale
        self.n_features = 2 * n_frequencies
        self.register_buffer("frequencies", frequencies)
        # cos(a) = sin(a + pi / 2): one pass makes both halves.
        shifts = torch.tensor([math.pi / 2, 0.0]).repeat_interleave(n_frequencies)
        self.register_buffer("shifts", shifts)

    def forward(self, points: Tensor) -> Tensor:
        """(..., 2) -> (..., 2 f), in float32."""
        both = 2 * math.pi * self.frequencies.repeat(2, 1)
        # In reduced precision the phase would lose its meaning.
        with torch.autocast(points.device.type, enabled=False):
            phase = torch.addmm(self.shifts, points.reshape(-1, 2), both.T)
        return phase.sin_().reshape(*points.shape[:-1], -1)


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
        layers = self._layers(eta)
        for weight, bias in layers[:-1]:
            x = F.relu_(torch.baddbmm(bias, x, weight))
        weight, bias = layers[-1]
        return torch.baddbmm(bias, x, weight)

    def _layers(self, eta: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return each layer's weights (n, n_in, n_out) and biases (n, 1, n_out)."""
        shapes = list(pairwise(self.sizes))
        counts = [count for a, b in shapes for count in (a * b, b)]
        parts = iter(eta.split(counts, dim=1))
        return [
            (next(parts).reshape(-1, n_in, n_out), next(parts)[:, None])
            for n_in, n_out in shapes
        ]

    def initial_weights(self) -> Tensor:
        """Return one Kaiming-initialised set of weights (biases 0), shape (k,)."""
        layers = []
        for n_in, n_out in pairwise(self.sizes):
            weight = torch.randn(n_in * n_out) * math.sqrt(2 / n_in)
            layers += [weight, torch.zeros(n_out)]
        return torch.cat(layers)
