"""Each feature against a naive twin, and the basis against what is known of it."""

import cmath
import math

import numpy as np
import pytest
import torch

from invariant_cluster.geometry import (
    measure_mass,
    polar_magnitudes,
    polar_points,
    radial_polynomial,
    sample_points,
    zernike_basis,
    zernike_magnitudes,
)

SHAPES = [(2, 9, 13), (1, 12, 10), (3, 10, 10)]


@pytest.fixture(params=SHAPES, ids=str)
def images(request):
    """Images of 3 objects on a background of 20 a channel."""
    random = np.random.default_rng(0)
    c, h, w = request.param
    images = np.full((3, c, h, w), 20.0, dtype=np.float32)
    images[:, :, 2:-3, 3:-2] = random.uniform(0, 90, (3, c, h - 5, w - 5))
    return images


def twin_mass(image, background):
    """Return |J - background| summed over channels, (h, w)."""
    return sum(abs(channel.astype(float) - background) for channel in image)


def pixel_at(row, column, shape):
    """Return (x, y) in grid units, y up, longer side from -1 to 1."""
    h, w = shape
    return (
        (column - (w - 1) / 2) * 2 / max(h, w),
        ((h - 1) / 2 - row) * 2 / max(h, w),
    )


def pixels_inside(shape):
    """Yield (row, column, x, y) of the pixels within half the shorter side."""
    for row in range(shape[0]):
        for column in range(shape[1]):
            x, y = pixel_at(row, column, shape)
            if math.hypot(x, y) <= min(shape) / max(shape) + 1e-9:
                yield row, column, x, y


def twin_in_disc(mass):
    inside = np.zeros_like(mass)
    for row, column, _, _ in pixels_inside(mass.shape):
        inside[row, column] = mass[row, column]
    return inside


def twin_at(mass, x, y):
    """Return the bilinear value at a point; outside there is no mass."""
    h, w = mass.shape
    column = x * max(h, w) / 2 + (w - 1) / 2
    row = (h - 1) / 2 - y * max(h, w) / 2
    value = 0.0
    for i in (math.floor(row), math.floor(row) + 1):
        for j in (math.floor(column), math.floor(column) + 1):
            if 0 <= i < h and 0 <= j < w:
                value += mass[i, j] * (1 - abs(row - i)) * (1 - abs(column - j))
    return value


def twin_centred(mass):
    """Return the mass moved so that its centre (in the disc) is in the middle."""
    inside = list(pixels_inside(mass.shape))
    total = sum(mass[i, j] for i, j, _, _ in inside)
    m_x = sum(mass[i, j] * x for i, j, x, _ in inside) / total
    m_y = sum(mass[i, j] * y for i, j, _, y in inside) / total
    centred = np.empty_like(mass)
    for i, j in np.ndindex(mass.shape):
        x, y = pixel_at(i, j, mass.shape)
        centred[i, j] = twin_at(mass, x + m_x, y + m_y)
    return centred


def twin_of(image, center):
    mass = twin_mass(image, 20)
    return twin_centred(mass) if center else twin_in_disc(mass)


def as_mass(images, center):
    background = torch.full((images.shape[1],), 20.0)
    return measure_mass(torch.from_numpy(images), background, center=center)


@pytest.mark.parametrize("center", [True, False])
def test_mass_equals_its_naive_twin(images, center):
    expected = [twin_of(image, center) for image in images]
    np.testing.assert_allclose(as_mass(images, center), expected, atol=1e-3)


@pytest.mark.parametrize("n_angles", [8, 7])
@pytest.mark.parametrize("center", [True, False])
def test_polar_magnitudes_equal_their_naive_twin(images, center, n_angles):
    n_radii, n_orders = 3, n_angles // 2 + 1
    points = polar_points(*images.shape[-2:], n_radii, n_angles)
    found = polar_magnitudes(as_mass(images, center), points, n_orders)
    expected = [
        twin_polar(twin_of(image, center), n_radii, n_angles, n_orders)
        for image in images
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def twin_polar(mass, n_radii, n_angles, n_orders):
    reach, row = min(mass.shape) / max(mass.shape), []
    for ring in range(n_radii):
        radius = (ring + 0.5) / n_radii
        for m in range(n_orders):
            coefficient = 0
            for k in range(n_angles):
                phi = 2 * math.pi * k / n_angles
                x, y = reach * radius * math.cos(phi), reach * radius * math.sin(phi)
                coefficient += twin_at(mass, x, y) * cmath.exp(-1j * m * phi)
            row.append(math.sqrt(radius) * abs(coefficient))
    return row


@pytest.mark.parametrize("center", [True, False])
def test_zernike_magnitudes_equal_their_naive_twin(images, center):
    basis = zernike_basis(*images.shape[-2:], degree=5)
    found = zernike_magnitudes(as_mass(images, center), basis)
    expected = [twin_zernike(twin_of(image, center), degree=5) for image in images]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def twin_zernike(mass, degree):
    stretch, row = max(mass.shape) / min(mass.shape), []
    for n in range(degree + 1):
        for m in range(n + 1):
            if (n - m) % 2:
                continue
            moment = 0
            for i, j, x, y in pixels_inside(mass.shape):
                radius = math.hypot(x, y) * stretch
                value = twin_radial(n, m, radius) * cmath.exp(1j * m * math.atan2(y, x))
                moment += (n + 1) * mass[i, j] * value.conjugate()
            row.append(abs(moment))
    return row


def twin_radial(n, m, r):
    """Return R_nm(r) by the sum of Khotanzad and Hong 1990, equation 3."""
    total = 0
    for s in range((n - m) // 2 + 1):
        bottom = math.factorial(s)
        bottom *= math.factorial((n + m) // 2 - s) * math.factorial((n - m) // 2 - s)
        total += (-1) ** s * math.factorial(n - s) / bottom * r ** (n - 2 * s)
    return total


@pytest.mark.parametrize(("n", "m"), [(0, 0), (1, 1), (2, 0), (4, 2), (9, 3), (14, 0)])
def test_radial_polynomials_are_zernikes(n, m):
    r = torch.linspace(0, 1, 21, dtype=torch.float64)
    expected = [twin_radial(n, m, float(value)) for value in r]
    np.testing.assert_allclose(radial_polynomial(n, m, r), expected, atol=1e-9)


def test_radial_polynomials_of_high_degree_stay_within_1():
    """The sum of powers is off by thousands there."""
    r = torch.linspace(0, 1, 201, dtype=torch.float64)
    for m in range(0, 101, 10):
        values = radial_polynomial(100, m, r)
        assert values.abs().max() <= 1 + 1e-9
        assert values[-1] == pytest.approx(1)


def test_basis_is_nearly_orthogonal():
    basis = torch.complex(*zernike_basis(64, 64, degree=4)).flatten(1)
    products = (basis @ basis.conj().T).abs()
    size = products.diagonal().sqrt()
    cosines = products / (size[:, None] * size) - torch.eye(len(basis))
    assert len(basis) == sum(n // 2 + 1 for n in range(5))
    assert cosines.max() < 0.05
    # The integral of |V_nm|^2 over the disc is pi (n + 1); a pixel is (2 / 64)^2.
    areas = products.diagonal() * (2 / 64) ** 2 / math.pi
    orders = [n + 1.0 for n in range(5) for _ in range(n % 2, n + 1, 2)]
    orders = torch.tensor(orders, dtype=areas.dtype)
    torch.testing.assert_close(areas, orders, rtol=0.03, atol=0)


# In float32 the next two would differ by 1e-7 from what NumPy finds in float64.


def test_zernike_magnitudes_have_the_precision_of_float64(images):
    mass = as_mass(images, center=False)
    assert mass.dtype == torch.float64
    basis = zernike_basis(*images.shape[-2:], degree=6)
    conjugate = torch.complex(*basis).conj().resolve_conj().numpy()
    expected = abs(np.einsum("nhw,khw->nk", mass.numpy(), conjugate))
    found = zernike_magnitudes(mass, basis)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_polar_magnitudes_have_the_precision_of_float64(images):
    mass = as_mass(images, center=False)
    points = polar_points(*images.shape[-2:], 3, 8)
    rings = sample_points(mass[:, None], points.expand(len(mass), -1, -1, -1), 0.0)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(8), np.arange(5)) / 8)
    radii = (np.arange(3) + 0.5) / 3
    expected = abs(rings[:, 0].numpy() @ waves) * np.sqrt(radii)[:, None]
    found = polar_magnitudes(mass, points, 5)
    np.testing.assert_allclose(
        found, expected.reshape(len(mass), -1), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12])
def test_images_are_centred_in_any_units(images, scale):
    scale = np.float32(scale)
    mass = as_mass(images, center=True)
    background = torch.full((images.shape[1],), 20.0) * scale
    other = measure_mass(torch.from_numpy(images * scale), background, center=True)
    torch.testing.assert_close(other / scale, mass, rtol=1e-3, atol=1e-2)


def test_the_least_numbers_have_a_centre(images):
    least = np.where(images > 60, np.float32(1e-44), np.float32(0))
    background = torch.zeros(images.shape[1])
    mass = measure_mass(torch.from_numpy(least), background, center=True)
    assert mass.isfinite().all()


def test_a_blank_image_has_no_mass(images):
    blank = np.full_like(images, 20)
    for center in (True, False):
        assert as_mass(blank, center).abs().max() == 0
