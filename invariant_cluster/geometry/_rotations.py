"""Rotations, angles and poses of points in the plane."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

_LEAST_LENGTH = 1e-3
_SMALL_ANGLE = 1e-4


def rotation_matrix(theta: Tensor) -> Tensor:
    """Return the rotation matrix R(theta) of each angle.

    Parameters
    ----------
    theta : Tensor of shape (n,)
        Angles in radians, counter-clockwise.

    Returns
    -------
    Tensor of shape (n, 2, 2)
        Matrices that turn column vectors by theta.

    See Also
    --------
    rotation_towards : Return the rotation matrix of a direction vector.
    """
    cos, sin = theta.cos(), theta.sin()
    return torch.stack([cos, -sin, sin, cos], dim=-1).reshape(-1, 2, 2)


def exponential(matrix: Tensor) -> Tensor:
    """Return the exponential of 2 x 2 matrices, in closed form.

    Parameters
    ----------
    matrix : Tensor of shape (n, 2, 2)
        Any matrices, floating point.

    Returns
    -------
    Tensor of shape (n, 2, 2)
        ``e^m (cosh(s) I + sinh(s) / s (A - m I))`` with half the trace m and
        ``s^2 = -det(A - m I)``; cos and sin of |s| where that is negative.

    See Also
    --------
    rotation_matrix : Return the exponential of antisymmetric matrices.

    Notes
    -----
    ``torch.matrix_exp`` waits for the GPU, since it looks at the norms.
    """
    mean = (matrix[:, 0, 0] + matrix[:, 1, 1]) / 2
    unit = torch.eye(2, dtype=matrix.dtype, device=matrix.device)
    rest = matrix - mean[:, None, None] * unit
    square = rest[:, 0, 0].square() + rest[:, 0, 1] * rest[:, 1, 0]
    s = square.abs().sqrt()
    cosine = torch.where(square > 0, s.cosh(), s.cos())
    sine = torch.where(square > 0, s.sinh(), s.sin())
    # sinh(s) / s is 1 to rounding where s is this small.
    ratio = torch.where(s > _SMALL_ANGLE, sine / s.clamp_min(_SMALL_ANGLE), 1.0)
    even, odd = mean.exp() * cosine, mean.exp() * ratio
    return even[:, None, None] * unit + odd[:, None, None] * rest


def rotation_towards(direction: Tensor) -> Tensor:
    """Return the rotation matrix that turns the x axis to each direction.

    Parameters
    ----------
    direction : Tensor of shape (n, 2)
        Vectors (x, y) of any length.

    Returns
    -------
    Tensor of shape (n, 2, 2)
        R(theta), with theta the angle of the vector.

    See Also
    --------
    rotation_matrix : Return the rotation matrix of an angle.
    angle_of : Return the angle of a direction.

    Notes
    -----
    The angle itself is never computed: its gradient is unbounded near the origin. For a
    vector shorter than 0.001 the matrix shrinks in proportion, since such a direction
    is meaningless.
    """
    x, y = F.normalize(direction, dim=1, eps=_LEAST_LENGTH).unbind(dim=1)
    return torch.stack([x, -y, y, x], dim=-1).reshape(-1, 2, 2)


def angle_of(x: Tensor, y: Tensor) -> Tensor:
    """Return the angle of the direction (x, y).

    Parameters
    ----------
    x : Tensor
        First coordinates.
    y : Tensor
        Second coordinates, of the same shape.

    Returns
    -------
    Tensor
        Angles in radians, in [0, 2 pi); 0 for the origin.

    See Also
    --------
    rotation_towards : Return the rotation matrix of a direction.
    wrap_angle : Map angles to [0, 2 pi).
    """
    return wrap_angle(torch.atan2(y, x))


def signed_angle(theta: NDArray) -> NDArray:
    """Map angles to [-pi, pi), as differences of angles are measured.

    Parameters
    ----------
    theta : ndarray of shape (n,)
        Angles in radians.

    Returns
    -------
    ndarray of shape (n,)
        The same angles.

    See Also
    --------
    wrap_angle : Map angles to [0, 2 pi).
    """
    wrapped: NDArray = (theta + math.pi) % (2 * math.pi) - math.pi
    return wrapped


def wrap_angle(theta: Tensor) -> Tensor:
    """Return angles mapped to [0, 2 pi).

    Parameters
    ----------
    theta : Tensor
        Angles in radians.

    Returns
    -------
    Tensor
        The same angles modulo 2 pi; values that round to 2 pi in float32 become 0.

    See Also
    --------
    angle_of : Return the angle of a direction.

    Examples
    --------
    >>> import torch
    >>> from invariant_cluster.geometry import wrap_angle
    >>> wrap_angle(torch.tensor([0.0, -1.0, 7.0])).round(decimals=3).tolist()
    [0.0, 5.2829999923706055, 0.7170000076293945]
    """
    theta = theta.remainder(2 * math.pi)
    return torch.where(theta < 2 * math.pi, theta, torch.zeros_like(theta))


def to_canonical(points: Tensor, rotation: Tensor, tau: Tensor) -> Tensor:
    """Map image coordinates to canonical coordinates.

    Parameters
    ----------
    points : Tensor of shape (p, 2) or (n, p, 2)
        Points (x, y) of the image, in grid units.
    rotation : Tensor of shape (n, 2, 2)
        R(theta) of each image's pose.
    tau : Tensor of shape (n, 2)
        Shift of each image's pose, in grid units.

    Returns
    -------
    Tensor of shape (n, p, 2)
        ``R(-theta) (x - tau)``, in grid units.

    See Also
    --------
    canonicalize_images : Move whole images to canonical orientation.
    """
    return (points - tau[:, None, :]) @ rotation


def compose_poses(
    theta_outer: Tensor, tau_outer: Tensor, theta_inner: Tensor, tau_inner: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the pose of an image from its alignment and the pose that remained.

    Parameters
    ----------
    theta_outer : Tensor of shape (n,)
        Angle by which the image was aligned, in radians.
    tau_outer : Tensor of shape (n, 2)
        Shift by which the image was aligned, in grid units.
    theta_inner : Tensor of shape (n,)
        Angle of the aligned image's pose, in radians.
    tau_inner : Tensor of shape (n, 2)
        Shift of the aligned image's pose, in grid units.

    Returns
    -------
    theta : Tensor of shape (n,)
        Angle of the image's pose, in [0, 2 pi).
    tau : Tensor of shape (n, 2)
        Shift of the image's pose, in grid units.

    See Also
    --------
    canonicalize_images : Align images by a pose.

    Notes
    -----
    With the aligned image ``A(x) = J(R(theta_outer) x + tau_outer)``, the pose of J is
    ``(theta_outer + theta_inner, tau_outer + R(theta_outer) tau_inner)``.
    """
    theta = wrap_angle(theta_outer + theta_inner)
    turned = (rotation_matrix(theta_outer) @ tau_inner[:, :, None]).squeeze(-1)
    return theta, tau_outer + turned
