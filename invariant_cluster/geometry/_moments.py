"""The mass of an image and its moments."""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor

from invariant_cluster.geometry._grid import disc_mask, pixel_grid

# An image whose total mass is not above this is treated as blank.
NO_MASS = 1e-8
_SHARE_OF_MASS = 0.99


def image_mass(images: Tensor, background: Tensor | float = 0.0) -> Tensor:
    """Return the mass of each image: its distance from the background.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images in any units.
    background : float or Tensor that broadcasts to the images, default=0
        Value of an empty pixel, in the units of the images.

    Returns
    -------
    Tensor of shape (n, h, w)
        ``|J - background|`` summed over channels inside the disc, 0 outside.

    See Also
    --------
    disc_mask : Return the pixels inside the disc.
    measure_mass : Return the mass in float64, centred on request.
    """
    mass = (images - background).abs().sum(dim=1)
    return mass * disc_mask(*images.shape[-2:], device=images.device)


def center_of_mass(mass: Tensor) -> Tensor:
    """Return the centre of mass (m_x, m_y) of each image.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w)
        Non-negative masses, such as those of :func:`image_mass`.

    Returns
    -------
    Tensor of shape (n, 2)
        Centres in grid units; (0, 0) for an image without mass (total at most
        ``NO_MASS``).

    See Also
    --------
    complex_moment : Return a moment about a given centre.
    analytic_pose : Return the pose that a symmetry-breaking rule prescribes.

    Notes
    -----
    This is the integral of section 3.4 of the IRL-INR paper, as a sum over the pixel
    grid.
    """
    grid = _grid_of(mass)
    first = torch.einsum("nhw,hwk->nk", mass, grid)
    return _per_mass(first, mass)


def complex_moment(mass: Tensor, center: Tensor, p: int = 2, q: int = 1) -> Tensor:
    """Return the complex moment mu_pq of each mass about its centre.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w)
        Non-negative masses, such as those of :func:`image_mass`.
    center : Tensor of shape (n, 2)
        Point (m_x, m_y) about which the moment is taken, in grid units.
    p : int, default=2
        Power of w.
    q : int, default=1
        Power of conj(w). The default, mu_21, is the lowest order that has a direction
        about the centre of mass.

    Returns
    -------
    Tensor of shape (n, 2)
        (Re, Im) of mu_pq, in grid units to the power p + q; 0 for an image without
        mass.

    See Also
    --------
    center_of_mass : Return the centre of mass of each image.
    principal_axis : Return a direction that combines two moments.

    Notes
    -----
    ``mu_pq = sum w^p conj(w)^q J / sum J`` with ``w = (x - m_x) + i (y - m_y)``. When
    the image turns by alpha, mu_pq is multiplied by ``exp(i (p - q) alpha)``: for
    p - q = 1 its direction turns by exactly alpha. Translation does not change a moment
    about the centre of mass.
    """
    grid = _grid_of(mass)
    offset = grid - center[:, None, None, :]
    w = torch.complex(offset[..., 0], offset[..., 1])
    # Products instead of powers: ONNX has no power of complex numbers.
    kernel = torch.view_as_real(reduce(torch.mul, [w] * p + [w.conj()] * q))
    return _per_mass(torch.einsum("nhw,nhwk->nk", mass, kernel), mass)


def _grid_of(mass: Tensor) -> Tensor:
    """Return the pixel grid of masses (n, h, w), in their dtype and on their device."""
    return pixel_grid(*mass.shape[-2:], device=mass.device).to(mass.dtype)


def _per_mass(sums: Tensor, mass: Tensor) -> Tensor:
    """Return sums (n, k) divided by the total mass; 0 where there is no mass."""
    total = mass.sum(dim=(-2, -1))[:, None]
    return torch.where(total > NO_MASS, sums / total.clamp_min(NO_MASS), 0.0)


def mass_radius(mass: Tensor, center: Tensor) -> Tensor:
    """Return the radius of the disc about a centre that holds 99 % of each mass.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w)
        Non-negative masses, such as those of :func:`image_mass`.
    center : Tensor of shape (n, 2)
        Centre of each disc, in grid units.

    Returns
    -------
    Tensor of shape (n,)
        Distance to the outermost pixel centre needed, in grid units; 0 for an image
        without mass.

    See Also
    --------
    center_of_mass : Return the centre of mass of each image.
    """
    grid = pixel_grid(*mass.shape[-2:], device=mass.device)
    distance = (grid - center[:, None, None]).norm(dim=-1).flatten(1)
    nearest = distance.argsort(dim=1)
    within = mass.flatten(1).gather(1, nearest).cumsum(dim=1)
    reached = within >= _SHARE_OF_MASS * within[:, -1:]
    first = reached.int().argmax(dim=1, keepdim=True)
    return distance.gather(1, nearest.gather(1, first)).squeeze(1) * (within[:, -1] > 0)
