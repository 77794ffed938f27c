"""Alignment of images to references by their correlation inside the disc."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from invariant_cluster.geometry._grid import disc_points, pixels_to_units
from invariant_cluster.geometry._motion import canonicalize_images, move_images

_MOST_VALUES = 2**22  # of copies of a reference, and of products, at a time
_CHUNK = 1024  # images that are moved back at a time
_ROUNDING = 1e-12  # of the largest value, far above what float64 rounds


class Poses(NamedTuple):
    """Poses of images relative to references.

    ``J(x) = I(R(-theta) (x - tau))``, where I is the reference, or its mirror image.

    Attributes
    ----------
    theta : Tensor of shape (n,)
        Radians in [0, 2 pi), counter-clockwise.
    tau : Tensor of shape (n, 2)
        Shifts (x, y) in pixels, y up.
    mirrored : Tensor of shape (n,), bool
        Whether left and right of the reference are exchanged.

    See Also
    --------
    PoseGrid : The poses that are tried.
    """

    theta: Tensor
    tau: Tensor
    mirrored: Tensor


class PoseGrid(NamedTuple):
    """Every angle of a full turn with every shift, and with both sides.

    Attributes
    ----------
    angles : Tensor of shape (a,)
        Angles in radians, in [0, 2 pi).
    shifts : Tensor of shape (m, 2), int64
        Whole pixels (x, y), y up.
    reflects : bool
        Whether the mirror image of a reference is tried too.

    See Also
    --------
    pose_grid : Make a grid.
    match_images : Find the best pose of each image in it.
    """

    angles: Tensor
    shifts: Tensor
    reflects: bool

    def poses(self, index: Tensor) -> Poses:
        """Return the poses with numbers.

        Parameters
        ----------
        index : Tensor of shape (n,), int64
            Shifts run fastest, then angles, then sides.

        Returns
        -------
        Poses
            Angle, shift and side of each.
        """
        rest, shift = index // len(self.shifts), index % len(self.shifts)
        side, turn = rest // len(self.angles), rest % len(self.angles)
        return Poses(self.angles[turn], self.shifts[shift].float(), side > 0)


class Match(NamedTuple):
    """The best pose of each image relative to each reference.

    Attributes
    ----------
    correlation : Tensor of shape (n, k)
        Correlation coefficient of the pixels inside the disc.
    pose : Tensor of shape (n, k), int64
        Its number in the grid.

    See Also
    --------
    match_images : Find them.
    """

    correlation: Tensor
    pose: Tensor

    def best(self, grid: PoseGrid) -> tuple[Tensor, Poses]:
        """Return the reference with the highest correlation, and the pose.

        Parameters
        ----------
        grid : PoseGrid
            The poses that were tried.

        Returns
        -------
        label : Tensor of shape (n,), int64
            Reference that each image joins.
        poses : Poses
            Pose of each image relative to it.
        """
        label = self.correlation.argmax(dim=1)
        return label, grid.poses(self.pose.gather(1, label[:, None]).squeeze(1))


def pose_grid(
    n_angles: int, max_shift: float, *, reflects: bool, device: torch.device
) -> PoseGrid:
    """Return evenly spaced angles, and the whole shifts inside a disc.

    Parameters
    ----------
    n_angles : int
        Number of angles of the full turn, from 0.
    max_shift : float
        Radius of the disc of shifts, in pixels.
    reflects : bool
        Whether mirror images are tried too.
    device : torch.device
        Device of the result.

    Returns
    -------
    PoseGrid
        The poses.

    See Also
    --------
    match_images : Find the best pose of each image.
    """
    angles = torch.arange(n_angles, device=device) * (2 * torch.pi / n_angles)
    steps = torch.arange(-int(max_shift), int(max_shift) + 1, device=device)
    shifts = torch.cartesian_prod(steps, steps)
    near = shifts.square().sum(dim=1) <= max_shift**2
    return PoseGrid(angles, shifts[near], reflects)


def normalize_disc(images: Tensor) -> Tensor:
    """Give images mean 0 and variance 1 inside the disc.

    Parameters
    ----------
    images : Tensor of shape (n, h, w), float64
        Images.

    Returns
    -------
    Tensor of shape (n, h, w), float32
        0 outside the disc; 0 everywhere for an image that is constant inside it.

    See Also
    --------
    match_images : Compare such images with references.
    """
    inside = disc_points(*images.shape[1:], images.device)
    values = images.flatten(1)[:, inside]
    spread, mean = torch.std_mean(values, dim=1, correction=0, keepdim=True)
    varies = spread > _ROUNDING * values.abs().amax(dim=1, keepdim=True)
    scaled = (values - mean) / spread.where(varies, torch.inf)
    normal = torch.zeros_like(images, dtype=torch.float32)
    normal.flatten(1)[:, inside] = scaled.float()
    return normal


def match_images(images: Tensor, references: Tensor, grid: PoseGrid) -> Match:
    """Return the best pose of each image relative to each reference.

    Parameters
    ----------
    images : Tensor of shape (n, h, w)
        Images as :func:`normalize_disc` returns them.
    references : Tensor of shape (k, h, w)
        Images of any mean and variance.
    grid : PoseGrid
        The poses that are tried.

    Returns
    -------
    Match
        Of equal correlations, the pose with the lowest number counts.

    See Also
    --------
    average_images : Average the images of each reference, moved back.

    Notes
    -----
    A reference that is moved is compared with the image, not the image moved back with
    the reference, so that each image is compared on the same pixels: those of the disc.
    Copies and products take at most 16 MiB each, unless those of one angle take more.
    """
    pixels = images.flatten(1)[:, disc_points(*images.shape[1:], images.device)]
    found = [_best_copies(pixels, reference, grid) for reference in references]
    correlation, pose = zip(*found, strict=True)
    return Match(torch.stack(correlation, dim=1), torch.stack(pose, dim=1))


def _best_copies(
    pixels: Tensor, reference: Tensor, grid: PoseGrid
) -> tuple[Tensor, Tensor]:
    """Return the highest product of each row (n, p) with a copy, and which."""
    best = pixels.new_full((len(pixels),), -torch.inf)
    where = torch.zeros(len(pixels), dtype=torch.int64, device=pixels.device)
    first = 0
    n_angles = max(1, _MOST_VALUES // (pixels.shape[1] * len(grid.shifts)))
    for side in (reference, reference.flip(-1))[: 2 if grid.reflects else 1]:
        for angles in grid.angles.split(n_angles):
            copies = pose_copies(side, angles, grid.shifts)
            found, at = _best_rows(pixels, copies)
            higher = found > best
            best = found.where(higher, best)
            where = (at + first).where(higher, where)
            first += len(copies)
    return best, where


def _best_rows(pixels: Tensor, copies: Tensor) -> tuple[Tensor, Tensor]:
    """Return the highest product of each row (n, p) with copies (m, p), and which."""
    n_rows = max(1, _MOST_VALUES // len(copies))
    blocks = [(block @ copies.T).max(dim=1) for block in pixels.split(n_rows)]
    found, where = zip(*blocks, strict=True)
    return torch.cat(found), torch.cat(where)


def pose_copies(reference: Tensor, angles: Tensor, shifts: Tensor) -> Tensor:
    """Return the disc of a reference in each pose.

    Parameters
    ----------
    reference : Tensor of shape (h, w)
        Image.
    angles : Tensor of shape (a,)
        Angles in radians, counter-clockwise.
    shifts : Tensor of shape (m, 2), int64
        Whole pixels (x, y), y up.

    Returns
    -------
    Tensor of shape (a * m, p)
        Pixels of the disc. Each row has mean 0 and a length such that its product with
        the pixels of a normalised image is their correlation coefficient.

    See Also
    --------
    match_images : Compare images with all copies.
    """
    height, width = reference.shape
    copies = reference.expand(len(angles), 1, height, width)
    turned = move_images(copies, angles, reference.new_zeros(len(angles), 2))
    margin = int(shifts.abs().max())
    padded = F.pad(turned[:, 0], (margin,) * 4)
    points = disc_points(height, width, reference.device)
    # The shifted image has at a pixel what the turned one has before the shift.
    row = points // width + margin + shifts[:, 1:]
    column = points % width + margin - shifts[:, :1]
    moved = padded.flatten(1)[:, row * padded.shape[2] + column].flatten(0, 1)
    moved = moved - moved.mean(dim=1, keepdim=True)
    return F.normalize(moved, dim=1) / len(points) ** 0.5


def average_images(
    images: Tensor, label: Tensor, poses: Poses, n_references: int
) -> Tensor:
    """Return the average of the images of each reference, moved back from their poses.

    Parameters
    ----------
    images : Tensor of shape (n, h, w)
        Images.
    label : Tensor of shape (n,), int64
        Reference of each image.
    poses : Poses
        Pose of each image relative to its reference.
    n_references : int
        Number of references.

    Returns
    -------
    Tensor of shape (n_references, h, w)
        Averages; 0 for a reference without images.

    See Also
    --------
    undo_poses : Move images back.
    """
    sums = images.new_zeros(n_references, *images.shape[1:])
    for start in range(0, len(images), _CHUNK):
        rows = slice(start, start + _CHUNK)
        part = Poses(*(values[rows] for values in poses))
        sums.index_add_(0, label[rows], undo_poses(images[rows, None], part)[:, 0])
    counts = torch.bincount(label, minlength=n_references)
    return sums / counts.clamp(min=1)[:, None, None]


def undo_poses(images: Tensor, poses: Poses, fill: Tensor | float = 0.0) -> Tensor:
    """Move images back from their poses, mirrored ones to the side of the reference.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images, floating point.
    poses : Poses
        Pose of each image.
    fill : float or Tensor that broadcasts to the images, default=0
        Value of pixels that enter the frame from outside.

    Returns
    -------
    Tensor of shape (n, c, h, w)
        Images in the pose of their references.

    See Also
    --------
    canonicalize_images : Move images back without mirroring.
    """
    tau = poses.tau * pixels_to_units(*images.shape[-2:])
    back = canonicalize_images(images, poses.theta, tau, fill)
    return torch.where(poses.mirrored[:, None, None, None], back.flip(-1), back)
