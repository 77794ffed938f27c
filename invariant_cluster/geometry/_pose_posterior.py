"""How sure the angle of an image relative to a reference is."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from invariant_cluster.geometry._correlation import PoseGrid, Poses, pose_copies
from invariant_cluster.geometry._grid import disc_points

_MOST_VALUES = 2**22  # of likelihoods at a time
_LEAST_LEFT = 1e-3  # of the variance, that no reference explains


def angle_certainty(
    images: Tensor, references: Tensor, label: Tensor, poses: Poses, grid: PoseGrid
) -> Tensor:
    """Return the mean resultant length of the angle of each image.

    Parameters
    ----------
    images : Tensor of shape (n, h, w)
        Images as :func:`normalize_disc` returns them.
    references : Tensor of shape (k, h, w)
        Images of any mean and variance.
    label : Tensor of shape (n,), int64
        Reference that each image joined.
    poses : Poses
        Best pose of each image relative to it.
    grid : PoseGrid
        The poses that were tried.

    Returns
    -------
    Tensor of shape (n,)
        From 0, no angle is likelier than others, to that of the grid's step.

    See Also
    --------
    match_images : Find the best poses.

    Notes
    -----
    An image is its reference in some pose, times a, and Gaussian noise. The likelihood
    of a pose with the correlation r is then ``exp(m a r / (1 - a^2))`` with m
    independent pixels. ``a^2`` is the square of the highest r, less what the highest of
    M poses reaches by chance, ``2 ln(M) (1 - r^2) / m``. The result is the length of
    the mean of ``e^{i theta}`` over the poses, each with its likelihood as its weight,
    times that of an angle which is uniform within a step of the grid. What a reference
    does not explain is seldom white: m is the number of pixels in the disc, times
    ``((1 - c) / (1 + c))^2`` with c the correlation of neighbours in the residual.

    References
    ----------
    F. J. Sigworth, "A maximum-likelihood approach to single-particle image refinement",
    Journal of Structural Biology 122, 1998.
    """
    certainty = images.new_zeros(len(images))
    for number, reference in enumerate(references):
        for mirrored in (False, True):
            here = (label == number) & (poses.mirrored == mirrored)
            rows = here.nonzero().squeeze(1)
            if len(rows):
                side = reference.flip(-1) if mirrored else reference
                certainty[rows] = _certainty_of(images[rows], side, grid)
    step = math.pi / len(grid.angles)
    return certainty * (math.sin(step) / step)


def _certainty_of(images: Tensor, reference: Tensor, grid: PoseGrid) -> Tensor:
    """Return the resultant lengths of images of one reference and one side, (n,)."""
    height, width = reference.shape
    points = disc_points(height, width, images.device)
    pixels = images.flatten(1)[:, points]
    copies = pose_copies(reference, grid.angles, grid.shifts)
    angles = grid.angles.repeat_interleave(len(grid.shifts)).to(images.dtype)
    around = torch.stack([angles.cos(), angles.sin()], dim=1)
    found = []
    for block in pixels.split(max(1, _MOST_VALUES // len(copies))):
        correlation = block @ copies.T
        best, where = correlation.clamp(-1, 1).max(dim=1)
        explained = best[:, None] * len(points) * copies[where]
        residual = block.new_zeros(len(block), height * width)
        residual[:, points] = block - explained
        m = len(points) * _independent(residual.unflatten(1, (height, width)))
        left = 1 - best.square()
        chance = 2 * math.log(len(copies)) * left / m.clamp_min(_LEAST_LEFT)
        square = (best.square() - chance).clamp(0, 1 - _LEAST_LEFT)
        slope = m * square.sqrt() / (1 - square)
        weights = (slope[:, None] * correlation).softmax(dim=1)
        found.append((weights @ around).norm(dim=1))
    return torch.cat(found)


def _independent(residual: Tensor) -> Tensor:
    """Return the share of pixels that are independent, (n,), of residuals (n, h, w)."""
    beside = (residual[:, :, 1:] * residual[:, :, :-1]).sum(dim=(1, 2))
    below = (residual[:, 1:] * residual[:, :-1]).sum(dim=(1, 2))
    power = residual.square().sum(dim=(1, 2)).clamp_min(_LEAST_LEFT)
    c = ((beside + below) / (2 * power)).clamp(0, 1)
    return ((1 - c) / (1 + c)).square()
