"""ResNet18 for small images."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a skip connection (He et al., 2016)."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv3x3(n_in, n_out, stride)
        self.norm1 = nn.BatchNorm2d(n_out)
        self.conv2 = _conv3x3(n_out, n_out, 1)
        self.norm2 = nn.BatchNorm2d(n_out)
        self.skip = _skip(n_in, n_out, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(n, n_in, h, w) -> (n, n_out, h / stride, w / stride)."""
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.skip(x))


class ResNet18(nn.Module):
    """ResNet18 with a 3x3 stem of stride 1 and no max-pool, for images of 8-100 pixels.

    Parameters
    ----------
    n_channels : int
        Channels of the images.
    width : int
        Channels of the first stage; 64 is the paper's.
    """

    def __init__(self, n_channels: int, width: int = 64) -> None:
        super().__init__()
        self.n_features = 8 * width
        self.stem = nn.Sequential(
            _conv3x3(n_channels, width, 1), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.stages = nn.Sequential(
            *_stage(width, width, 1),
            *_stage(width, 2 * width, 2),
            *_stage(2 * width, 4 * width, 2),
            *_stage(4 * width, 8 * width, 2),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, 8 * width), averaged over the image."""
        return self.stages(self.stem(images)).mean(dim=(-2, -1))


def _conv3x3(n_in: int, n_out: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)


def _stage(n_in: int, n_out: int, stride: int) -> list[nn.Module]:
    return [ResidualBlock(n_in, n_out, stride), ResidualBlock(n_out, n_out, 1)]


def _skip(n_in: int, n_out: int, stride: int) -> nn.Module:
    if stride == 1 and n_in == n_out:
        return nn.Identity()
    conv = nn.Conv2d(n_in, n_out, 1, stride=stride, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(n_out))
