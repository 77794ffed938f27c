"""The implicit neural representation: coordinates to pixel values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FourierFeatures(nn.Module):
    """Random Fourier features of coordinates.

    Parameters
    ----------
    n_frequencies : int, default=256
        Number f of random frequencies; there are 2 f features.
    frequency_scale : float, default=2.0
        Standard deviation of the frequencies, in cycles per grid unit (half the longer
        side of the image).

    Attributes
    ----------
    frequencies : Tensor of shape (n_frequencies, 2)
        The matrix B, drawn at initialisation and then fixed; a buffer.
    shifts : Tensor of shape (2 * n_frequencies,)
        Phase pi / 2 of the cosines and 0 of the sines; a buffer.
    n_features : int
        Number of features.

    See Also
    --------
    ImplicitNetwork : Map these features to pixel values.

    Notes
    -----
    ``FF(x) = (cos(2 pi B x), sin(2 pi B x))``, as in appendix A of the IRL-INR paper.

    References
    ----------
    M. Tancik et al., "Fourier features let networks learn high frequency functions in
    low dimensional domains", NeurIPS 2020.
    """

    frequencies: Tensor
    shifts: Tensor

    def __init__(self, n_frequencies: int = 256, frequency_scale: float = 2.0) -> None:
        super().__init__()
        frequencies = torch.randn(n_frequencies, 2) * frequency_scale
        self.n_features = 2 * n_frequencies
        self.register_buffer("frequencies", frequencies)
        # cos(a) = sin(a + pi / 2): one sine computes both halves.
        shifts = torch.tensor([math.pi / 2, 0.0]).repeat_interleave(n_frequencies)
        self.register_buffer("shifts", shifts)

    def forward(self, points: Tensor) -> Tensor:
        """Return the features of points.

        Parameters
        ----------
        points : Tensor of shape (..., 2)
            Points (x, y) in grid units.

        Returns
        -------
        Tensor of shape (..., 2 * n_frequencies), float32
            All cosines, then all sines.
        """
        both = 2 * math.pi * self.frequencies.repeat(2, 1)
        # The phase needs float32: it spans many periods.
        with torch.autocast(points.device.type, enabled=False):
            phase = torch.addmm(self.shifts, points.reshape(-1, 2), both.T)
        return phase.sin_().reshape(*points.shape[:-1], -1)


class ImplicitNetwork(nn.Module):
    """ReLU MLP on Fourier features, with weights given separately for each image.

    The network has no trainable parameters: a hypernetwork generates them. A whole
    batch of images takes one batched matrix product per layer.

    Parameters
    ----------
    n_channels : int, default=1
        Channels of the images.
    n_frequencies : int, default=256
        Number of random frequencies of the :class:`FourierFeatures`.
    frequency_scale : float, default=2.0
        Standard deviation of the frequencies, in cycles per grid unit.
    hidden : sequence of int, default=(256, 256, 256)
        Widths of the hidden layers; the default is the paper's.

    Attributes
    ----------
    features : FourierFeatures
        Features of the coordinates.
    sizes : tuple of int
        Widths of all layers, from the features to the channels.

    See Also
    --------
    Hypernetwork : Generate the weights.
    HypernetworkDecoder : Combine both networks.

    References
    ----------
    S. Kwon, J. Y. Choi and E. K. Ryu, "Rotation and translation invariant
    representation learning with implicit neural representations", ICML 2023, section
    3.2 and appendix A.
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
        """Number of weights and biases of each layer, ``(n_in + 1) * n_out``."""
        return [(n_in + 1) * n_out for n_in, n_out in pairwise(self.sizes)]

    @property
    def n_weights(self) -> int:
        """Number k of weights and biases of one image's network."""
        return sum(self.layer_sizes)

    def forward(self, points: Tensor, eta: Tensor) -> Tensor:
        """Return the logits of the pixel values.

        Parameters
        ----------
        points : Tensor of shape (n, p, 2)
            Canonical points of each image.
        eta : Tensor of shape (n, k)
            Weights and biases of each image's network: w_1, b_1, w_2, b_2, ... More
            than ``n_weights`` of them are ignored.

        Returns
        -------
        Tensor of shape (n, p, c)
            Logits of the pixel values.
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
        parts = iter(eta[:, : self.n_weights].split(counts, dim=1))
        return [
            (next(parts).reshape(-1, n_in, n_out), next(parts)[:, None])
            for n_in, n_out in shapes
        ]

    def initial_weights(self) -> Tensor:
        """Return one Kaiming-initialised set of weights, with biases 0.

        Returns
        -------
        Tensor of shape (k,)
            Weights and biases in the order of ``forward``.
        """
        layers = []
        for n_in, n_out in pairwise(self.sizes):
            weight = torch.randn(n_in * n_out) * math.sqrt(2 / n_in)
            layers += [weight, torch.zeros(n_out)]
        return torch.cat(layers)
