"""The part of an encoder that users may bring."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from invariant_cluster.modules import ImageAligner, ResNet, ResNet8, ResNet18

RESNETS: dict[str, Callable[[int, int], ResNet]] = {
    "resnet8": ResNet8,
    "resnet18": ResNet18,
}


def make_trunk(
    encoder: str | Callable[[int], nn.Module], width: int, aligner: ImageAligner
) -> tuple[nn.Module, int]:
    """Return the trunk for what the aligner yields, and how many features it has.

    Parameters
    ----------
    encoder : str or callable
        A key of ``RESNETS``, or a factory ``encoder(n_channels)`` of an ``nn.Module``.
    width : int
        Of the ResNet.
    aligner : ImageAligner
    """
    shape = aligner.seen_shape
    if not callable(encoder):
        resnet = RESNETS[encoder](shape[0], width)
        return resnet, resnet.n_features
    trunk = encoder(shape[0])
    return trunk, _count_features(trunk, aligner)


def _count_features(trunk: nn.Module, aligner: ImageAligner) -> int:
    """Return the n_features of a user's encoder, from one forward pass."""
    if not isinstance(trunk, nn.Module):
        raise TypeError(
            f"encoder made {trunk!r}, no nn.Module: it must be a factory, encoder("
            "n_channels), of a module that maps images to features (n, n_features)."
        )
    shape = aligner.seen_shape
    trunk.eval()
    try:
        with torch.no_grad():
            features = trunk(torch.zeros(2, *shape))
    except RuntimeError as error:
        remedy = "it must take them"
        if aligner.side:
            remedy += ", or set field_of_view=1 for whole images"
        raise ValueError(
            f"encoder failed on 2 images of shape {shape}, as they are encoded "
            f"({error}): {remedy}."
        ) from error
    if features.ndim != 2 or len(features) != 2:
        raise ValueError(
            f"encoder returned shape {tuple(features.shape)} for 2 images of shape "
            f"{shape}: it must return features (n, n_features)."
        )
    return features.shape[1]
