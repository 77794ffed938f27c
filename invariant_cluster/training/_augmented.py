"""Augmented views as an encoder takes them."""

from __future__ import annotations

from torch import Tensor

from invariant_cluster.modules import ImageEncoder
from invariant_cluster.views import Augmentation


def augment_aligned(
    images: Tensor, encoder: ImageEncoder, augmentation: Augmentation
) -> Tensor:
    """Return augmented views of scaled images, aligned as the encoder takes them."""
    aligner, variation = encoder.aligner, encoder.variation
    moved = augmentation.move(images, aligner.fill, reflection=variation.reflection)
    return augmentation.distort(aligner(moved), aligner.fill, variation)
