"""Invariant features without training: the floor that a learned z has to beat."""

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.decomposition import PCA

from invariant_cluster._geometry import (
    center_of_mass,
    image_mass,
    move_images,
    pixel_grid,
)
from invariant_cluster.datasets._framing import border_median

POLAR = {"n_radii": 16, "n_angles": 64, "n_orders": 16, "n_components": 20}
FEATURES: dict[str, dict[str, Any]] = {
    "raw pixels": {},
    "polar Fourier": {**POLAR, "power": 1.0},
    "polar Fourier root": {**POLAR, "power": 0.5},
    "Zernike": {"degree": 14, "power": 0.5, "n_components": 15},
}
CHUNK = 1024


def compute_features(
    name: str, train: np.ndarray, test: np.ndarray, center: bool, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return features of train and test images (n, h, w[, c]), each (n, k) float32.

    Parameters
    ----------
    name : str
        Of ``FEATURES``; all but the raw pixels are reduced by a PCA of the training
        images.
    center : bool
        Whether each image is first moved so that its centre of mass is in the middle.
    """
    options = dict(FEATURES[name])
    n_components = options.pop("n_components", None)
    compute = {
        "raw pixels": pixels,
        "polar Fourier": polar_magnitudes,
        "polar Fourier root": polar_magnitudes,
        "Zernike": zernike_magnitudes,
    }[name]
    background = border_median(train)
    rows = [
        in_chunks(compute, part, background, center, **options)
        for part in (train, test)
    ]
    if n_components is None:
        return rows[0], rows[1]
    pca = PCA(min(n_components, *rows[0].shape), random_state=seed).fit(rows[0])
    return pca.transform(rows[0]), pca.transform(rows[1])


def in_chunks(
    compute: Any,
    images: np.ndarray,
    background: np.ndarray,
    center: bool,
    **options: Any,
) -> np.ndarray:
    """Return features of the mass |J - background| of images, a chunk at a time."""
    found = []
    for start in range(0, len(images), CHUNK):
        mass = to_mass(images[start : start + CHUNK], background, center)
        found.append(compute(mass, **options).numpy())
    return np.concatenate(found)


def to_mass(images: np.ndarray, background: np.ndarray, center: bool) -> torch.Tensor:
    """Return the mass of images, 0 outside the disc, centred if asked, (n, h, w)."""
    difference = images.astype(np.float32) - background.astype(np.float32)
    channels = difference.reshape(*images.shape[:3], -1)
    batch = torch.from_numpy(np.ascontiguousarray(np.moveaxis(channels, -1, 1)))
    mass = image_mass(batch)
    if not center:
        return mass
    middle = center_of_mass(mass)
    still = torch.zeros(len(mass))
    return move_images(batch.abs().sum(1, keepdim=True), still, -middle)[:, 0]


def pixels(mass: torch.Tensor) -> torch.Tensor:
    """Return the pixels as rows, (n, h w)."""
    return mass.flatten(1)


def polar_magnitudes(
    mass: torch.Tensor, n_radii: int, n_angles: int, n_orders: int, power: float
) -> torch.Tensor:
    """Return ``|FFT over the angle|^power`` of polar samples, (n, n_radii n_orders).

    A turn of the image shifts the samples along the angle, which changes the phase
    alone. Magnitudes are weighed by the root of the radius, so that their squares
    count a ring by its area. A power below 1 lifts the weak orders.
    """
    radius = (torch.arange(n_radii) + 0.5) / n_radii
    angle = torch.arange(n_angles) * (2 * math.pi / n_angles)
    grid = torch.stack(
        [radius[:, None] * angle.cos(), -radius[:, None] * angle.sin()], dim=-1
    )
    rings = F.grid_sample(
        mass[:, None], grid.expand(len(mass), -1, -1, -1), align_corners=False
    )[:, 0]
    orders = torch.fft.rfft(rings, dim=-1).abs()[..., :n_orders]
    return (orders * radius[:, None].sqrt()).pow(power).flatten(1)


def zernike_magnitudes(mass: torch.Tensor, degree: int, power: float) -> torch.Tensor:
    """Return ``|sum J conj(V_nm)|^power``, n <= degree, (n_images, n_moments).

    Zernike moments (Khotanzad and Hong, IEEE TPAMI 12, 1990): V_nm is the radial
    polynomial R_nm times exp(i m phi); a turn of the image changes the phase alone.
    """
    height, width = mass.shape[1:]
    basis = zernike_basis(height, width, degree)
    flat = mass.flatten(1).to(torch.complex64)
    return (flat @ basis.conj().T).abs().pow(power)


def zernike_basis(height: int, width: int, degree: int) -> torch.Tensor:
    """Return V_nm on the pixels of the disc, 0 outside, (n_moments, h w), complex."""
    x, y = pixel_grid(height, width).double().unbind(dim=-1)
    radius = torch.hypot(x, y) * (max(height, width) / min(height, width))
    phase, inside = torch.atan2(y, x), radius <= 1
    basis = [
        (n + 1) * radial_polynomial(n, m, radius) * torch.exp(1j * m * phase) * inside
        for n in range(degree + 1)
        for m in range(n % 2, n + 1, 2)
    ]
    return torch.stack(basis).flatten(1).to(torch.complex64)


def radial_polynomial(n: int, m: int, radius: torch.Tensor) -> torch.Tensor:
    """Return R_nm, the shape of radius.

    ``sum_s (-1)^s (n-s)! / (s! ((n+m)/2-s)! ((n-m)/2-s)!) r^(n-2s)``
    """
    total = torch.zeros_like(radius)
    for s in range((n - m) // 2 + 1):
        bottom = math.factorial(s)
        bottom *= math.factorial((n + m) // 2 - s) * math.factorial((n - m) // 2 - s)
        factor = (-1) ** s * math.factorial(n - s) / bottom
        total += factor * radius ** (n - 2 * s)
    return total
