"""Symmetry-breaking rules: the pose that moments prescribe."""

from __future__ import annotations

import torch
from torch import Tensor

from invariant_cluster.geometry._moments import center_of_mass, complex_moment
from invariant_cluster.geometry._principal_axis import principal_axis
from invariant_cluster.geometry._rotations import angle_of

SYMMETRY_RULES = ("center_of_mass", "complex_moment", "principal_axis")


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
