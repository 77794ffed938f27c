"""The augmentations of the IRL-INR paper's appendix C, by name."""

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
    """An augmentation of image batches, named by its parts such as "S1+S2+R+T".

    The parts of the name are joined by "+":

    - R rotates by Uniform[0, 2 pi). - T shifts each coordinate by Uniform[-0.07, 0.07]
    of the longer side. - S1 is SimCLR's random crop (50 to 100 % of the area), colour
    jitter and blur. - S2 is the photometric part of RandAugment, followed by Cutout. -
    D deforms images as training with a :class:`Variation` does; it is not in the paper.

    Attributes
    ----------
    name : str
        One of ``AUGMENTATIONS``.

    See Also
    --------
    rigid_views : Rotate and shift images, the views of the consistency loss.
    vary : Deform images and add noise, the part "D".

    Notes
    -----
    SimCLR's S1 also flips images. Here no part flips, since a mirror image may show a
    different object; ``move`` takes ``reflection`` instead.

    References
    ----------
    S. Kwon, J. Y. Choi and E. K. Ryu, "Rotation and translation invariant
    representation learning with implicit neural representations", ICML 2023, appendix
    C.

    Examples
    --------
    >>> from invariant_cluster.views import Augmentation
    >>> augmentation = Augmentation("S1+R")
    >>> augmentation.has("R"), augmentation.has("T")
    (True, False)
    """

    name: str

    def has(self, part: str) -> bool:
        """Return whether a part is in the name.

        Parameters
        ----------
        part : {"R", "T", "S1", "S2", "D"}
            The part to look for.

        Returns
        -------
        bool
            True if the augmentation includes the part.
        """
        return part in self.name.split("+")

    def move(self, images: Tensor, fill: Tensor, *, reflection: bool = False) -> Tensor:
        """Rotate, shift and crop images: the parts R, T and the crop of S1.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Scaled images in [0, 1].
        fill : Tensor of shape (c, 1, 1)
            Background, used for pixels that enter the frame from outside.
        reflection : bool, default=False
            Whether to mirror each image first with probability 1/2.

        Returns
        -------
        Tensor of shape (n, c, h, w)
            Moved images, each by its own draw, resampled once. A crop is enlarged to
            the full frame.

        See Also
        --------
        distort : Apply the parts D, S1 and S2 that follow the alignment.
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
        """Deform images and change their pixel values: the parts D, S1 and S2.

        Parameters
        ----------
        images : Tensor of shape (n, c, h, w)
            Scaled images in [0, 1], already aligned if the encoder aligns.
        fill : Tensor of shape (c, 1, 1)
            Background.
        variation : Variation, default=NO_VARIATION
            Strengths of the deformation and noise of part D.

        Returns
        -------
        Tensor of shape (n, c, h, w)
            Changed images in [0, 1], each by its own draw.

        See Also
        --------
        move : Apply the parts R, T and the crop of S1.
        """
        if self.has("D"):
            images = vary(images, variation, fill)
        if self.has("S1"):
            images = jitter_colors(images, fill)
        if self.has("S2"):
            images = cut_out(random_augment(images, fill), fill)
        return images
