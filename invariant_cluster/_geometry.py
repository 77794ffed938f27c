"""Rigid geometry of image batches: grid, motion, moments and analytic pose.

One convention holds everywhere in the package. The origin is the image's centre,
x points right and **y points up**, the longer side's edges lie at -1 and 1, and the
scale is isotropic: one pixel is ``2 / max(h, w)``. Angles are in radians and turn
counter-clockwise as displayed. The pose (theta, tau) of an image J says how its
object lies relative to the canonical orientation::

    J(x) = I_can(R(-theta) (x - tau))
"""

from __future__ import annotations

import math
from functools import reduce

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SYMMETRY_RULES = ("center_of_mass", "complex_moment", "principal_axis")
NO_MASS = 1e-8
_CHUNK = 1024
_AXIS_WEIGHT = 0.5
_SHORTEST = 1e-6
_LEAST_LENGTH = 1e-3
_N_ANGLES = 64
_N_STEPS = 5


def pixel_grid(
    height: int, width: int, *, device: torch.device | str | None = None
) -> Tensor:
    """Return the coordinates (x, y) of the pixel centres, shape (h, w, 2)."""
    pixel = 2.0 / max(height, width)
    x = (torch.arange(width, device=device) - (width - 1) / 2) * pixel
    rows = torch.arange(height - 1, -1, -1, device=device)
    y = (rows - (height - 1) / 2) * pixel
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def disc_mask(
    height: int, width: int, *, device: torch.device | str | None = None
) -> Tensor:
    """Return which pixels a rotation never throws away, bool, shape (h, w).

    They lie in the disc about the centre whose radius is half the shorter side.
    """
    radius = min(height, width) / max(height, width)
    return pixel_grid(height, width, device=device).norm(dim=-1) <= radius


def pixels_to_units(height: int, width: int) -> float:
    """Return the length of one pixel in the grid's units."""
    return 2.0 / max(height, width)


def rotation_matrix(theta: Tensor) -> Tensor:
    """Return R(theta), shape (n, 2, 2), for counter-clockwise angles (n,)."""
    cos, sin = theta.cos(), theta.sin()
    return torch.stack([cos, -sin, sin, cos], dim=-1).reshape(-1, 2, 2)


def rotation_towards(direction: Tensor) -> Tensor:
    """Return R(theta), theta the angle of each vector (n, 2), shape (n, 2, 2).

    No angle is formed: its gradient would be unbounded near the origin. Below a length
    of 0.001 the matrix shrinks with the vector, since such a direction means nothing.
    """
    x, y = F.normalize(direction, dim=1, eps=_LEAST_LENGTH).unbind(dim=1)
    return torch.stack([x, -y, y, x], dim=-1).reshape(-1, 2, 2)


def angle_of(x: Tensor, y: Tensor) -> Tensor:
    """Return the direction of (x, y) as an angle in [0, 2 pi); 0 for the origin."""
    return wrap_angle(torch.atan2(y, x))


def wrap_angle(theta: Tensor) -> Tensor:
    """Return angles in [0, 2 pi); float32's remainder can be 2 pi itself."""
    theta = theta.remainder(2 * math.pi)
    return torch.where(theta < 2 * math.pi, theta, torch.zeros_like(theta))


def to_canonical(points: Tensor, rotation: Tensor, tau: Tensor) -> Tensor:
    """Map image coordinates to canonical ones, ``R(-theta) (x - tau)``.

    Parameters
    ----------
    points : Tensor of shape (p, 2) or (n, p, 2)
    rotation : Tensor of shape (n, 2, 2)
        R(theta).
    tau : Tensor of shape (n, 2)

    Returns
    -------
    Tensor of shape (n, p, 2)
    """
    return (points - tau[:, None, :]) @ rotation


def compose_poses(
    theta_outer: Tensor, tau_outer: Tensor, theta_inner: Tensor, tau_inner: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the pose of J from the pose that aligned J and that of the aligned image.

    With ``A(x) = J(R(theta_outer) x + tau_outer)`` and (theta_inner, tau_inner) the
    pose of A, the pose of J is ``(theta_outer + theta_inner,
    tau_outer + R(theta_outer) tau_inner)``. Angles have shape (n,), shifts (n, 2).
    """
    theta = wrap_angle(theta_outer + theta_inner)
    turned = (rotation_matrix(theta_outer) @ tau_inner[:, :, None]).squeeze(-1)
    return theta, tau_outer + turned


def move_images(
    images: Tensor, theta: Tensor, tau: Tensor, fill: Tensor | float = 0.0
) -> Tensor:
    """Turn each image by its theta about the centre, then shift it by its tau.

    ``J'(x) = J(R(-theta) (x - tau))``, bilinear, in one ``grid_sample``.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
    theta : Tensor of shape (n,), in radians
    tau : Tensor of shape (n, 2), in grid units
    fill : float or Tensor that broadcasts to the images
        What enters the frame from outside.

    Returns
    -------
    Tensor of shape (n, c, h, w)
    """
    inverse = rotation_matrix(-theta)
    offset = -(inverse @ tau[:, :, None]).squeeze(-1)
    return sample_affine(images, inverse, offset, fill)


def canonicalize_images(
    images: Tensor,
    theta: Tensor,
    tau: Tensor,
    fill: Tensor | float = 0.0,
    *,
    side: int | None = None,
) -> Tensor:
    """Undo the pose of each image: ``I_can(x) = J(R(theta) x + tau)``.

    The inverse of :func:`move_images`, with the same parameters.

    Parameters
    ----------
    side : int, optional
        Return only the (n, c, side, side) pixels in the middle.
    """
    return sample_affine(images, rotation_matrix(theta), tau, fill, side=side)


def sample_affine(
    images: Tensor,
    matrix: Tensor,
    offset: Tensor,
    fill: Tensor | float,
    *,
    side: int | None = None,
) -> Tensor:
    """Return ``J(matrix x + offset)`` on J's own grid, shape (n, c, h, w).

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
    matrix : Tensor of shape (n, 2, 2)
    offset : Tensor of shape (n, 2), in grid units
    fill : float or Tensor that broadcasts to the images
    side : int, optional
        Return only the (n, c, side, side) pixels in the middle.
    """
    height, width = images.shape[-2:]
    longer = max(height, width)
    rows, columns = (side, side) if side else (height, width)
    # affine_grid's coordinates span -1 to 1 on both sides, with y down.
    given = images.new_tensor([width / longer, -height / longer])
    asked = images.new_tensor([columns / longer, -rows / longer])
    linear = matrix * asked[None, None, :] / given[None, :, None]
    affine = torch.cat([linear, (offset / given)[:, :, None]], dim=-1)
    shape = [*images.shape[:2], rows, columns]
    grid = F.affine_grid(affine, shape, align_corners=False)
    return _sample(images, grid, fill)


def sample_points(images: Tensor, points: Tensor, fill: Tensor | float) -> Tensor:
    """Return ``J(x)`` at points (n, h, w, 2) in grid units, shape (n, c, h, w)."""
    height, width = images.shape[-2:]
    longer = max(height, width)
    # grid_sample's coordinates span -1 to 1 on both sides, with y down.
    return _sample(
        images, points * points.new_tensor([longer / width, -longer / height]), fill
    )


def _sample(images: Tensor, grid: Tensor, fill: Tensor | float) -> Tensor:
    moved = F.grid_sample(
        images - fill, grid.to(images.dtype), mode="bilinear", align_corners=False
    )
    return moved + fill


def image_mass(images: Tensor, background: Tensor | float = 0.0) -> Tensor:
    """Return |J - background| summed over channels, inside the disc, (n, h, w)."""
    mass = (images - background).abs().sum(dim=1)
    return mass * disc_mask(*images.shape[-2:], device=images.device)


def center_of_mass(mass: Tensor) -> Tensor:
    """Return (m_x, m_y) of each mass (n, h, w), shape (n, 2); 0 where there is none.

    Equation of section 3.4 of the paper, discretised on the pixel grid.
    """
    grid = _grid_of(mass)
    first = torch.einsum("nhw,hwk->nk", mass, grid)
    return _per_mass(first, mass)


def complex_moment(mass: Tensor, center: Tensor, p: int = 2, q: int = 1) -> Tensor:
    """Return mu_pq of each mass about its center as (Re, Im), shape (n, 2).

    ``mu_pq = sum w^p conj(w)^q J / sum J`` with ``w = (x - m_x) + i (y - m_y)``. For
    p - q = 1 it turns by exactly alpha when the image turns by alpha.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w)
    center : Tensor of shape (n, 2)
    p, q : int
        The powers; the default, mu_21, is the lowest order that has a direction.
    """
    grid = _grid_of(mass)
    offset = grid - center[:, None, None, :]
    w = torch.complex(offset[..., 0], offset[..., 1])
    # Products, not powers: those of complex numbers have no counterpart in ONNX.
    kernel = torch.view_as_real(reduce(torch.mul, [w] * p + [w.conj()] * q))
    return _per_mass(torch.einsum("nhw,nhwk->nk", mass, kernel), mass)


def _grid_of(mass: Tensor) -> Tensor:
    """Return the pixel grid of masses (n, h, w), on their device and of their dtype."""
    return pixel_grid(*mass.shape[-2:], device=mass.device).to(mass.dtype)


def _per_mass(sums: Tensor, mass: Tensor) -> Tensor:
    total = mass.sum(dim=(-2, -1))[:, None]
    return torch.where(total > NO_MASS, sums / total.clamp_min(NO_MASS), 0.0)


def analytic_pose(
    mass: Tensor, rule: str | None, *, translates: bool
) -> tuple[Tensor, Tensor]:
    """Return the pose (theta*, tau*) that a symmetry-breaking rule prescribes.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w)
    rule : {"center_of_mass", "complex_moment", "principal_axis"} or None
        ``theta* = arg m``, ``theta* = arg mu_21``, the principal axis, or 0.
    translates : bool
        Whether ``tau* = m``; if not, tau* = 0 and moments are about the centre.

    Returns
    -------
    theta : Tensor of shape (n,), in [0, 2 pi)
    tau : Tensor of shape (n, 2), in grid units
    """
    center, direction = symmetry_targets(mass, rule, translates=translates)
    tau = center if translates else torch.zeros_like(center)
    return angle_of(direction[:, 0], direction[:, 1]), tau


def symmetry_targets(
    mass: Tensor, rule: str | None, *, translates: bool
) -> tuple[Tensor, Tensor]:
    """Return the centre of mass m and the direction vector of a rule, each (n, 2).

    The direction is m itself for "center_of_mass", mu_21 for "complex_moment" (about
    m if the data are translated, about the image's centre if not), that of
    :func:`principal_axis` for "principal_axis", 0 for ``None``.
    """
    center = center_of_mass(mass)
    if rule == "center_of_mass":
        return center, center
    about = center if translates else torch.zeros_like(center)
    if rule == "complex_moment":
        return center, complex_moment(mass, about)
    if rule == "principal_axis":
        return center, principal_axis(
            mass, about, first=(2, 1) if translates else (1, 0)
        )
    return center, torch.zeros_like(center)


def principal_axis(mass: Tensor, about: Tensor, *, first: tuple[int, int]) -> Tensor:
    """Return a vector along the long axis of each mass, towards one of its ends.

    Its angle maximises ``Re(a e^{-i t}) + 1/2 Re(b e^{-2 i t})`` over t, with
    ``b = mu_20 / mu_11`` (two opposite directions, that of the long axis) and
    ``a = mu_pq / mu_11^((p+q)/2)``, p - q = 1 (one direction). Where the mass is round,
    a alone decides. The end is the heavier one about the image's centre, and about the
    centre of mass the one that reaches farther (mu_21 is a skewness). The vector is as
    long as a's part along it, so it is short where the two ends are alike. It turns by
    exactly alpha when the image turns by alpha.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w)
    about : Tensor of shape (n, 2)
        The point that the moments are about.
    first : (p, q)
        (2, 1) about the centre of mass, where mu_10 is 0; else (1, 0).

    Returns
    -------
    Tensor of shape (n, 2)
    """
    p, q = first
    spread = complex_moment(mass, about, 1, 1)[:, :1].clamp_min(NO_MASS)
    one = complex_moment(mass, about, p, q) / spread ** ((p + q) / 2)
    two = _AXIS_WEIGHT * complex_moment(mass, about, 2, 0) / spread
    theta = _steepest_angle(one, two)
    length = _turned_back(one, theta)[0].clamp_min(_SHORTEST)
    return torch.stack([length * theta.cos(), length * theta.sin()], dim=1)


def _steepest_angle(one: Tensor, two: Tensor) -> Tensor:
    """Return the t (n,) that maximises ``Re(one e^{-it}) + Re(two e^{-2it})``.

    The complex numbers are rows (Re, Im), each (n, 2). There are at most two maxima.
    Both are sought among 64 angles and refined, since on that grid the lower can look
    the higher.
    """
    angles = torch.arange(_N_ANGLES, device=one.device) * (2 * math.pi / _N_ANGLES)
    heights = _height(one[:, None], two[:, None], angles)
    best = angles[heights.argmax(dim=1)]
    behind = (angles - best[:, None]).cos() < 0
    other = angles[heights.where(behind, -torch.inf).argmax(dim=1)]
    best, other = _climb(one, two, best), _climb(one, two, other)
    higher = _height(one, two, best) >= _height(one, two, other)
    return torch.where(higher, best, other)


def _turned_back(vectors: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Return real and imaginary part of v e^{-i theta}, v given as (..., 2)."""
    x, y = vectors.unbind(dim=-1)
    cos, sin = theta.cos(), theta.sin()
    return x * cos + y * sin, y * cos - x * sin


def _height(one: Tensor, two: Tensor, theta: Tensor) -> Tensor:
    return _turned_back(one, theta)[0] + _turned_back(two, 2 * theta)[0]


def _climb(one: Tensor, two: Tensor, theta: Tensor) -> Tensor:
    """Refine maxima by Newton's method, in steps no longer than half the grid's."""
    limit = math.pi / _N_ANGLES
    for _ in range(_N_STEPS):
        first, slope_of_first = _turned_back(one, theta)
        second, slope_of_second = _turned_back(two, 2 * theta)
        slope = slope_of_first + 2 * slope_of_second
        bend = (first + 4 * second).clamp_min(NO_MASS)
        theta = theta + (slope / bend).clamp(-limit, limit)
    return theta


def move_array(
    images: np.ndarray, theta: np.ndarray, tau: np.ndarray, fill: np.ndarray | float
) -> np.ndarray:
    """Move NumPy images as :func:`move_images` does, a chunk at a time.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w), any real dtype
    theta : ndarray of shape (n,), in radians
    tau : ndarray of shape (n, 2), in pixels, y up
    fill : float or ndarray that broadcasts to (n, c, h, w)

    Returns
    -------
    ndarray of shape (n, c, h, w)
        Of the images' dtype; integers are rounded and stay within their range, booleans
        are what is above a half.
    """
    moved = np.empty(images.shape, dtype=images.dtype)
    unit = pixels_to_units(*images.shape[-2:])
    background = torch.as_tensor(np.asarray(fill, dtype=np.float32))
    for start in range(0, len(images), _CHUNK):
        rows = slice(start, start + _CHUNK)
        batch = torch.from_numpy(np.asarray(images[rows], dtype=np.float32))
        turn = torch.from_numpy(np.asarray(theta[rows], dtype=np.float32))
        shift = torch.from_numpy(np.asarray(tau[rows], dtype=np.float32)) * unit
        moved[rows] = _cast(move_images(batch, turn, shift, background), images.dtype)
    return moved


def _cast(images: Tensor, dtype: np.dtype) -> np.ndarray:
    """Return the tensor as an array of the dtype, integers rounded and clipped."""
    values = images.numpy()
    if np.issubdtype(dtype, np.bool_):
        return values > 0.5
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    return values.astype(dtype)
