"""The long axis of a mass, with a direction."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from invariant_cluster.geometry._kept import kept
from invariant_cluster.geometry._moments import NO_MASS, LowMoments, low_moments

AXIS_WEIGHT = 0.5
_SHORTEST = 1e-6
_N_ANGLES = 128
_N_STEPS = 3  # of Newton's method: from half the spacing to rounding


def principal_axis(mass: Tensor, about: Tensor, *, first: tuple[int, int]) -> Tensor:
    """Return a vector along the long axis of each mass, pointing to one of its ends.

    The vector turns by exactly alpha when the image turns by alpha. Where the mass is
    round, the axis is undefined and the first-order direction alone decides.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w)
        Non-negative masses, such as those of :func:`image_mass`.
    about : Tensor of shape (n, 2)
        Point about which the moments are taken, in grid units.
    first : (p, q)
        Moment that chooses the end, p - q = 1: (2, 1) about the centre of mass, where
        mu_10 is 0, or (1, 0) about the image's centre.

    Returns
    -------
    Tensor of shape (n, 2)
        Dimensionless vectors. Their length is the component of the normalised moment a
        along them, at least 1e-6: it is small where both ends are alike.

    See Also
    --------
    complex_moment : Return a single complex moment.
    symmetry_targets : Return the direction vectors of all rules.

    Notes
    -----
    The angle t maximises ``Re(a e^{-i t}) + 1/2 Re(b e^{-2 i t})``. Here
    ``b = mu_20 / mu_11`` has two opposite directions, those of the long axis, and
    ``a = mu_pq / mu_11^((p + q) / 2)`` has one. About the image's centre a points to
    the heavier end; about the centre of mass it points to the end that reaches farther,
    since mu_21 is a skewness.
    """
    center, moments = low_moments(mass)
    there = moments.about(about.to(center.dtype) - center)
    return axis_of(there, first=first).to(mass.dtype)


def axis_of(moments: LowMoments, *, first: tuple[int, int]) -> Tensor:
    """Return the vector of :func:`principal_axis` from the moments about its point.

    Parameters
    ----------
    moments : LowMoments
        Moments about the point.
    first : {(2, 1), (1, 0)}
        Moment that chooses the end.

    Returns
    -------
    Tensor of shape (n, 2)
        Dimensionless vectors, in the precision of the moments.

    See Also
    --------
    principal_axis : Compute the moments too.
    """
    spread = moments.spread.clamp_min(NO_MASS)
    if first == (2, 1):
        one = moments.third / spread**1.5
    else:
        one = moments.first / spread.sqrt()
    theta = _steepest_angle(one, AXIS_WEIGHT * moments.second / spread)
    turn = torch.stack([theta.cos(), theta.sin()], dim=1)
    length = (one * turn).sum(dim=1, keepdim=True).clamp_min(_SHORTEST)
    return length * turn


def _steepest_angle(one: Tensor, two: Tensor) -> Tensor:
    """Return the t (n,) that maximises ``Re(one e^{-it}) + Re(two e^{-2it})``."""
    ends, height = steepest_angles(one, two)
    return torch.where(height[0] >= height[1], ends[0], ends[1])


def steepest_angles(one: Tensor, two: Tensor) -> tuple[Tensor, Tensor]:
    """Return both maxima of ``Re(one e^{-it}) + Re(two e^{-2it})``.

    Parameters
    ----------
    one, two : Tensor of shape (n, 2)
        Complex numbers as rows (Re, Im).

    Returns
    -------
    angles : Tensor of shape (2, n)
        Angles t more than a quarter turn apart, in radians. The second one is no
        maximum if the function has a single maximum.
    heights : Tensor of shape (2, n)
        The function there.

    Notes
    -----
    The function has at most two maxima. Both are located on a grid of 128 angles and
    then refined, since the grid alone may rank them wrongly.
    """
    x, y = torch.stack([one, two], dim=2).unbind(dim=1)
    table, behind, angles = (
        make(x.dtype, x.device) for make in (_waves_of_grid, _behind_in_grid, _grid)
    )
    heights = torch.cat([x, y], dim=1) @ table
    best = heights.argmax(dim=1)
    other = heights.where(behind[best], -torch.inf).argmax(dim=1)
    return _climb(x, y, angles[torch.stack([best, other])])


def _climb(x: Tensor, y: Tensor, theta: Tensor) -> tuple[Tensor, Tensor]:
    """Refine maxima (2, n) by Newton's method; return them and their heights.

    A step is at most half the grid's spacing.
    """
    orders = _orders(x.dtype, x.device)
    limit = math.pi / _N_ANGLES
    for _ in range(_N_STEPS):
        along, across = _turned_back(x, y, theta, orders)
        bend = (along @ (orders * orders)).clamp_min(NO_MASS)
        theta = theta + ((across @ orders) / bend).clamp(-limit, limit)
    along, _ = _turned_back(x, y, theta, orders)
    return theta, along.sum(dim=-1)


def _turned_back(
    x: Tensor, y: Tensor, theta: Tensor, orders: Tensor
) -> tuple[Tensor, Tensor]:
    """Return real and imaginary part of ``(x + iy) e^{-i k theta}``, each (2, n, 2)."""
    angle = theta[..., None] * orders
    cos, sin = angle.cos(), angle.sin()
    return torch.addcmul(x * cos, y, sin), torch.addcmul(y * cos, x, sin, value=-1)


@kept
def _orders(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return (1, 2): how many times each wave turns with the angle."""
    return torch.tensor([1, 2], dtype=dtype, device=device)


@kept
def _grid(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return 128 angles of a turn."""
    steps = torch.arange(_N_ANGLES, dtype=dtype, device=device)
    return steps * (2 * math.pi / _N_ANGLES)


@kept
def _waves_of_grid(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the heights of each wave's parts at these angles, (4, 128)."""
    angles = _grid(dtype, device) * _orders(dtype, device)[:, None]
    return torch.cat([angles.cos(), angles.sin()])


@kept
def _behind_in_grid(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return which angles (128) lie more than a quarter turn from each (128)."""
    angles = _grid(dtype, device)
    return (angles - angles[:, None]).cos() < 0
