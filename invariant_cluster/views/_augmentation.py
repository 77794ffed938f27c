"""The augmentations of the paper's appendix C, by name."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from invariant_cluster.geometry import rotation_matrix, sample_affine
from invariant_cluster.views._deformation import vary
from invariant_cluster.views._draws import uniform
from invariant_cluster.views._photometry import cut_out, jitter_colors, random_augment
from invariant_cluster.views._rigid import mirror_some
from invariant_cluster.views._variation import NO_VARIATION, Variation

AUGMENTATIONS = (
    "R",
    "R+T",
    "S1",
    "S1+R",
    "S1+R+T",
    "S1+S2",
    "S1+S2+R",
    "S1+S2+R+T",
    "R+D",
    "R+T+D",
)
_SHIFT = 0.07
_CROP_AREA = (0.5, 1.0)


class Augmentation(NamedTuple):
    """One of the paper's augmentations (appendix C), or ours, on batches in [0, 1].

    R turns by Uniform[0, 2 pi), T shifts by Uniform[-0.07, 0.07] of the longer side, S1
    is SimCLR's crop, colour jitter and blur, S2 is RandAugment's photometric part and
    Cutout. S1 does not mirror: a mirror image is another object. D, which is ours,
    varies aligned images as the embedder does (:func:`vary`).

    Attributes
    ----------
    name : str
        One of ``AUGMENTATIONS``.
    """

    name: str

    def has(self, part: str) -> bool:
        """Tell whether the part, "R", "T", "S1", "S2" or "D", is in the name."""
        return part in self.name.split("+")

    def move(self, images: Tensor, fill: Tensor, *, reflection: bool = False) -> Tensor:
        """Turn, shift and crop, in one interpolation; (n, c, h, w) to the same.

        With ``reflection`` half of the images are mirrored first.
        """
        if reflection:
            images = mirror_some(images)
        theta = uniform(images, 0, 2 * math.pi if self.has("R") else 0)
        shift = 2 * _SHIFT if self.has("T") else 0.0
        tau = torch.stack([uniform(images, -shift, shift) for _ in range(2)], dim=1)
        low, high = _CROP_AREA if self.has("S1") else (1.0, 1.0)
        side = uniform(images, low, high).sqrt()
        height, width = images.shape[-2:]
        edges = [extent / max(height, width) for extent in (width, height)]
        corner = torch.stack([uniform(images, -e, e) for e in edges], dim=1)
        matrix = side[:, None, None] * rotation_matrix(-theta)
        offset = (1 - side)[:, None] * corner - (matrix @ tau[:, :, None]).squeeze(-1)
        return sample_affine(images, matrix, offset, fill)

    def distort(
        self, images: Tensor, fill: Tensor, variation: Variation = NO_VARIATION
    ) -> Tensor:
        """Deform and change values of aligned images; (n, c, h, w) to the same."""
        if self.has("D"):
            images = vary(images, variation, fill)
        if self.has("S1"):
            images = jitter_colors(images, fill)
        if self.has("S2"):
            images = cut_out(random_augment(images, fill), fill)
        return images
