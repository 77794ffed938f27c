"""The long axis of a mass, with a direction."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from invariant_cluster.geometry._moments import NO_MASS, complex_moment

_AXIS_WEIGHT = 0.5
_SHORTEST = 1e-6
_N_ANGLES = 64
_N_STEPS = 5


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
    p, q = first
    spread = complex_moment(mass, about, 1, 1)[:, :1].clamp_min(NO_MASS)
    one = complex_moment(mass, about, p, q) / spread ** ((p + q) / 2)
    two = _AXIS_WEIGHT * complex_moment(mass, about, 2, 0) / spread
    theta = _steepest_angle(one, two)
    length = _turned_back(one, theta)[0].clamp_min(_SHORTEST)
    return torch.stack([length * theta.cos(), length * theta.sin()], dim=1)


def _steepest_angle(one: Tensor, two: Tensor) -> Tensor:
    """Return the t (n,) that maximises ``Re(one e^{-it}) + Re(two e^{-2it})``.

    The complex numbers are rows (Re, Im), each (n, 2). The function has at most two
    maxima. Both are located on a grid of 64 angles and then refined, since the grid
    alone may rank them wrongly.
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
    """Return real and imaginary part of ``v e^{-i theta}``, v given as (..., 2)."""
    x, y = vectors.unbind(dim=-1)
    cos, sin = theta.cos(), theta.sin()
    return x * cos + y * sin, y * cos - x * sin


def _height(one: Tensor, two: Tensor, theta: Tensor) -> Tensor:
    """Return ``Re(one e^{-i theta}) + Re(two e^{-2 i theta})``."""
    return _turned_back(one, theta)[0] + _turned_back(two, 2 * theta)[0]


def _climb(one: Tensor, two: Tensor, theta: Tensor) -> Tensor:
    """Refine maxima by Newton's method; a step is at most half the grid's spacing."""
    limit = math.pi / _N_ANGLES
    for _ in range(_N_STEPS):
        first, slope_of_first = _turned_back(one, theta)
        second, slope_of_second = _turned_back(two, 2 * theta)
        slope = slope_of_first + 2 * slope_of_second
        bend = (first + 4 * second).clamp_min(NO_MASS)
        theta = theta + (slope / bend).clamp(-limit, limit)
    return theta
