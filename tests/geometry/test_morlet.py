"""Wavelets and low-pass against formulas in space, and what a bank promises."""

import math

import numpy as np
import pytest
import torch

from invariant_cluster.geometry import (
    low_pass,
    low_pass_width,
    morlet_filters,
    wavelet_gain,
)

PERIODS = 6  # on either side: wide envelopes reach around the small grids of the tests


def twin_envelope(x, y, scale, angle, n_angles):
    """Return the Gaussian and the coordinate along the direction, at one point."""
    u = x * math.cos(angle) + y * math.sin(angle)
    v = y * math.cos(angle) - x * math.sin(angle)
    slant, width = min(1, 4 / n_angles), 0.8 * scale
    return math.exp(-(u**2 + slant**2 * v**2) / (2 * width**2)), u


def twin_wavelet(side, scale, angle, n_angles):
    """Return the Morlet wavelet in space, summed over periods, (side, side)."""
    gabor = np.zeros((side, side), dtype=complex)
    envelope = np.zeros((side, side))
    reach = PERIODS * side
    for row in range(-reach, reach):
        for column in range(-reach, reach):
            g, u = twin_envelope(column, -row, scale, angle, n_angles)
            if g > 1e-18:
                at = row % side, column % side
                gabor[at] += g * np.exp(1j * 3 * math.pi / 4 / scale * u)
                envelope[at] += g
    beta = gabor.sum() / envelope.sum()
    area = 2 * math.pi * (0.8 * scale) ** 2 / min(1, 4 / n_angles)
    return (gabor - beta * envelope) / area


@pytest.mark.parametrize(("scale", "n_angles"), [(1, 8), (2, 8), (2, 4), (1, 3)])
def test_filters_are_the_wavelets_in_space(scale, n_angles):
    filters = morlet_filters(8, scale, n_angles).numpy()
    for index in (0, 1, n_angles - 1):
        angle = math.pi * index / n_angles
        expected = np.fft.fft2(twin_wavelet(8, scale, angle, n_angles))
        np.testing.assert_allclose(filters[index], expected, atol=1e-12)


def bank_of(side, n_scales, n_angles):
    return torch.cat([morlet_filters(side, 2**j, n_angles) for j in range(n_scales)])


def test_wavelets_have_mean_zero():
    np.testing.assert_allclose(bank_of(32, 3, 8)[:, 0, 0], 0, atol=1e-15)


def test_a_wave_along_x_is_found_by_the_direction_0():
    """y up: at 45 degrees are waves whose crests run down to the right."""
    column = np.arange(32)
    along = np.cos(2 * math.pi * 6 / 32 * column)[None].repeat(32, 0)
    diagonal = np.cos(2 * math.pi * 4 / 32 * (column[None] - column[:, None]))
    for image, direction in (along, 0), (diagonal, 2):
        spectrum = np.fft.fft2(image)
        response = abs(spectrum * morlet_filters(32, 2, 8).numpy()).sum(axis=(1, 2))
        assert response.argmax() == direction


SIZES = [(32, 3, 8), (64, 4, 8), (16, 2, 6), (32, 2, 1), (8, 1, 8), (96, 4, 8)]


@pytest.mark.parametrize(("side", "n_scales", "n_angles"), SIZES)
def test_the_littlewood_paley_sum_is_at_most_one(side, n_scales, n_angles):
    bank, width = bank_of(side, n_scales, n_angles), low_pass_width(n_scales)
    gain = wavelet_gain(bank, width)
    frequency = 2 * math.pi * np.fft.fftfreq(side)
    total = np.zeros((side, side))
    for row in range(side):
        for column in range(side):
            squared = frequency[row] ** 2 + frequency[column] ** 2
            here, there = bank[:, row, column], bank[:, -row, -column]
            both = float((here**2 + there**2).sum()) / 2
            total[row, column] = math.exp(-(width**2) * squared) + gain**2 * both
    assert total.max() < 1 + 1e-12
    assert sorted(total.ravel())[-2] == pytest.approx(1)  # beside frequency 0


@pytest.mark.parametrize(("side", "step"), [(16, 4), (12, 1), (8, 2)])
def test_the_low_pass_is_a_gaussian_about_its_middle(side, step):
    width = 1.6
    weights = low_pass(side, step, width)
    assert weights.shape == (side // step, side)
    for row in range(side // step):
        middle = (row + 0.5) * step - 0.5
        reach = [min((p - middle) % side, (middle - p) % side) for p in range(side)]
        expected = np.array([math.exp(-((r / width) ** 2) / 2) for r in reach])
        np.testing.assert_allclose(weights[row], expected / expected.sum(), atol=1e-12)
    np.testing.assert_allclose(weights.flip(0, 1), weights, atol=1e-15)


def test_the_low_pass_is_as_wide_as_the_coarsest_wavelet():
    assert [low_pass_width(j) for j in (1, 2, 3)] == [0.8, 1.6, 3.2]
