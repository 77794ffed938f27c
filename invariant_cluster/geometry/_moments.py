"""The mass of an image and its moments."""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor

from invariant_cluster.geometry._grid import disc_mask, pixel_grid

NO_MASS = 1e-8
_SHARE_OF_MASS = 0.99


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


def mass_radius(mass: Tensor, center: Tensor) -> Tensor:
    """Return the radius of the disc about a centre that holds 99 % of each mass.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w)
    center : Tensor of shape (n, 2), in grid units

    Returns
    -------
    Tensor of shape (n,), in grid units
        0 where there is no mass.
    """
    grid = pixel_grid(*mass.shape[-2:], device=mass.device)
    distance = (grid - center[:, None, None]).norm(dim=-1).flatten(1)
    nearest = distance.argsort(dim=1)
    within = mass.flatten(1).gather(1, nearest).cumsum(dim=1)
    reached = within >= _SHARE_OF_MASS * within[:, -1:]
    first = reached.int().argmax(dim=1, keepdim=True)
    return distance.gather(1, nearest.gather(1, first)).squeeze(1) * (within[:, -1] > 0)
