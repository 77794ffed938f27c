"""Views that deform aligned images and add noise."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from invariant_cluster.geometry import (
    exponential,
    homogeneous_grid,
    kept,
    kept_disc,
    rotation_matrix,
    sample_points,
)
from invariant_cluster.views._draws import uniform
from invariant_cluster.views._variation import Variation

# Deformation of strength 1; lengths are fractions of the longer side.
_STRETCH = 0.1
_TURN = 0.15
_BEND = 0.03
_N_NODES = 5
_SMOOTHING = 0.5
# Noise of strength 1: largest shares of dropped and of added pixels.
_DROPPED = 0.4
_ADDED = 0.1


def vary(images: Tensor, variation: Variation, fill: Tensor) -> Tensor:
    """Deform aligned images, add noise and change their contrast, as a variation says.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Scaled images in [0, 1].
    variation : Variation
        Strengths of the changes; its ``reflection`` is not applied here.
    fill : Tensor of shape (c, 1, 1)
        Background.

    Returns
    -------
    Tensor of shape (n, c, h, w)
        Varied images, each by its own draw.

    See Also
    --------
    deform : Apply the deformation alone.
    speckle : Apply the noise alone.
    """
    images = speckle(deform(images, variation.deformation, fill), variation.noise, fill)
    if not variation.contrast:
        return images
    factor = 1 + variation.contrast * uniform(images, -1, 1)
    return (fill + factor[:, None, None, None] * (images - fill)).clamp(0, 1)


def speckle(images: Tensor, strength: float, fill: Tensor) -> Tensor:
    """Replace random pixels by the background, and add specks inside the disc.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Scaled images in [0, 1].
    strength : float
        Strength s >= 0 of the noise; 0 returns the images unchanged.
    fill : Tensor of shape (c, 1, 1)
        Background.

    Returns
    -------
    Tensor of shape (n, c, h, w)
        Noisy images in [0, 1], each with its own shares of changed pixels.

    See Also
    --------
    deform : Deform images instead.
    vary : Apply both.

    Notes
    -----
    Each pixel is dropped with a probability that is drawn per image from
    Uniform[0, 0.4 s], and becomes a speck with one from Uniform[0, 0.1 s]. A speck lies
    between the background and whichever of 0 and 1 is farther from it; it only replaces
    values that are closer to the background.
    """
    if not strength:
        return images
    n, _, height, width = images.shape
    dropped, added = (
        torch.rand(n, 1, height, width, device=images.device)
        < uniform(images, 0, share * strength)[:, None, None, None]
        for share in (_DROPPED, _ADDED)
    )
    added &= kept_disc(height, width, torch.bool, images.device)
    farthest = (fill < 0.5).to(images.dtype)
    specks = fill + torch.rand_like(images) * (farthest - fill)
    is_stronger = (specks - fill).abs() > (images - fill).abs()
    images = torch.where(dropped, fill, images)
    return torch.where(added & is_stronger, specks, images)


def deform(images: Tensor, strength: float, fill: Tensor) -> Tensor:
    """Deform each image a little at random, as objects of one class differ in shape.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Scaled images in [0, 1].
    strength : float
        Strength s >= 0 of the deformation; 0 returns the images unchanged.
    fill : Tensor of shape (c, 1, 1)
        Background, used for pixels that enter the frame from outside.

    Returns
    -------
    Tensor of shape (n, c, h, w)
        Deformed images in [0, 1], each by its own draw.

    See Also
    --------
    speckle : Add noise instead.
    vary : Apply both.

    Notes
    -----
    Coordinates are mapped by ``exp(A)``, where A has entries from N(0, (0.1 s)^2), by a
    rotation from N(0, (0.15 s)^2) rad, and by a shift and a smooth displacement from
    N(0, (0.03 s)^2) of the longer side. The displacement is a bicubic interpolation of
    5 x 5 random vectors. Each image is then blurred or sharpened: moved towards or away
    from its 3 x 3 means by at most s / 2 of the difference.
    """
    if not strength:
        return images
    size = images.shape[-2:]
    basis = _bending_basis(*size, images.device)
    maps = _random_maps(len(images), strength, images.device)
    bent = sample_points(images, (basis @ maps).unflatten(1, size), fill)
    return _smooth(bent, uniform(images, -1, 1) * _SMOOTHING * strength)


def _random_maps(n: int, strength: float, device: torch.device) -> Tensor:
    """Return random maps, coefficients (n, 3 + nodes, 2) of the bending basis."""
    normal = partial(torch.randn, device=device)
    stretch = exponential(normal(n, 2, 2) * _STRETCH * strength)
    matrix = stretch @ rotation_matrix(normal(n) * _TURN * strength)
    displacements = normal(n, 1 + _N_NODES**2, 2) * (2 * _BEND * strength)
    return torch.cat([matrix.mT, displacements], dim=1)


@kept
def _bending_basis(height: int, width: int, device: torch.device) -> Tensor:
    """Return the coordinates and what each node adds to them, (h w, 3 + nodes).

    The columns are x, y, 1 and, for each of the nodes, the bicubic interpolation of an
    image that is 1 there and 0 at the others.
    """
    longer = max(height, width)
    frame = homogeneous_grid(height, width, longer, torch.float32, device)
    nodes = torch.eye(_N_NODES**2, device=device).unflatten(1, (1, _N_NODES, -1))
    waves = F.interpolate(nodes, (height, width), mode="bicubic", align_corners=True)
    return torch.cat([frame, waves.flatten(1).T], dim=1)


def _smooth(images: Tensor, amount: Tensor) -> Tensor:
    """Move each image towards its 3 x 3 means by its amount (n,); away if negative."""
    means = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return (images + amount[:, None, None, None] * (means - images)).clamp(0, 1)
