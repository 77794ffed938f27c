"""How poses of turned copies of an image agree."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from invariant_cluster.geometry import move_images

_N_TURNS = 5  # one of them by nothing; none by a quarter turn, which is exact


def spread_of_turned(
    estimate: Callable[[Tensor], Tensor], images: Tensor, fill: Tensor | float
) -> Tensor:
    """Return the spread of the angles that are estimated of turned copies of images.

    Parameters
    ----------
    estimate : callable
        Returns the angles (n,) of images (n, c, h, w), in radians.
    images : Tensor of shape (n, c, h, w)
        Images.
    fill : float or Tensor that broadcasts to the images
        Value of pixels that enter the frame.

    Returns
    -------
    Tensor of shape (n,)
        Circular standard deviation in radians, of the estimates less the known turns;
        infinite if these agree no better than random angles.

    Notes
    -----
    Of n angles with the mean resultant length R, ``(n R^2 - 1) / (n - 1)`` estimates
    the square of the true one without bias.
    """
    still = images.new_zeros(len(images), 2)
    sums = still.clone()
    for number in range(_N_TURNS):
        turn = 2 * math.pi * number / _N_TURNS
        angles = images.new_full((len(images),), turn)
        copies = move_images(images, angles, still, fill) if number else images
        found = estimate(copies) - turn
        sums = sums + torch.stack([found.cos(), found.sin()], dim=1)
    square = (sums.square().sum(dim=1) / _N_TURNS - 1) / (_N_TURNS - 1)
    return (-square.clamp(0, 1).log()).clamp_min(0).sqrt()
