"""Features without training do not change when the image turns."""

import math

import numpy as np
import pytest
import torch

from benchmarks.classical import (
    FEATURES,
    compute_features,
    radial_polynomial,
    zernike_basis,
)


@pytest.fixture
def blobs():
    random = np.random.default_rng(0)
    images = np.zeros((24, 16, 16), dtype=np.uint8)
    images[:, 4:12, 4:12] = random.integers(0, 255, (24, 8, 8))
    return images


@pytest.mark.parametrize("name", [name for name in FEATURES if name != "raw pixels"])
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_invariant_to_quarter_turns(blobs, name, turns):
    turned = np.rot90(blobs, turns, axes=(1, 2)).copy()
    still, moved = compute_features(name, blobs, turned, center=True, seed=0)
    assert still.std() > 0
    np.testing.assert_allclose(moved, still, atol=1e-3 * still.std())


@pytest.mark.parametrize("name", [name for name in FEATURES if name != "raw pixels"])
def test_invariant_to_shifts_if_centred(blobs, name):
    shifted = np.roll(blobs, (1, -2), axis=(1, 2))
    still, moved = compute_features(name, blobs, shifted, center=True, seed=0)
    far = np.linalg.norm(still - still.mean(axis=0), axis=1).mean()
    assert np.linalg.norm(moved - still, axis=1).mean() < 0.01 * far


def test_background_is_no_mass(blobs):
    dark, light = (
        compute_features("raw pixels", images, images, center=False, seed=0)[0]
        for images in (blobs, 255 - blobs)
    )
    np.testing.assert_allclose(dark, light, atol=1e-3)


def test_radial_polynomials_are_zernikes():
    r = torch.linspace(0, 1, 5, dtype=torch.float64)
    for n, m, expected in [
        (0, 0, torch.ones_like(r)),
        (2, 0, 2 * r**2 - 1),
        (3, 1, 3 * r**3 - 2 * r),
        (4, 2, 4 * r**4 - 3 * r**2),
    ]:
        torch.testing.assert_close(radial_polynomial(n, m, r), expected)


def test_basis_is_nearly_orthogonal():
    basis = zernike_basis(64, 64, degree=4)
    products = (basis @ basis.conj().T).abs()
    size = products.diagonal().sqrt()
    cosines = products / (size[:, None] * size) - torch.eye(len(basis))
    assert len(basis) == sum(n // 2 + 1 for n in range(5))
    assert cosines.max() < 0.05
    # The integral of |V_nm|^2 over the disc is pi (n + 1); a pixel is (2 / 64)^2.
    areas = products.diagonal() * (2 / 64) ** 2 / math.pi
    orders = torch.tensor([n + 1.0 for n in range(5) for _ in range(n % 2, n + 1, 2)])
    torch.testing.assert_close(areas, orders, rtol=0.03, atol=0)
