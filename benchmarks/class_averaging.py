"""Two-dimensional class averaging by cross-correlation: k-means of aligned images.

The classical way to sort noisy projections. Each image is compared with each class
average, turned by every angle of a grid and shifted by whole pixels; it joins the
average with the highest correlation coefficient, in the pose that reaches it. Each
average is then computed anew from its images, moved back. Nothing but the images is
used: the averages start as single images, drawn at random, and of several such starts
the one with the highest total correlation is kept.

M. van Heel and J. Frank, "Use of multivariate statistics in analysing the images of
biological macromolecules", Ultramicroscopy 6, 1981; P. Penczek, M. Radermacher and
J. Frank, "Three-dimensional reconstruction of single particles embedded in ice",
Ultramicroscopy 40, 1992.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.utils import check_random_state
from torch import Tensor

from invariant_cluster.geometry import (
    canonicalize_images,
    disc_mask,
    disc_points,
    move_images,
    pixels_to_units,
)

BLOCK = 512  # images that are compared with an average at a time


class Match(NamedTuple):
    """The best average and pose of each image.

    Attributes
    ----------
    correlation : Tensor of shape (n,)
        Coefficient of the pixels inside the disc, at most 1.
    label : Tensor of shape (n,), int64
    theta : Tensor of shape (n,)
        Radians in [0, 2 pi), counter-clockwise.
    tau : Tensor of shape (n, 2)
        Whole pixels (x, y), y up.
    """

    correlation: Tensor
    label: Tensor
    theta: Tensor
    tau: Tensor


class ClassAveraging:
    """Cluster images by alignment to class averages.

    Parameters
    ----------
    n_clusters : int
    n_rotations : int, default=72
        Number of angles that are tried, evenly spaced over the full turn. Starts try
        half as many; the one that is kept goes on with all.
    max_shift : float, default=1/8
        Radius of the shifts that are tried, as a fraction of the shorter side.
    n_iterations : int, default=12
        Most alignments of a start, and of the one that is kept afterwards; one that
        changes nothing is the last.
    n_starts : int, default=16
        Number of starts.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    averages_ : Tensor of shape (n_clusters, h, w)
        Averages of normalised images.
    correlation_ : float
        Mean correlation of the training images with the averages they joined.
    """

    def __init__(
        self,
        n_clusters: int,
        *,
        n_rotations: int = 72,
        max_shift: float = 1 / 8,
        n_iterations: int = 12,
        n_starts: int = 16,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_rotations = n_rotations
        self.max_shift = max_shift
        self.n_iterations = n_iterations
        self.n_starts = n_starts
        self.random_state = random_state

    def fit(self, images: np.ndarray) -> ClassAveraging:
        """Compute the averages of images (n, h, w)."""
        random = check_random_state(self.random_state)
        normal = normalize(images)
        coarse = max(1, self.n_rotations // 2)
        starts = []
        for _ in range(self.n_starts):
            chosen = random.choice(len(normal), self.n_clusters, replace=False)
            starts.append(self._iterate(normal, normal[chosen], coarse, random))
        _, averages = max(starts, key=lambda start: start[0])
        self.correlation_, self.averages_ = self._iterate(
            normal, averages, self.n_rotations, random
        )
        return self

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Return the average that each image (n, h, w) joins, (n,)."""
        return self._match(images).label.numpy()

    def predict_pose(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how each image lies relative to the average it joins.

        ``J(x) = average(R(-theta) (x - tau))``, with theta (n,) in [0, 2 pi),
        counter-clockwise as displayed, and tau (n, 2) in pixels, y up.
        """
        match = self._match(images)
        return match.theta.numpy(), match.tau.numpy()

    def _iterate(
        self,
        images: Tensor,
        averages: Tensor,
        n_rotations: int,
        random: np.random.RandomState,
    ) -> tuple[float, Tensor]:
        """Return the last mean correlation, and the averages of that alignment."""
        before = None
        for _ in range(self.n_iterations):
            match = match_images(images, averages, n_rotations, self.max_shift)
            if before is not None and is_same(match, before):
                break
            averages, before = average(images, match, self.n_clusters, random), match
        return float(match.correlation.mean()), averages

    def _match(self, images: np.ndarray) -> Match:
        """Return the best average and pose of each image (n, h, w)."""
        normal = normalize(images)
        return match_images(normal, self.averages_, self.n_rotations, self.max_shift)


def normalize(images: np.ndarray) -> Tensor:
    """Return images (n, h, w), float32, of mean 0 and variance 1 inside the disc.

    Outside the disc they are 0, and so are images that are constant inside it.
    """
    raw = torch.from_numpy(np.asarray(images, dtype=np.float32))
    inside = disc_mask(*raw.shape[1:])
    values = raw[:, inside]
    spread, mean = torch.std_mean(values, dim=1, correction=0, keepdim=True)
    normal = torch.zeros_like(raw)
    normal[:, inside] = (values - mean) / spread.clamp(min=1e-6)
    return normal


def match_images(
    images: Tensor, averages: Tensor, n_rotations: int, max_shift: float
) -> Match:
    """Return the best average (k, h, w) and pose of normalised images (n, h, w)."""
    height, width = images.shape[1:]
    shifts = shifts_within(max_shift * min(height, width))
    angles = torch.arange(n_rotations) * (2 * torch.pi / n_rotations)
    pixels = images[:, disc_mask(height, width)]
    best = torch.full((len(images),), -torch.inf)
    label, pose = torch.zeros(2, len(images), dtype=torch.int64)
    for k, reference in enumerate(averages):
        found, where = best_rows(pixels, pose_copies(reference, angles, shifts))
        higher = found > best
        best[higher], label[higher], pose[higher] = found[higher], k, where[higher]
    turn, shift = pose // len(shifts), pose % len(shifts)
    return Match(best, label, angles[turn], shifts[shift].float())


def best_rows(pixels: Tensor, copies: Tensor) -> tuple[Tensor, Tensor]:
    """Return the highest product of each row (n, p) with copies (m, p), and which."""
    blocks = [(block @ copies.T).max(dim=1) for block in pixels.split(BLOCK)]
    found, where = zip(*blocks, strict=True)
    return torch.cat(found), torch.cat(where)


def shifts_within(radius: float) -> Tensor:
    """Return the whole shifts (x, y) of at most the radius in pixels, (m, 2)."""
    steps = torch.arange(-int(radius), int(radius) + 1)
    shifts = torch.cartesian_prod(steps, steps)
    return shifts[shifts.square().sum(dim=1) <= radius**2]


def pose_copies(reference: Tensor, angles: Tensor, shifts: Tensor) -> Tensor:
    """Return the disc of a reference (h, w) in each pose, (angles * shifts, p).

    Each row has mean 0 and a length such that its product with the pixels of a
    normalised image is their correlation coefficient.
    """
    height, width = reference.shape
    copies = reference.expand(len(angles), 1, height, width)
    turned = move_images(copies, angles, torch.zeros(len(angles), 2))
    margin = int(shifts.abs().max())
    padded = F.pad(turned[:, 0], (margin,) * 4)
    points = disc_points(height, width, reference.device)
    row, column = points // width, points % width
    # The shifted image has at a pixel what the turned one has before the shift.
    row = row + margin + shifts[:, 1:]
    column = column + margin - shifts[:, :1]
    moved = padded.flatten(1)[:, row * padded.shape[2] + column].flatten(0, 1)
    moved = moved - moved.mean(dim=1, keepdim=True)
    return F.normalize(moved, dim=1) / len(points) ** 0.5


def average(
    images: Tensor, match: Match, n_clusters: int, random: np.random.RandomState
) -> Tensor:
    """Return the averages (n_clusters, h, w) of images moved back from their poses.

    An average without images becomes one of the images, drawn at random.
    """
    unit = pixels_to_units(*images.shape[1:])
    back = canonicalize_images(images[:, None], match.theta, match.tau * unit)[:, 0]
    sums = images.new_zeros(n_clusters, *images.shape[1:])
    sums.index_add_(0, match.label, back)
    counts = torch.bincount(match.label, minlength=n_clusters)
    empty = (counts == 0).nonzero().squeeze(1)
    sums[empty] = images[random.choice(len(images), len(empty), replace=False)]
    return sums / counts.clamp(min=1)[:, None, None]


def is_same(one: Match, other: Match) -> bool:
    """Whether the images have the same averages and poses."""
    return all(torch.equal(*pair) for pair in zip(one[1:], other[1:], strict=True))
