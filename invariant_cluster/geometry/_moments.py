"""The mass of an image and its moments."""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor

from invariant_cluster.geometry._grid import kept_disc, pixel_grid
from invariant_cluster.geometry._kept import kept

# An image whose total mass is not above this is treated as blank.
NO_MASS = 1e-8
_SHARE_OF_MASS = 0.99


def image_mass(
    images: Tensor, background: Tensor | float = 0.0, floor: float = 0.0
) -> Tensor:
    """Return the mass of each image: its distance from the background.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images in any units.
    background : float or Tensor that broadcasts to the images, default=0
        Value of an empty pixel, in the units of the images.
    floor : float, default=0
        Distance from the background that noise reaches; it is subtracted, and what is
        closer has no mass.

    Returns
    -------
    Tensor of shape (n, h, w)
        ``max(|J - background| - floor, 0)`` summed over channels inside the disc, 0
        outside.

    See Also
    --------
    disc_mask : Return the pixels inside the disc.
    measure_mass : Return the mass in float64, centred on request.
    """
    mass = distance_from(images, background, floor).sum(dim=1)
    return mass * kept_disc(*mass.shape[-2:], mass.dtype, mass.device)


def distance_from(
    images: Tensor, background: Tensor | float, floor: float = 0.0
) -> Tensor:
    """Return the distance of each value from the background, above that of noise.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images in any units.
    background, floor
        As in :func:`image_mass`.

    Returns
    -------
    Tensor of shape (n, c, h, w)
        ``max(|J - background| - floor, 0)``.
    """
    distance = (images - background).abs()
    return (distance - floor).clamp_min(0) if floor else distance


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
    center, _ = low_moments(mass)
    return center.to(mass.dtype)


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


class LowMoments(NamedTuple):
    """Moments of each mass up to the third order, about a point.

    Each is a mean over the mass, of powers of ``w = (x - p_x) + i (y - p_y)`` with p
    the point. Complex numbers are rows (Re, Im).

    Attributes
    ----------
    first : Tensor of shape (n, 2)
        mu_10, the mean of w.
    spread : Tensor of shape (n, 1)
        mu_11, the mean of ``|w|^2``.
    second : Tensor of shape (n, 2)
        mu_20, the mean of ``w^2``.
    third : Tensor of shape (n, 2)
        mu_21, the mean of ``w |w|^2``.

    See Also
    --------
    low_moments : Return the moments about the centre of mass.
    complex_moment : Return a single moment of any order.
    """

    first: Tensor
    spread: Tensor
    second: Tensor
    third: Tensor

    def about(self, offset: Tensor) -> LowMoments:
        """Return central moments as moments about another point.

        Parameters
        ----------
        offset : Tensor of shape (n, 2)
            The point, relative to the centre of mass.

        Returns
        -------
        LowMoments
            ``mu_10 = -p``, ``mu_11 + |p|^2``, ``mu_20 + p^2`` and
            ``mu_21 - conj(p) mu_20 - p (2 mu_11 + |p|^2)`` with p the offset.
        """
        square = offset.square().sum(dim=1, keepdim=True)
        turned = _times(_conjugate(offset), self.second)
        return LowMoments(
            -offset,
            self.spread + square,
            self.second + _times(offset, offset),
            self.third - turned - offset * (2 * self.spread + square),
        )


def low_moments(mass: Tensor) -> tuple[Tensor, LowMoments]:
    """Return the centre of each mass and its central moments up to the third order.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w)
        Non-negative masses, such as those of :func:`image_mass`.

    Returns
    -------
    center : Tensor of shape (n, 2), float64
        Centre of mass, in grid units; float32 on devices of type "mps".
    moments : LowMoments
        Moments about the centre. All are 0 for an image without mass.

    See Also
    --------
    center_of_mass : Return the centre alone.

    Notes
    -----
    One matrix product computes all moments about the image's centre. It is in float64,
    since moments about the centre of mass are differences of these.
    """
    height, width = mass.shape[-2:]
    dtype = torch.float32 if mass.device.type == "mps" else torch.float64
    monomials = _monomials(height, width, dtype, mass.device)
    sums = mass.flatten(1).to(dtype) @ monomials
    total = sums[:, :1]
    means = torch.where(total > NO_MASS, sums / total.clamp_min(NO_MASS), 0.0)
    center, spread, second, third = means[:, 1:].split([2, 1, 2, 2], dim=1)
    turned = _times(_conjugate(center), second)
    spread = spread - center.square().sum(dim=1, keepdim=True)
    second = second - _times(center, center)
    third = third - turned - 2 * spread * center
    return center, LowMoments(torch.zeros_like(center), spread, second, third)


def mass_size(mass: Tensor) -> Tensor:
    """Return how large each mass is: its root mean square distance from its centre.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w)
        Non-negative masses, such as those of :func:`image_mass`.

    Returns
    -------
    Tensor of shape (n,)
        ``sqrt(mu_11)`` about the centre of mass, in grid units; 0 for an image without
        mass.

    See Also
    --------
    mass_radius : Return the radius of the disc that holds nearly all of the mass.
    """
    _, moments = low_moments(mass)
    return moments.spread.squeeze(1).clamp_min(0).sqrt().to(mass.dtype)


@kept
def _monomials(
    height: int, width: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Return 1, w, |w|^2, w^2 and w |w|^2 of each pixel as columns, (h w, 8)."""
    grid = pixel_grid(height, width, device=device).to(dtype).reshape(-1, 2)
    square = grid.square().sum(dim=1, keepdim=True)
    one = torch.ones_like(square)
    return torch.cat([one, grid, square, _times(grid, grid), grid * square], dim=1)


def _times(a: Tensor, b: Tensor) -> Tensor:
    """Return the products of complex numbers, rows (Re, Im); ONNX lacks the type."""
    (x, y), (u, v) = a.unbind(dim=1), b.unbind(dim=1)
    return torch.stack([x * u - y * v, x * v + y * u], dim=1)


def _conjugate(a: Tensor) -> Tensor:
    """Return the conjugates of complex numbers, rows (Re, Im)."""
    return torch.stack([a[:, 0], -a[:, 1]], dim=1)


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
