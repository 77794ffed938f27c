"""Views that turn, shift and mirror."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from invariant_cluster.geometry import move_images
from invariant_cluster.views._draws import uniform


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
    theta = uniform(images, 0, 2 * math.pi)
    tau = torch.randn(n, 2, device=images.device) * (2 * translation_std)
    return move_images(images, theta, tau, fill)


def mirror_some(images: Tensor) -> Tensor:
    """Mirror each image (n, c, h, w), left to right, with probability 1/2."""
    chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(chosen, images.flip(-1), images)
