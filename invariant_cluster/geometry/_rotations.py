"""Rotations, angles and poses of points in the plane."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_LEAST_LENGTH = 1e-3


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
