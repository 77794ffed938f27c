"""Decoders: z and canonical coordinates -> the image's value there.

They are interchangeable: each maps z (n, d) and points (n, p, 2) to logits (n, p, c).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from invariant_cluster.modules._hypernetwork import Hypernetwork
from invariant_cluster.modules._inr import FourierFeatures, ImplicitNetwork


class HypernetworkDecoder(nn.Module):
    """IRL-INR's: z makes the weights of a network of its own for each image.

    Parameters
    ----------
    hypernetwork : Hypernetwork
    implicit : ImplicitNetwork
    """

    def __init__(self, hypernetwork: Hypernetwork, implicit: ImplicitNetwork) -> None:
        super().__init__()
        self.hypernetwork = hypernetwork
        self.implicit = implicit

    def forward(self, z: Tensor, points: Tensor) -> Tensor:
        """(n, d), (n, p, 2) -> logits (n, p, c)."""
        return self.implicit(points, self.hypernetwork(z))


class SpatialGenerator(nn.Module):
    """One MLP for all images, of coordinates and z (spatial-VAE, section 2.1).

    ``y = MLP(act(W_x f(x) + W_z z + b))``, f the identity or Fourier features.

    Parameters
    ----------
    d, n_channels : int
    hidden : sequence of int
        Widths of the hidden layers, at least one.
    features : FourierFeatures, optional
        Of the coordinates.
    activation : factory of the nonlinearity
    """

    def __init__(
        self,
        d: int,
        n_channels: int,
        hidden: Sequence[int],
        *,
        features: FourierFeatures | None = None,
        activation: Callable[[], nn.Module] = nn.LeakyReLU,
    ) -> None:
        super().__init__()
        self.features = features or nn.Identity()
        n_features = features.n_features if features else 2
        self.from_points = nn.Linear(n_features, hidden[0])
        self.from_z = nn.Linear(d, hidden[0], bias=False)
        layers: list[nn.Module] = [activation()]
        for n_in, n_out in pairwise(hidden):
            layers += [nn.Linear(n_in, n_out), activation()]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden[-1], n_channels))

    def forward(self, z: Tensor, points: Tensor) -> Tensor:
        """(n, d), (n, p, 2) -> logits (n, p, c)."""
        return self.layers(
            self.from_points(self.features(points)) + self.from_z(z)[:, None]
        )


class PixelDecoder(nn.Module):
    """A plain autoencoder's: z -> a pixel grid, which is turned by interpolation.

    Transposed convolutions draw the canonical image; its logits are read bilinearly at
    the points. What section 4.5 of the paper compares the INR with.

    Parameters
    ----------
    d, n_channels : int
    side : int
        Least pixels a side of the canonical image, which spans [-1, 1]^2.
    width : int
        Channels at full resolution.
    """

    _LEAST = 4

    def __init__(self, d: int, n_channels: int, side: int, width: int = 16) -> None:
        super().__init__()
        n_doublings = max(0, math.ceil(math.log2(side / self._LEAST)))
        widths = [width * 2**i for i in range(n_doublings, -1, -1)]
        self.start = nn.Linear(d, widths[0] * self._LEAST**2)
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths):
            layers += [
                nn.GroupNorm(1, n_in),
                nn.ReLU(),
                nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1),
            ]
        self.layers = nn.Sequential(
            *layers, nn.ReLU(), nn.Conv2d(width, n_channels, 3, padding=1)
        )

    def forward(self, z: Tensor, points: Tensor) -> Tensor:
        """(n, d), (n, p, 2) -> logits (n, p, c)."""
        start = self.start(z).unflatten(1, (-1, self._LEAST, self._LEAST))
        # grid_sample has y down; outside of the frame the border's value goes on.
        grid = (points * points.new_tensor([1.0, -1.0]))[:, :, None]
        values = F.grid_sample(
            self.layers(start).float(),
            grid,
            padding_mode="border",
            align_corners=False,
        )
        return values.squeeze(-1).transpose(1, 2)
