"""Views that bend aligned images and add noise."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from invariant_cluster.geometry import (
    disc_mask,
    pixel_grid,
    rotation_matrix,
    sample_points,
)
from invariant_cluster.views._draws import uniform
from invariant_cluster.views._variation import Variation

# Of a deformation of strength 1; lengths are fractions of the longer side.
_STRETCH = 0.1
_TURN = 0.15
_BEND = 0.03
_N_NODES = 5
_SMOOTHING = 0.5
# Of noise of strength 1: the largest shares of pixels.
_DROPPED = 0.4
_ADDED = 0.1


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
        < uniform(images, 0, share * strength)[:, None, None, None]
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
    return _smooth(bent, uniform(images, -1, 1) * _SMOOTHING * strength)


def _smooth(images: Tensor, amount: Tensor) -> Tensor:
    """Move each image towards its 3 x 3 means by its amount (n,), or away below 0."""
    means = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return (images + amount[:, None, None, None] * (means - images)).clamp(0, 1)
