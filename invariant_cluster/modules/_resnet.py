"""Residual networks for small images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class StridedPointwise(nn.Conv2d):
    """Strided 1x1 convolution in two steps: subsample, then convolve with stride 1.

    Parameters
    ----------
    n_in : int
        Channels of the input.
    n_out : int
        Channels of the output.
    step : int
        Stride: every step-th row and column is used, starting with the first.

    Notes
    -----
    The two steps avoid a crash of oneDNN in the weight gradient of a strided 1x1
    convolution. In channels-last memory it writes out of bounds when the input has
    fewer channels than a vector register holds numbers (16 with AVX-512, 8 with AVX2;
    issue 6035 of uxlfoundation/oneDNN). With stride 1 the error does not occur.
    """

    def __init__(self, n_in: int, n_out: int, step: int) -> None:
        super().__init__(n_in, n_out, 1, bias=False)
        self.step = step

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of every step-th pixel.

        Parameters
        ----------
        x : Tensor of shape (n, n_in, h, w)
            Feature maps.

        Returns
        -------
        Tensor of shape (n, n_out, ceil(h / step), ceil(w / step))
            Feature maps.
        """
        return super().forward(self.subsampled(x))

    def subsampled(self, x: Tensor) -> Tensor:
        """Return every step-th row and column of feature maps.

        Parameters
        ----------
        x : Tensor of shape (n, n_in, h, w)
            Feature maps.

        Returns
        -------
        Tensor of shape (n, n_in, ceil(h / step), ceil(w / step))
            A view.
        """
        return x[..., :: self.step, :: self.step]

    def extra_repr(self) -> str:
        """Return the text that ``print`` shows: a stride-1 convolution and the step."""
        return f"{super().extra_repr()}, step={self.step}"


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a skip connection.

    Parameters
    ----------
    n_in : int
        Channels of the input.
    n_out : int
        Channels of the output.
    stride : int
        Stride of the first convolution and of the skip connection.

    References
    ----------
    K. He et al., "Deep residual learning for image recognition", CVPR 2016.
    """

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv3x3(n_in, n_out, stride)
        self.norm1 = nn.BatchNorm2d(n_out)
        self.conv2 = _conv3x3(n_out, n_out, 1)
        self.norm2 = nn.BatchNorm2d(n_out)
        self.skip = _skip(n_in, n_out, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output of the block.

        Parameters
        ----------
        x : Tensor of shape (n, n_in, h, w)
            Feature maps.

        Returns
        -------
        Tensor of shape (n, n_out, ceil(h / stride), ceil(w / stride))
            Feature maps, not negative.
        """
        y = F.relu(normalized(x, self.conv1, self.norm1), inplace=True)
        y = normalized(y, self.conv2, self.norm2)
        y += normalized(x, *self.skip) if len(self.skip) else x
        return F.relu(y, inplace=True)


class Stage(NamedTuple):
    """Consecutive residual blocks of the same width.

    Attributes
    ----------
    width : int
        Channels.
    n_blocks : int
        Number of blocks.
    stride : int
        Stride of the first block.
    """

    width: int
    n_blocks: int
    stride: int


class ResNet(nn.Module):
    """ResNet with a 3x3 stem of stride 1 and without max-pooling.

    The stem keeps the resolution of the images, which suits sides of 8 to 100 pixels.

    Parameters
    ----------
    n_channels : int
        Channels of the images.
    n_first : int
        Channels of the stem.
    stages : sequence of Stage
        The residual blocks.

    Attributes
    ----------
    n_first : int
        Channels of the stem.
    n_features : int
        Number of output features, the width of the last stage.

    See Also
    --------
    ResNet18 : The paper's trunk.
    ResNet8 : A trunk for a CPU.

    Notes
    -----
    Weights and images are in channels-last memory, which makes convolutions on a CPU up
    to 1.8 times faster.

    References
    ----------
    K. He et al., "Deep residual learning for image recognition", CVPR 2016.
    """

    def __init__(self, n_channels: int, n_first: int, stages: Sequence[Stage]) -> None:
        super().__init__()
        self.n_first = n_first
        self.n_features = stages[-1].width
        self.stem = nn.Sequential(
            _conv3x3(n_channels, n_first, 1), nn.BatchNorm2d(n_first)
        )
        widths = [n_first, *(stage.width for stage in stages)]
        self.stages = nn.Sequential(
            *(
                block
                for n_in, stage in zip(widths, stages, strict=False)
                for block in _blocks(n_in, stage)
            )
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def early_layers(self) -> list[nn.Module]:
        """The stem.

        With the first stage too, a step of fine-tuning is a quarter shorter, and
        clusters of plankton are three points worse.
        """
        return [self.stem]

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images, averaged over the pixels.

        Parameters
        ----------
        images : Tensor of shape (n, n_channels, h, w)
            Scaled images.

        Returns
        -------
        Tensor of shape (n, n_features)
            Features, not negative.
        """
        inputs = images.contiguous(memory_format=torch.channels_last)
        first = F.relu(normalized(inputs, *self.stem), inplace=True)
        return self.stages(first).mean(dim=(-2, -1))


class ResNet18(ResNet):
    """ResNet18 for small images, the trunk of the IRL-INR paper.

    Parameters
    ----------
    n_channels : int
        Channels of the images.
    width : int, default=64
        Channels of the stem and of the first stage; the default is the paper's. The
        last stage has ``8 * width``.

    See Also
    --------
    ResNet8 : A trunk with a fifth of the arithmetic at the same width.
    TrunkEncoder : Encoder that uses such a trunk.
    """

    def __init__(self, n_channels: int, width: int = 64) -> None:
        strides = {1: 1, 2: 2, 4: 2, 8: 2}
        stages = [Stage(width * k, 2, stride) for k, stride in strides.items()]
        super().__init__(n_channels, width, stages)


class ResNet8(ResNet):
    """ResNet with three stages of one block, each of which halves the resolution.

    Only the stem works at full resolution, where a CPU spends most of the time of a
    :class:`ResNet18` on memory.

    Parameters
    ----------
    n_channels : int
        Channels of the images.
    width : int, default=16
        Channels of the stem. The stages have 2, 4 and 8 times as many.

    See Also
    --------
    ResNet18 : The paper's trunk.
    """

    def __init__(self, n_channels: int, width: int = 16) -> None:
        stages = [Stage(width * k, 1, 2) for k in (2, 4, 8)]
        super().__init__(n_channels, width, stages)


def normalized(x: Tensor, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> Tensor:
    """Return the batch-normalised convolution of feature maps.

    Parameters
    ----------
    x : Tensor of shape (n, n_in, h, w)
        Feature maps.
    conv : nn.Conv2d
        Convolution without bias.
    norm : nn.BatchNorm2d
        Normalisation of its output.

    Returns
    -------
    Tensor of shape (n, n_out, h', w')
        ``norm(conv(x))``. In evaluation mode, where the statistics are constant, the
        normalisation is folded into the weights: the maps are written once, not twice.
    """
    if norm.training:
        return norm(conv(x))
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
    bias = norm.bias - norm.running_mean * scale
    weight = conv.weight * scale[:, None, None, None]
    if isinstance(conv, StridedPointwise):
        x = conv.subsampled(x)
    return F.conv2d(x, weight, bias, conv.stride, conv.padding)


def _conv3x3(n_in: int, n_out: int, stride: int) -> nn.Conv2d:
    """Return a 3x3 convolution with padding 1 and without bias."""
    return nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)


def _blocks(n_in: int, stage: Stage) -> list[nn.Module]:
    """Return the residual blocks of a stage; the first one has the stride."""
    width, n_blocks, stride = stage
    more = [ResidualBlock(width, width, 1) for _ in range(n_blocks - 1)]
    return [ResidualBlock(n_in, width, stride), *more]


def _skip(n_in: int, n_out: int, stride: int) -> nn.Sequential:
    """Return a normalised 1x1 convolution where the shape changes, else nothing."""
    if stride == 1 and n_in == n_out:
        return nn.Sequential()
    return nn.Sequential(StridedPointwise(n_in, n_out, stride), nn.BatchNorm2d(n_out))
