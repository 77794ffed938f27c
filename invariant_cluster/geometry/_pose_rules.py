"""Symmetry-breaking rules: the pose that moments prescribe."""

from __future__ import annotations

import torch
from torch import Tensor

from invariant_cluster.geometry._moments import low_moments
from invariant_cluster.geometry._principal_axis import axis_of
from invariant_cluster.geometry._rotations import angle_of

SYMMETRY_RULES = ("center_of_mass", "complex_moment", "principal_axis")


def analytic_pose(
    mass: Tensor, rule: str | None, *, translates: bool
) -> tuple[Tensor, Tensor]:
    """Return the pose (theta*, tau*) that a symmetry-breaking rule prescribes.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w)
        Non-negative masses, such as those of :func:`image_mass`.
    rule : {"center_of_mass", "complex_moment", "principal_axis"} or None
        Source of theta*: ``arg m`` of the centre of mass m, ``arg mu_21``, the
        direction of :func:`principal_axis`, or 0 for None.
    translates : bool
        If True, tau* = m. If False, tau* = 0, and "complex_moment" and "principal_axis"
        take moments about the image's centre.

    Returns
    -------
    theta : Tensor of shape (n,)
        Angles in radians, in [0, 2 pi); 0 for an image without mass.
    tau : Tensor of shape (n, 2)
        Shifts (x, y) in grid units, y up; 0 for an image without mass.

    See Also
    --------
    symmetry_targets : Return the vectors from which the pose is computed.
    canonicalize_images : Move images back from a pose.

    Notes
    -----
    With ``translates=True`` the pose is equivariant: when an image turns by alpha about
    its centre and then moves by t, theta* grows by alpha and tau* becomes
    ``R(alpha) tau* + t``, up to interpolation and as long as the object stays inside
    the disc. "center_of_mass" obeys this law only for t = 0, since a translation
    changes the direction in which the mass lies off the image's centre.

    References
    ----------
    S. Kwon, J. Y. Choi and E. K. Ryu, "Rotation and translation invariant
    representation learning with implicit neural representations", ICML 2023, section
    3.4.
    """
    center, direction = symmetry_targets(mass, rule, translates=translates)
    tau = center if translates else torch.zeros_like(center)
    return angle_of(direction[:, 0], direction[:, 1]), tau


def symmetry_targets(
    mass: Tensor, rule: str | None, *, translates: bool
) -> tuple[Tensor, Tensor]:
    """Return the centre of mass and the direction vector of a symmetry-breaking rule.

    These are the training targets of the pose head.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w)
        Non-negative masses, such as those of :func:`image_mass`.
    rule : {"center_of_mass", "complex_moment", "principal_axis"} or None
        Source of the direction: the centre of mass m, the moment mu_21,
        :func:`principal_axis`, or 0 for None.
    translates : bool
        Whether the objects are translated: moments are then taken about m, otherwise
        about the image's centre.

    Returns
    -------
    center : Tensor of shape (n, 2)
        Centre of mass m, in grid units.
    direction : Tensor of shape (n, 2)
        Vector at the angle theta*. For "complex_moment" and "principal_axis", a short
        vector marks an ill-defined direction.

    See Also
    --------
    analytic_pose : Return the angle and the shift of these vectors.
    """
    middle, moments = low_moments(mass)
    center = middle.to(mass.dtype)
    if rule == "center_of_mass":
        return center, center
    if rule is None:
        return center, torch.zeros_like(center)
    if not translates:
        moments = moments.about(-middle)
    if rule == "complex_moment":
        return center, moments.third.to(mass.dtype)
    axis = axis_of(moments, first=(2, 1) if translates else (1, 0))
    return center, axis.to(mass.dtype)
