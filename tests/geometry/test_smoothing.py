"""Gaussian smoothing of images."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from invariant_cluster.geometry import image_mass, smooth_images

IMAGES = torch.rand(3, 2, 20, 31, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("width", [0.5, 1.0, 2.5])
def test_smoothing_is_a_gaussian_with_mirrored_borders(width):
    expected = gaussian_filter(
        IMAGES.double().numpy(), (0, 0, width, width), mode="reflect", truncate=8
    )
    np.testing.assert_allclose(smooth_images(IMAGES, width), expected, atol=2e-3)


def test_no_width_changes_nothing():
    assert smooth_images(IMAGES, 0) is IMAGES


def test_a_constant_image_stays_so():
    constant = torch.full((1, 1, 9, 9), 0.3)
    torch.testing.assert_close(smooth_images(constant, 2.0), constant)


def test_smoothing_turns_with_the_image():
    square = IMAGES[..., :20]
    turned = smooth_images(square.rot90(1, (2, 3)), 1.5)
    torch.testing.assert_close(turned, smooth_images(square, 1.5).rot90(1, (2, 3)))


def test_noise_left_is_as_documented():
    noise = torch.randn(40, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    for width in (1.0, 2.0):
        left = float(smooth_images(noise, width)[..., 8:-8, 8:-8].std())
        assert left == pytest.approx(1 / (2 * np.sqrt(np.pi) * width), rel=0.05)


def test_what_noise_reaches_has_no_mass():
    image = torch.full((1, 1, 9, 9), 0.5)
    image[0, 0, 4, 4], image[0, 0, 4, 6] = 0.9, 0.6
    mass = image_mass(image, 0.5, floor=0.2)
    assert float(mass[0, 4, 4]) == pytest.approx(0.2)
    assert float(mass.sum()) == pytest.approx(0.2)
