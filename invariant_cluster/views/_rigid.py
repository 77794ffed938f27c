"""Views that rotate, shift and mirror."""

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
    """Rotate and shift each image at random.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images, floating point.
    translation_std : float
        Standard deviation sigma of each coordinate of the shift, as a fraction of the
        longer side; 0 rotates only.
    fill : float or Tensor that broadcasts to the images
        Value of pixels that enter the frame from outside.
    reflection : bool, default=False
        Whether to mirror each image first with probability 1/2.

    Returns
    -------
    Tensor of shape (n, c, h, w)
        Moved images, each by its own draw.

    See Also
    --------
    mirror_some : Mirror images at random.
    Augmentation : Apply the stronger augmentations of SCAN.

    Notes
    -----
    ``theta ~ Uniform[0, 2 pi)`` and ``tau ~ N(0, sigma^2 I)``, as in the consistency
    loss of the IRL-INR paper, section 3.3.2.
    """
    n = len(images)
    if reflection:
        images = mirror_some(images)
    theta = uniform(images, 0, 2 * math.pi)
    tau = torch.randn(n, 2, device=images.device) * (2 * translation_std)
    return move_images(images, theta, tau, fill)


def mirror_some(images: Tensor) -> Tensor:
    """Mirror each image left to right with probability 1/2.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images of any dtype.

    Returns
    -------
    Tensor of shape (n, c, h, w)
        The images, some of them mirrored.

    See Also
    --------
    rigid_views : Rotate and shift images, and mirror them on request.
    """
    chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(chosen, images.flip(-1), images)
