"""Random views of image batches."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from invariant_cluster._geometry import (
    disc_mask,
    move_images,
    pixel_grid,
    rotation_matrix,
    sample_affine,
    sample_points,
)
from invariant_cluster._photometry import cut_out, jitter_colors, random_augment
from invariant_cluster._variation import NO_VARIATION, Variation

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
# Of a deformation of strength 1; lengths are fractions of the longer side.
_STRETCH = 0.1
_TURN = 0.15
_BEND = 0.03
_N_NODES = 5
_SMOOTHING = 0.5
# Of noise of strength 1: the largest shares of pixels.
_DROPPED = 0.4
_ADDED = 0.1


def rigid_views(
    images: Tensor,
    *,
    translation_std: float,
    fill: Tensor | float,
    reflection: bool = False,
) -> Tensor:
    """Turn and shift each image at random (section 3.3.2).

    ``theta ~ Uniform[0, 2 pi)``, ``tau ~ N(0, sigma^2 I)``, one draw an image.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
    translation_std : float
        sigma as a fraction of the longer side; 0 turns only.
    fill : float or Tensor that broadcasts to the images
    reflection : bool
        Whether to mirror half of them too.
    """
    n = len(images)
    if reflection:
        images = mirror_some(images)
    theta = _uniform(images, 0, 2 * math.pi)
    tau = torch.randn(n, 2, device=images.device) * (2 * translation_std)
    return move_images(images, theta, tau, fill)


def mirror_some(images: Tensor) -> Tensor:
    """Mirror each image (n, c, h, w), left to right, with probability 1/2."""
    chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(chosen, images.flip(-1), images)


def vary(images: Tensor, variation: Variation, fill: Tensor) -> Tensor:
    """Deform aligned images and add noise, as far as the variation says."""
    return speckle(deform(images, variation.deformation, fill), variation.noise, fill)


def speckle(images: Tensor, strength: float, fill: Tensor) -> Tensor:
    """Drop pixels of each image to the background and add specks inside the disc.

    At strength s an image loses a share Uniform[0, 0.4 s] of its pixels, and a share
    Uniform[0, 0.1 s] moves away from the background by up to all there is.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w), in [0, 1]
    strength : float
        0 changes nothing.
    fill : Tensor of shape (c, 1, 1)
    """
    if not strength:
        return images
    n, _, height, width = images.shape
    dropped, added = (
        torch.rand(n, 1, height, width, device=images.device)
        < _uniform(images, 0, share * strength)[:, None, None, None]
        for share in (_DROPPED, _ADDED)
    )
    added &= disc_mask(height, width, device=images.device)
    farthest = (fill < 0.5).to(images.dtype)
    specks = fill + torch.rand_like(images) * (farthest - fill)
    is_stronger = (specks - fill).abs() > (images - fill).abs()
    images = torch.where(dropped, fill, images)
    return torch.where(added & is_stronger, specks, images)


def deform(images: Tensor, strength: float, fill: Tensor) -> Tensor:
    """Bend each image a little at random, as objects of one kind differ in shape.

    At strength s: an affine map ``exp(A)``, A of entries N(0, (0.1 s)^2), a turn
    N(0, (0.15 s)^2) rad, a shift and a smooth displacement N(0, (0.03 s)^2) of the
    longer side, then blurred or sharpened by up to s / 2.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w), in [0, 1]
    strength : float
        0 changes nothing.
    fill : Tensor of shape (c, 1, 1)
    """
    if not strength:
        return images
    n, _, height, width = images.shape
    normal = partial(torch.randn, device=images.device)
    stretch = torch.matrix_exp(normal(n, 2, 2) * _STRETCH * strength)
    matrix = stretch @ rotation_matrix(normal(n) * _TURN * strength)
    grid = pixel_grid(height, width, device=images.device)
    shift = normal(n, 1, 1, 2) * (2 * _BEND * strength)
    nodes = normal(n, 2, _N_NODES, _N_NODES) * (2 * _BEND * strength)
    bend = F.interpolate(nodes, (height, width), mode="bicubic", align_corners=True)
    points = torch.einsum("nij,hwj->nhwi", matrix, grid) + shift
    bent = sample_points(images, points + bend.permute(0, 2, 3, 1), fill)
    return _smooth(bent, _uniform(images, -1, 1) * _SMOOTHING * strength)


def _smooth(images: Tensor, amount: Tensor) -> Tensor:
    """Move each image towards its 3 x 3 means by its amount (n,), or away below 0."""
    means = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return (images + amount[:, None, None, None] * (means - images)).clamp(0, 1)


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
        theta = _uniform(images, 0, 2 * math.pi if self.has("R") else 0)
        shift = 2 * _SHIFT if self.has("T") else 0.0
        tau = torch.stack([_uniform(images, -shift, shift) for _ in range(2)], dim=1)
        low, high = _CROP_AREA if self.has("S1") else (1.0, 1.0)
        side = _uniform(images, low, high).sqrt()
        height, width = images.shape[-2:]
        edges = [extent / max(height, width) for extent in (width, height)]
        corner = torch.stack([_uniform(images, -e, e) for e in edges], dim=1)
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


def _uniform(images: Tensor, low: float, high: float) -> Tensor:
    """Return one draw an image, shape (n,)."""
    return torch.rand(len(images), device=images.device) * (high - low) + low
