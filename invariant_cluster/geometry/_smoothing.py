"""Gaussian smoothing of images."""

from __future__ import annotations

import torch
from torch import Tensor

from invariant_cluster.geometry._kept import kept


def smooth_images(images: Tensor, width: float) -> Tensor:
    """Return images averaged by a Gaussian.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images in any units.
    width : float
        Standard deviation of the Gaussian, in pixels; 0 returns the images unchanged.

    Returns
    -------
    Tensor of the same shape and dtype
        Smoothed images, computed in float64. Beyond its border an image continues
        mirrored.

    Notes
    -----
    White noise of standard deviation s becomes one of about ``s / (2 sqrt(pi) width)``,
    for a width of a pixel or more.
    """
    if not width:
        return images
    across, down = (
        _averages(side, float(width), images.device)
        for side in (images.shape[-1], images.shape[-2])
    )
    return (down @ images.double() @ across.T).to(images.dtype)


@kept
def _averages(side: int, width: float, device: torch.device) -> Tensor:
    """Return the weights (side, side) of the averages of samples; rows sum to 1."""
    samples = torch.arange(side, dtype=torch.float64, device=device)
    # A sample and its images in the mirrors before the first and behind the last one.
    mirrored = torch.stack([samples, -1 - samples, 2 * side - 1 - samples])
    distance = (mirrored[:, None, :] - samples[None, :, None]) / width
    weights = torch.exp(-0.5 * distance.square()).sum(dim=0)
    return weights / weights.sum(dim=1, keepdim=True)
