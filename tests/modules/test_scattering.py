"""The scattering transform against convolutions in space, and what theory promises."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from invariant_cluster.geometry import (
    low_pass,
    morlet_filters,
    move_images,
    wavelet_gain,
)
from invariant_cluster.modules import ScatteringTransform, _scattering


def noise(n, side, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, side, side, generator=generator, dtype=torch.float64)


# A twin in space: no Fourier transform


def twin_gabor(rows, columns, scale, angle, n_angles):
    """Return the wave under its Gaussian, and the Gaussian, at real offsets."""
    width, slant = 0.8 * scale, min(1, 4 / n_angles)
    u = columns * math.cos(angle) - rows * math.sin(angle)
    v = -rows * math.cos(angle) - columns * math.sin(angle)
    g = np.exp(-(u**2 + slant**2 * v**2) / (2 * width**2))
    g *= slant / (2 * math.pi * width**2)
    return g * np.exp(1j * 3 * math.pi / 4 / scale * u), g


def twin_modulus(image, places, pixels, scale, angle, n_angles, side):
    """Return ``|x * psi|`` at places, of an image sampled at pixels of the side."""
    stride = side // len(pixels)
    lattice = np.arange(-40, 41) * stride
    wave, envelope = twin_gabor(lattice[:, None], lattice, scale, angle, n_angles)
    beta = wave.sum() / envelope.sum()
    total = 0
    for down, right in itertools.product(range(-2, 3), repeat=2):  # periods
        rows = places[:, None] - pixels + down * side
        columns = places[:, None] - pixels + right * side
        offsets = rows[:, None, :, None], columns[None, :, None, :]
        wave, envelope = twin_gabor(*offsets, scale, angle, n_angles)
        total = total + ((wave - beta * envelope) * image).sum(axis=(-2, -1))
    return abs(total) * stride**2  # pixels that each sample stands for


def twin_average(image, pixels, side, n_scales):
    """Return Gaussian means, about the middle of each step, of samples at pixels."""
    width, step = 0.8 * 2 ** (n_scales - 1), min(4, 2 ** (n_scales - 1))
    middles = (np.arange(side // step) + 0.5) * step - 0.5
    reach = (pixels - middles[:, None] + side / 2) % side - side / 2
    weights = np.exp(-((reach / width) ** 2) / 2)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights @ image @ weights.T


def sampled(side, scale):
    """Return the places that are kept after a wavelet of the scale 2^j."""
    stride = 2 ** max(0, scale - 1)
    return np.arange(side // stride) * stride + (stride - 1) / 2


def twin_scattering(image, n_scales, n_angles, angle_step):
    side = len(image)
    angles = [math.pi * k / n_angles for k in range(n_angles)]
    bank = [morlet_filters(side, 2**j, n_angles) for j in range(n_scales)]
    gain = wavelet_gain(torch.cat(bank), 0.8 * 2 ** (n_scales - 1))
    at = [sampled(side, j) for j in range(n_scales)]
    first, paths = {}, [twin_average(image, np.arange(side), side, n_scales)]
    for j in range(n_scales):
        for k, angle in enumerate(angles):
            first[j, k] = gain * twin_modulus(
                image, at[j], np.arange(side), 2**j, angle, n_angles, side
            )
            paths.append(twin_average(first[j, k], at[j], side, n_scales))
    for j in range(n_scales):
        for coarser in range(j + 1, n_scales):
            for k in range(n_angles):
                for difference in range(0, n_angles, angle_step):
                    again = gain * twin_modulus(
                        first[j, k],
                        at[coarser],
                        at[j],
                        2**coarser,
                        angles[(k + difference) % n_angles],
                        n_angles,
                        side,
                    )
                    paths.append(twin_average(again, at[coarser], side, n_scales))
    return np.stack(paths)


@pytest.mark.parametrize(("n_scales", "n_angles", "angle_step"), [(3, 2, 1), (2, 4, 2)])
def test_convolutions_in_space_give_the_same(n_scales, n_angles, angle_step):
    image = noise(1, 16)
    transform = ScatteringTransform(16, n_scales, n_angles, angle_step=angle_step)
    found = transform(image)[0].numpy()
    expected = twin_scattering(image[0].numpy(), n_scales, n_angles, angle_step)
    np.testing.assert_allclose(found, expected, atol=1e-12)


# What theory promises


@pytest.mark.parametrize("boundary", ["periodic", "reflect"])
@pytest.mark.parametrize(("side", "n_scales"), [(32, 3), (16, 2), (16, 1), (32, 4)])
def test_the_transform_contracts(side, n_scales, boundary):
    """A reflected margin repeats pixels, but its coefficients are cropped again."""
    transform = ScatteringTransform(side, n_scales, boundary=boundary)
    smooth = noise(6, side).cumsum(1).cumsum(2) / side
    for images, others in [(noise(6, side), noise(6, side, 1)), (smooth, 0.9 * smooth)]:
        apart = transform.step * (transform(images) - transform(others)).flatten(1)
        assert (apart.norm(dim=1) <= (images - others).flatten(1).norm(dim=1)).all()


def test_the_energy_is_at_most_that_of_the_image():
    transform = ScatteringTransform(32, 3)
    constant = torch.ones(1, 32, 32, dtype=torch.float64)
    wave = torch.cos(math.pi / 4 * torch.arange(32.0)).double().expand(1, 32, 32)
    for images in (noise(6, 32), constant, wave):
        energy = (4 * transform(images)).square().flatten(1).sum(dim=1)
        assert (energy <= images.square().flatten(1).sum(dim=1) + 1e-9).all()
        assert (energy > 0.3 * images.square().flatten(1).sum(dim=1)).all()


def packet(dilation):
    """Return a fine wave under a wide Gaussian, dilated about the middle."""
    row, column = (np.indices((64, 64)) - 31.5) * (1 - dilation)
    wave = np.exp(-(row**2 + column**2) / (2 * 10**2)) * np.cos(2.2 * column)
    return torch.from_numpy(wave)


@pytest.mark.parametrize("dilation", [0.01, 0.02, 0.04])
def test_deformations_change_little_unlike_fourier_magnitudes(dilation):
    """Lipschitz: 3 times the deformation; the magnitudes change 5 times as much."""
    transform = ScatteringTransform(64, 3)
    still, moved = packet(0), packet(dilation)

    def change(describe):
        before, after = describe(still), describe(moved)
        return float((after - before).norm() / before.norm())

    scattering = change(lambda image: transform(image[None]))
    fourier = change(lambda image: torch.fft.fft2(image).abs())
    assert scattering < 3 * dilation
    assert fourier > 5 * scattering


def test_translations_below_the_low_pass_change_little():
    transform = ScatteringTransform(64, 4)
    still = packet(0)
    moved = still.roll(1, dims=1)  # a third of a wave length
    change = (transform(moved[None]) - transform(still[None])).norm()
    assert change < 0.06 * transform(still[None]).norm()
    assert (moved - still).norm() > still.norm()


# Symmetries


@pytest.mark.parametrize("boundary", ["periodic", "reflect"])
@pytest.mark.parametrize("angle_step", [1, 2])
def test_mirror_images_permute_the_coefficients(angle_step, boundary):
    transform = ScatteringTransform(32, 4, 6, angle_step=angle_step, boundary=boundary)
    images = noise(3, 32)
    expected = transform(images.flip(-2))
    torch.testing.assert_close(transform.mirror(transform(images)), expected)


def test_quarter_turns_shift_the_directions():
    """By half of them, and turn the places."""
    transform = ScatteringTransform(32, 3)
    images = noise(2, 32)
    zero, one, two = transform.split(transform(images))
    turned = transform.split(transform(images.rot90(1, (-2, -1))))
    expected = [zero, one.roll(4, 2), two.roll(4, 2)]
    for found, order in zip(turned, expected, strict=True):
        torch.testing.assert_close(found, order.rot90(1, (-2, -1)))


def smooth_noise(n, side):
    """Return images that change slowly and are 0 at the edge."""
    rows = F.avg_pool2d(noise(n, side)[:, None], 5, stride=1, padding=2)
    grid = (torch.arange(side, dtype=torch.float64) + 0.5) / side * 2 - 1
    bump = (1 - grid.square()).clamp(0) ** 2
    return rows[:, 0] * bump * bump[:, None]


@pytest.mark.parametrize("steps", [1, -2, 3])
@pytest.mark.parametrize(("n_angles", "angle_step"), [(8, 2), (8, 1), (6, 3)])
def test_turned_images_have_about_the_turned_coefficients(n_angles, angle_step, steps):
    transform = ScatteringTransform(32, 3, n_angles, angle_step=angle_step)
    images = smooth_noise(20, 32)
    angle = torch.full((20,), steps * math.pi / n_angles, dtype=torch.float64)
    moved = move_images(images[:, None], angle, torch.zeros(20, 2).double())[:, 0]
    at, expected = transform(images), transform(moved)
    error = (transform.turn(at, steps) - expected).norm() / expected.norm()
    assert error < 0.2
    assert (at - expected).norm() / expected.norm() > 2 * error
    assert (transform.turn(at, -steps) - expected).norm() > 2 * error * expected.norm()


@pytest.mark.parametrize(
    ("side", "n_scales", "n_angles", "order", "angle_step"),
    [(32, 3, 8, 2, 2), (16, 2, 5, 1, 1), (16, 2, 5, 2, 1), (8, 2, 2, 2, 2)],
)
def test_half_a_turn_is_exact(side, n_scales, n_angles, order, angle_step):
    transform = ScatteringTransform(
        side, n_scales, n_angles, order=order, angle_step=angle_step
    )
    images = noise(2, side)
    found = transform.turn(transform(images), n_angles)
    torch.testing.assert_close(found, transform(images.flip(-2, -1)))


# Sizes


@pytest.mark.parametrize(
    ("side", "n_scales", "step", "n_paths"),
    [(32, 3, 4, 1 + 24 + 3 * 64), (64, 4, 4, 1 + 32 + 6 * 64), (8, 1, 1, 9)],
)
def test_shapes(side, n_scales, step, n_paths):
    transform = ScatteringTransform(side, n_scales)
    found = transform(noise(2, side))
    assert found.shape == (2, n_paths, side // step, side // step)
    assert (transform.step, transform.n_paths) == (step, n_paths)
    assert ScatteringTransform(side, n_scales, order=1).n_paths == 1 + 8 * n_scales


def test_a_reflected_margin_is_cropped_again():
    images = noise(2, 32)
    padded = np.pad(images, ((0, 0), (8, 8), (8, 8)), mode="reflect")
    expected = ScatteringTransform(48, 3)(torch.from_numpy(padded))
    found = ScatteringTransform(32, 3, boundary="reflect")(images)
    torch.testing.assert_close(found, expected[:, :, 2:-2, 2:-2])


def test_few_images_at_a_time_give_the_same(monkeypatch):
    transform, images = ScatteringTransform(16, 2), noise(7, 16)
    found = transform(images)
    monkeypatch.setattr(_scattering, "_MOST_ON_CPU", 1)
    torch.testing.assert_close(transform(images), found, rtol=0, atol=0)


def test_filters_are_no_weights():
    transform = ScatteringTransform(16, 2)
    assert not list(transform.parameters())
    assert not transform.state_dict()
    assert low_pass(16, 2, 1.6).dtype == transform(noise(1, 16)).dtype == torch.float64


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ((32, 6), r"n_scales=6 is too large for side=32.*n_scales=5 at most.*side=64"),
        ((30, 3), r"side=30 is no multiple of 4.*n_scales=3 needs: use side=32"),
        ((36, 5), r"side=36 is no multiple of 8.*use side=40"),
    ],
)
def test_sizes_that_do_not_fit(sizes, told):
    with pytest.raises(ValueError, match=told):
        ScatteringTransform(*sizes)


def test_a_step_that_does_not_divide_the_directions():
    with pytest.raises(ValueError, match="angle_step=2 does not divide n_angles=5"):
        ScatteringTransform(32, 3, 5, angle_step=2)
