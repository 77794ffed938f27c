"""Interchangeable decoders: z (n, d) and points (n, p, 2) to logits (n, p, c)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from invariant_cluster.modules._hypernetwork import Hypernetwork
from invariant_cluster.modules._inr import FourierFeatures, ImplicitNetwork


class HypernetworkDecoder(nn.Module):
    """IRL-INR's decoder: z generates the weights of a separate network for each image.

    Parameters
    ----------
    hypernetwork : Hypernetwork
        Maps z to the weights and biases of the implicit network.
    implicit : ImplicitNetwork
        Maps points to pixel values with these weights.

    See Also
    --------
    SpatialGenerator : Decode with one network for all images.
    PixelDecoder : Decode to a pixel grid, read by interpolation.

    References
    ----------
    S. Kwon, J. Y. Choi and E. K. Ryu, "Rotation and translation invariant
    representation learning with implicit neural representations", ICML 2023, section
    3.2.
    """

    def __init__(self, hypernetwork: Hypernetwork, implicit: ImplicitNetwork) -> None:
        super().__init__()
        self.hypernetwork = hypernetwork
        self.implicit = implicit

    def forward(self, z: Tensor, points: Tensor) -> Tensor:
        """Return the logits of the image of each z at canonical points.

        Parameters
        ----------
        z : Tensor of shape (n, d)
            Semantic representation.
        points : Tensor of shape (n, p, 2)
            Canonical points of each image.

        Returns
        -------
        Tensor of shape (n, p, c)
            Logits of the pixel values.
        """
        return self.implicit(points, self.hypernetwork(z))


class SpatialGenerator(nn.Module):
    """One MLP for all images that takes coordinates and z (spatial-VAE's decoder).

    Parameters
    ----------
    d : int
        Dimension of z.
    n_channels : int
        Channels of the images.
    hidden : sequence of int
        Widths of the hidden layers, at least one.
    features : FourierFeatures, optional
        Features of the coordinates; by default the coordinates themselves.
    activation : callable, default=nn.LeakyReLU
        Called without arguments, returns the nonlinearity between the layers.

    See Also
    --------
    HypernetworkDecoder : Decode with a separate network for each image.
    PixelDecoder : Decode to a pixel grid, read by interpolation.

    Notes
    -----
    ``y = MLP(act(W_x f(x) + W_z z + b))``, with f the features of the coordinates x.

    References
    ----------
    T. Bepler et al., "Explicitly disentangling image content from translation and
    rotation with spatial-VAE", NeurIPS 2019, section 2.1.
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
        """Return the logits of the image of each z at canonical points.

        Parameters
        ----------
        z : Tensor of shape (n, d)
            Semantic representation.
        points : Tensor of shape (n, p, 2)
            Canonical points of each image.

        Returns
        -------
        Tensor of shape (n, p, c)
            Logits of the pixel values.
        """
        return self.layers(
            self.from_points(self.features(points)) + self.from_z(z)[:, None]
        )


class PixelDecoder(nn.Module):
    """Convolutional decoder of a plain autoencoder: z to a pixel grid.

    Transposed convolutions draw the canonical image; its logits are interpolated
    bilinearly at the points. Section 4.5 of the IRL-INR paper compares the implicit
    network with such a decoder.

    Parameters
    ----------
    d : int
        Dimension of z.
    n_channels : int
        Channels of the images.
    side : int
        Minimum number of pixels per side of the canonical image, which spans [-1, 1]^2.
        The actual number is 4 times a power of 2.
    width : int, default=16
        Channels at full resolution; each halving of the resolution doubles them.

    See Also
    --------
    HypernetworkDecoder : Decode with a separate network for each image.
    SpatialGenerator : Decode with one network for all images.
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
        """Return the logits of the image of each z at canonical points.

        Parameters
        ----------
        z : Tensor of shape (n, d)
            Semantic representation.
        points : Tensor of shape (n, p, 2)
            Canonical points of each image; outside [-1, 1]^2 the border's value
            continues.

        Returns
        -------
        Tensor of shape (n, p, c)
            Logits of the pixel values.
        """
        start = self.start(z).unflatten(1, (-1, self._LEAST, self._LEAST))
        # grid_sample has y down; outside the frame the border's value continues.
        x, y = points.unbind(dim=2)
        grid = torch.stack([x, -y], dim=2)[:, :, None]
        values = F.grid_sample(
            self.layers(start).float(),
            grid,
            padding_mode="border",
            align_corners=False,
        )
        return values.squeeze(-1).transpose(1, 2)
