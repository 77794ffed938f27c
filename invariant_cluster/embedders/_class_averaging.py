"""Reference-free class averaging: k-means of images that are aligned to the means."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from invariant_cluster.geometry import (
    PoseGrid,
    Poses,
    average_images,
    match_images,
    normalize_disc,
    pose_grid,
    shrink_square,
)
from invariant_cluster.progress import progress_bar
from invariant_cluster.runtime import at_most

_SIDE_OF_STARTS = 16
_MOST_OF_STARTS = 2500  # images
_LEAST_OF_AVERAGE = 50  # images in the starts, on the mean, where there are more
_SHARE_OF_FINALISTS = 4  # one of so many starts goes on
_LEAST_GAIN = 1e-4  # of the mean correlation, for which one more alignment pays


class Search(NamedTuple):
    """Which poses are tried, and how long.

    Attributes
    ----------
    n_rotations : int
        Number of angles.
    max_shift : float
        Largest shift, as a fraction of the side.
    reflects : bool
        Whether mirror images are tried.
    n_iterations : int
        Most alignments.
    """

    n_rotations: int
    max_shift: float
    reflects: bool
    n_iterations: int

    def grid(self, images: Tensor) -> PoseGrid:
        """Return the poses of images (n, side, side)."""
        return pose_grid(
            self.n_rotations,
            self.max_shift * images.shape[-1],
            reflects=self.reflects,
            device=images.device,
        )


class Averages(NamedTuple):
    """Averages, and the images that joined them.

    Attributes
    ----------
    images : Tensor of shape (k, side, side)
        Averages of normalised images.
    label : Tensor of shape (n,), int64
        Average that each image joined.
    poses : Poses
        Pose of each image relative to it.
    correlation : float
        Mean correlation coefficient of the images with the averages they joined.
    """

    images: Tensor
    label: Tensor
    poses: Poses
    correlation: float


def find_averages(
    images: Tensor,
    n_averages: int,
    n_starts: int,
    search: Search,
    random: np.random.RandomState,
) -> Averages:
    """Return class averages of images.

    Parameters
    ----------
    images : Tensor of shape (n, side, side)
        Images that are normalised inside the disc.
    n_averages : int
        Number of averages, at most n.
    n_starts : int
        Number of random starts.
    search : Search
        Poses, and most alignments of a start and of the one that goes on.
    random : RandomState
        Draws the images from which a start begins.

    Returns
    -------
    Averages
        Of the start with the highest correlation, which went on with all images.

    Notes
    -----
    Starts see at most 2,500 images (or 50 for each average) of at most 16 pixels, and
    try half as many angles. The best quarter goes on with the same images at their own
    size, and the best of these with all images and all angles. With few images the
    highest correlation is that of averages which fit their noise.
    """
    most = max(_MOST_OF_STARTS, _LEAST_OF_AVERAGE * n_averages)
    sample = at_most(images, most)
    coarse = search._replace(n_rotations=max(1, search.n_rotations // 2))
    starts = _begin(sample, n_averages, n_starts, coarse, random)
    finalists = sorted(starts, key=_correlation, reverse=True)
    finalists = finalists[: math.ceil(n_starts / _SHARE_OF_FINALISTS)]
    aligned = []
    with progress_bar(len(finalists), "best starts", unit="start") as advance:
        for start in finalists:
            aligned.append(_iterate(sample, start.images, coarse, random))
            advance(1)
    return _iterate(images, max(aligned, key=_correlation).images, search, random)


def _begin(
    images: Tensor,
    n_averages: int,
    n_starts: int,
    search: Search,
    random: np.random.RandomState,
) -> list[Averages]:
    """Return short runs on small images, with averages of the size of the images."""
    side = images.shape[-1]
    small = shrink_square(images.double(), min(side, _SIDE_OF_STARTS))
    small = normalize_disc(small)
    pixel, starts = side / small.shape[-1], []
    with progress_bar(n_starts, "starts", unit="start") as advance:
        for _ in range(n_starts):
            run = _iterate(small, _draw(small, n_averages, random), search, random)
            poses = run.poses._replace(tau=run.poses.tau * pixel)
            averages = _average(images, run.label, poses, n_averages, random)
            starts.append(run._replace(images=averages, poses=poses))
            advance(1)
    return starts


def _correlation(averages: Averages) -> float:
    return averages.correlation


def _iterate(
    images: Tensor, averages: Tensor, search: Search, random: np.random.RandomState
) -> Averages:
    """Align images to averages (k, side, side) and average them, in turns."""
    grid, before = search.grid(images), -torch.inf
    most = search.n_iterations
    with progress_bar(most, "align (at most)", unit="iteration") as advance:
        for _ in range(most):
            match = match_images(images, averages, grid)
            label, poses = match.best(grid)
            correlation = float(match.correlation.amax(dim=1).mean())
            averages = _average(images, label, poses, len(averages), random)
            if correlation < before + _LEAST_GAIN:
                break
            before = correlation
            advance(1)
    return Averages(averages, label, poses, correlation)


def _average(
    images: Tensor,
    label: Tensor,
    poses: Poses,
    n_averages: int,
    random: np.random.RandomState,
) -> Tensor:
    """Return averages; one without images becomes an image, drawn at random."""
    averages = average_images(images, label, poses, n_averages)
    empty = (torch.bincount(label, minlength=n_averages) == 0).nonzero().squeeze(1)
    averages[empty] = _draw(images, len(empty), random)
    return averages


def _draw(images: Tensor, n: int, random: np.random.RandomState) -> Tensor:
    """Return n of the images, drawn at random."""
    return images[random.choice(len(images), n, replace=False)]
