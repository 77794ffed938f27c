"""Magnitudes that do not change when an image turns, without training.

A turn by alpha changes the Fourier coefficient of order m over the angle by the factor
``exp(-i m alpha)``, and a mirror image has its complex conjugate: the magnitudes stay.

The computation is in float64. How matrix products and Fourier transforms round depends
on the number of rows and on the processor; in float32 the features of an image would
change visibly with the number of images beside it.
"""

from __future__ import annotations

import math

import torch
from scipy.special import eval_jacobi
from torch import Tensor

from invariant_cluster.geometry._grid import pixel_grid
from invariant_cluster.geometry._moments import center_of_mass, image_mass
from invariant_cluster.geometry._motion import move_images, sample_points


def measure_mass(images: Tensor, background: Tensor, *, center: bool) -> Tensor:
    """Return |J - background| summed over channels, float64, shape (n, h, w).

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w), any real dtype
    background : Tensor of shape (c,)
    center : bool
        Whether each image is moved, by interpolation, so that the centre of its mass is
        in the middle. If not, the mass outside the disc is 0.
    """
    difference = (images.double() - background[:, None, None]).abs()
    inside = image_mass(difference)
    if not center:
        return inside
    middle = center_of_mass(_near_one(inside))
    still = torch.zeros_like(middle[:, 0])
    return move_images(difference.sum(dim=1, keepdim=True), still, -middle)[:, 0]


def _near_one(mass: Tensor) -> Tensor:
    """Return each mass scaled, by a power of 2, to a peak from 0.5 to 1.

    Images in small units are not blank, and such a scaling rounds nothing.
    """
    _, exponent = torch.frexp(mass.amax(dim=(-2, -1), keepdim=True))
    return torch.ldexp(mass, -exponent)


def polar_points(height: int, width: int, n_radii: int, n_angles: int) -> Tensor:
    """Return points on rings within the disc, in grid units, (n_radii, n_angles, 2)."""
    radius = _ring_radii(n_radii) * (min(height, width) / max(height, width))
    angle = torch.arange(n_angles, dtype=torch.float64) * (2 * math.pi / n_angles)
    return radius[:, None, None] * torch.stack([angle.cos(), angle.sin()], dim=-1)


def _ring_radii(n_radii: int) -> Tensor:
    """Return the middles of rings of equal width, as fractions of the disc's radius."""
    return (torch.arange(n_radii, dtype=torch.float64) + 0.5) / n_radii


def polar_magnitudes(mass: Tensor, points: Tensor, n_orders: int) -> Tensor:
    """Return ``sqrt(r) |sum_k J(r, phi_k) exp(-i m phi_k)|`` for m < n_orders.

    The root of the radius makes the squares count a ring by its area.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w), float64
    points : Tensor of shape (n_radii, n_angles, 2)
        Of :func:`polar_points`.
    n_orders : int
        At most ``n_angles // 2 + 1``.

    Returns
    -------
    Tensor of shape (n, n_radii * n_orders)
    """
    everywhere = points.expand(len(mass), -1, -1, -1)
    rings = sample_points(mass[:, None], everywhere, 0.0)[:, 0]
    orders = torch.fft.rfft(rings, dim=-1).abs()[..., :n_orders]
    return (orders * _ring_radii(len(points)).sqrt()[:, None]).flatten(1)


def zernike_magnitudes(mass: Tensor, basis: Tensor) -> Tensor:
    """Return ``|sum_p J(p) conj(V_nm(p))|`` over the pixels p, (n, n_moments).

    Parameters
    ----------
    mass : Tensor of shape (n, h, w), float64
    basis : Tensor of shape (2, n_moments, h, w), float64
        Of :func:`zernike_basis`.

    Returns
    -------
    Tensor of shape (n, n_moments)
    """
    rows = mass.flatten(1)
    real, imaginary = basis.flatten(2)
    return torch.hypot(rows @ real.T, rows @ imaginary.T)


def zernike_basis(height: int, width: int, degree: int) -> Tensor:
    """Return ``V_nm = (n + 1) R_nm(r) exp(i m phi)``, (2, n_moments, h, w), float64.

    The first half is the real part, the second the imaginary part. For n <= degree and
    m = n, n - 2, ... >= 0 (Khotanzad and Hong 1990, equation 2), on the pixels of the
    disc, whose radius is 1; 0 outside. Ordered by n, then by m.
    """
    x, y = pixel_grid(height, width).double().unbind(dim=-1)
    radius = torch.hypot(x, y) * (max(height, width) / min(height, width))
    angle, inside = torch.atan2(y, x), radius <= 1
    basis = [
        (n + 1) * radial_polynomial(n, m, radius) * torch.exp(1j * m * angle) * inside
        for n in range(degree + 1)
        for m in range(n % 2, n + 1, 2)
    ]
    return torch.view_as_real(torch.stack(basis)).movedim(-1, 0).contiguous()


def radial_polynomial(n: int, m: int, radius: Tensor) -> Tensor:
    """Return Zernike's R_nm, the shape of radius.

    ``R_nm(r) = r^m P_k^(0,m)(2 r^2 - 1)`` with k = (n - m) / 2, by Jacobi polynomials:
    the paper's sum of powers loses all digits above degree 40.
    """
    jacobi = eval_jacobi((n - m) // 2, 0, m, (2 * radius**2 - 1).numpy())
    return radius**m * torch.from_numpy(jacobi)
