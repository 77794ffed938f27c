"""Augmented views in the form that an encoder takes."""

from __future__ import annotations

from torch import Tensor

from invariant_cluster.modules import ImageEncoder
from invariant_cluster.views import Augmentation


def augment_aligned(
    images: Tensor, encoder: ImageEncoder, augmentation: Augmentation
) -> Tensor:
    """Return augmented views of scaled images, aligned if the encoder aligns.

    Rotations, shifts and crops precede the alignment; deformation and changes of pixel
    values follow it.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images in [0, 1], not yet aligned.
    encoder : ImageEncoder
        Provides the aligner and the variation that z ignores.
    augmentation : Augmentation
        Parts of the augmentation.

    Returns
    -------
    Tensor of shape (n, c, h, w) or (n, c, side, side)
        One view per image, input of ``embed_aligned``.

    See Also
    --------
    contrast_views : Encode two such views of each image.
    """
    aligner, variation = encoder.aligner, encoder.variation
    moved = augmentation.move(images, aligner.fill, reflection=variation.reflection)
    seen = augmentation.distort(aligner(moved), aligner.fill, variation)
    return aligner.add_noise(seen)
