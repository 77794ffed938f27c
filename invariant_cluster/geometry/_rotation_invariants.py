"""Rotation-invariant magnitudes of images, without training."""

from __future__ import annotations

import math

import torch
from scipy.special import eval_jacobi
from torch import Tensor

from invariant_cluster.geometry._grid import pixel_grid
from invariant_cluster.geometry._moments import (
    center_of_mass,
    distance_from,
    image_mass,
)
from invariant_cluster.geometry._motion import move_images, sample_points


def measure_mass(
    images: Tensor, background: Tensor, *, center: bool, floor: float = 0.0
) -> Tensor:
    """Return the mass of images in float64, moved to the centre on request.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images of any real dtype.
    background : Tensor of shape (c,)
        Value of an empty pixel, in the units of the images.
    center : bool
        If True, each mass is shifted, by bilinear interpolation, so that its centre of
        mass, taken inside the disc, lies in the middle. If False, the mass stays in
        place and is 0 outside the disc.
    floor : float, default=0
        Distance from the background that noise reaches, as in :func:`image_mass`.

    Returns
    -------
    Tensor of shape (n, h, w), float64
        ``max(|J - background| - floor, 0)`` summed over channels.

    See Also
    --------
    image_mass : Return the mass in the dtype of the images, without centring.

    Notes
    -----
    The computation is in float64. Rounding in matrix products and Fourier transforms
    depends on the number of rows and on the processor; in float32 the features of an
    image would change visibly with the other images in its batch.
    """
    difference = distance_from(images.double(), background[:, None, None], floor)
    inside = image_mass(difference)
    if not center:
        return inside
    middle = center_of_mass(_near_one(inside))
    still = torch.zeros_like(middle[:, 0])
    return move_images(difference.sum(dim=1, keepdim=True), still, -middle)[:, 0]


def _near_one(mass: Tensor) -> Tensor:
    """Return each mass scaled by a power of 2 so that its peak lies in [0.5, 1).

    Images in small units are then not mistaken for blank ones; the scaling rounds
    nothing.
    """
    _, exponent = torch.frexp(mass.amax(dim=(-2, -1), keepdim=True))
    return torch.ldexp(mass, -exponent)


def polar_points(height: int, width: int, n_radii: int, n_angles: int) -> Tensor:
    """Return sampling points on rings inside the disc.

    Parameters
    ----------
    height : int
        Number of pixel rows of the images.
    width : int
        Number of pixel columns of the images.
    n_radii : int
        Number of rings of equal width.
    n_angles : int
        Number of equally spaced points on a ring, the first at angle 0.

    Returns
    -------
    Tensor of shape (n_radii, n_angles, 2), float64
        Points (x, y) on the middle circle of each ring, in grid units.

    See Also
    --------
    polar_magnitudes : Return the Fourier magnitudes of images at these points.
    """
    radius = _ring_radii(n_radii) * (min(height, width) / max(height, width))
    angle = torch.arange(n_angles, dtype=torch.float64) * (2 * math.pi / n_angles)
    return radius[:, None, None] * torch.stack([angle.cos(), angle.sin()], dim=-1)


def _ring_radii(n_radii: int) -> Tensor:
    """Return the mid-radii of equally wide rings, as fractions of the disc's radius."""
    return (torch.arange(n_radii, dtype=torch.float64) + 0.5) / n_radii


def polar_magnitudes(mass: Tensor, points: Tensor, n_orders: int) -> Tensor:
    """Return the magnitudes of the Fourier transform over the angle, ring by ring.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w), float64
        Masses, such as those of :func:`measure_mass`.
    points : Tensor of shape (n_radii, n_angles, 2)
        Sampling points of :func:`polar_points`.
    n_orders : int
        Number of orders m = 0, 1, ... that are kept, at most ``n_angles // 2 + 1``.

    Returns
    -------
    Tensor of shape (n, n_radii * n_orders), float64
        ``sqrt(r) |sum_k J(r, phi_k) exp(-i m phi_k)|``, ordered by ring, then by order.

    See Also
    --------
    zernike_magnitudes : Return the magnitudes of Zernike moments.

    Notes
    -----
    When the image turns by alpha, the coefficient of order m is multiplied by
    ``exp(-i m alpha)``; a mirror image has the complex conjugate. The magnitudes do not
    change. The factor ``sqrt(r)`` weights each ring by its area in squared distances.
    """
    everywhere = points.expand(len(mass), -1, -1, -1)
    rings = sample_points(mass[:, None], everywhere, 0.0)[:, 0]
    orders = torch.fft.rfft(rings, dim=-1).abs()[..., :n_orders]
    weights = _ring_radii(len(points)).sqrt()[:, None].to(orders.device)
    return (orders * weights).flatten(1)


def zernike_magnitudes(mass: Tensor, basis: Tensor) -> Tensor:
    """Return the magnitudes of the Zernike moments of each mass.

    Parameters
    ----------
    mass : Tensor of shape (n, h, w), float64
        Masses, such as those of :func:`measure_mass`.
    basis : Tensor of shape (2, n_moments, h, w), float64
        Basis functions V_nm of :func:`zernike_basis`, for images of the same size.

    Returns
    -------
    Tensor of shape (n, n_moments), float64
        ``|sum_p J(p) conj(V_nm(p))|`` over the pixels p; rotation and reflection of the
        image do not change it.

    See Also
    --------
    zernike_basis : Return the basis functions.
    polar_magnitudes : Return Fourier magnitudes on rings.
    """
    rows = mass.flatten(1)
    real, imaginary = basis.flatten(2)
    return torch.hypot(rows @ real.T, rows @ imaginary.T)


def zernike_basis(height: int, width: int, degree: int) -> Tensor:
    """Return the Zernike basis functions on the pixels of the disc.

    Parameters
    ----------
    height : int
        Number of pixel rows of the images.
    width : int
        Number of pixel columns of the images.
    degree : int
        Highest radial degree n.

    Returns
    -------
    Tensor of shape (2, n_moments, height, width), float64
        Real part and imaginary part of V_nm for n <= degree and m = n, n - 2, ... >= 0,
        ordered by n, then by m ascending. The disc has radius 1; outside V_nm is 0.

    See Also
    --------
    radial_polynomial : Return the radial part R_nm.
    zernike_magnitudes : Return the magnitudes of moments in this basis.

    Notes
    -----
    ``V_nm = (n + 1) R_nm(r) exp(i m phi)``.

    References
    ----------
    A. Khotanzad and Y. H. Hong, "Invariant image recognition by Zernike moments", IEEE
    Transactions on Pattern Analysis and Machine Intelligence 12(5), 1990, equation 2.
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
    """Return Zernike's radial polynomial R_nm.

    Parameters
    ----------
    n : int
        Degree.
    m : int
        Order, 0 <= m <= n, with n - m even.
    radius : Tensor of any shape, float64
        Radii r, in units of the disc's radius.

    Returns
    -------
    Tensor of the shape of radius, float64
        ``R_nm(r) = r^m P_k^(0,m)(2 r^2 - 1)`` with k = (n - m) / 2.

    See Also
    --------
    zernike_basis : Return the basis functions on the pixels of the disc.

    Notes
    -----
    The Jacobi polynomials P_k stay accurate at high degree, while the usual sum of
    powers of r loses all digits above degree 40.
    """
    jacobi = eval_jacobi((n - m) // 2, 0, m, (2 * radius**2 - 1).numpy())
    return radius**m * torch.from_numpy(jacobi)
