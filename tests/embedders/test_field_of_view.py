"""How far objects reach: each radius by a plain loop, each side on drawn discs."""

import math

import numpy as np
import pytest
import torch

from invariant_cluster.embedders import LEAST_SIDE, measure_side
from invariant_cluster.geometry import image_mass, mass_radius, pixel_grid
from invariant_cluster.images import infer_layout
from invariant_cluster.modules import ImageAligner, PoseRule


def naive_radius(mass, center):
    """Least r such that the pixels within r of the centre hold 99 % of the mass."""
    height, width = mass.shape
    pixel = 2 / max(height, width)
    found = []
    for (row, column), value in np.ndenumerate(mass):
        x = (column - (width - 1) / 2) * pixel - center[0]
        y = ((height - 1) / 2 - row) * pixel - center[1]
        found.append((math.hypot(x, y), value))
    found.sort()
    total, within = sum(value for _, value in found), 0.0
    for distance, value in found:
        within += value
        if within >= 0.99 * total - 1e-9:
            return distance
    raise AssertionError


def make_aligner(size, background=(0.0,), *, translates=True, intensity_range=(0, 1)):
    shape = size if len(background) == 1 else (*size, len(background))
    return ImageAligner(
        PoseRule("principal_axis", translates),
        align=True,
        intensity_range=intensity_range,
        background=torch.tensor(background),
        layout=infer_layout(np.empty((1, *shape))),
    )


def draw_discs(radii, size=(48, 48), at=None):
    """Draw white discs of radii in pixels at (x, y) from the middle, y up."""
    row, column = np.indices(size)
    images = np.zeros((len(radii), 1, *size), np.float32)
    at = np.zeros((len(radii), 2)) if at is None else at
    for image, radius, (x, y) in zip(images, radii, at, strict=True):
        u, v = column - (size[1] - 1) / 2 - x, (size[0] - 1) / 2 - row - y
        image[0, np.hypot(u, v) <= radius] = 1
    return images


def random_places(n, reach):
    return np.random.default_rng(0).uniform(-reach, reach, (n, 2))


# Radius


@pytest.mark.parametrize("size", [(10, 10), (9, 9), (8, 12), (12, 8)])
def test_mass_radius_equals_the_naive_twin(size):
    mass, center = torch.rand(6, *size) ** 4, torch.randn(6, 2) * 0.2
    expected = [
        naive_radius(m, c)
        for m, c in zip(mass.double().numpy(), center.tolist(), strict=True)
    ]
    found = mass_radius(mass, center)
    torch.testing.assert_close(found, torch.tensor(expected).float(), atol=1e-5, rtol=0)


def test_mass_radius_of_nothing_is_zero():
    mass = torch.zeros(2, 8, 8)
    mass[1, 2, 3] = 5.0
    radius = mass_radius(mass, torch.zeros(2, 2))
    assert radius[0] == 0
    assert radius[1] == pytest.approx(math.hypot(0.5, 1.5) * 2 / 8)


def test_mass_radius_does_not_know_the_brightness():
    mass, center = torch.rand(4, 9, 9), torch.zeros(4, 2)
    torch.testing.assert_close(mass_radius(7 * mass, center), mass_radius(mass, center))


def test_a_hundredth_of_the_mass_may_lie_further_out():
    images = draw_discs([6] * 2)[:, 0]
    images[1, 24, 40] = 0.005 * images[1].sum()
    near, stained = mass_radius(torch.from_numpy(images), torch.zeros(2, 2))
    assert stained <= 6.1 * 2 / 48
    images[1, 24, 40] *= 4
    assert mass_radius(torch.from_numpy(images), torch.zeros(2, 2))[1] > 2 * near


# Side


@pytest.mark.parametrize("size", [(48, 48), (47, 47), (40, 60), (60, 40)])
@pytest.mark.parametrize("radius", [5, 8])
def test_small_objects_anywhere_have_a_small_even_side(size, radius):
    images = draw_discs([radius] * 30, size, random_places(30, 10))
    side = measure_side(make_aligner(size), images)
    assert isinstance(side, int)
    assert side % 2 == 0
    assert 2 * radius - 2 <= side <= 2 * radius + 4


def test_what_is_not_translated_is_measured_from_the_middle_of_the_image():
    at = 8 * np.stack([np.cos(np.arange(30)), np.sin(np.arange(30))], axis=1)
    images = draw_discs([5] * 30, at=at)
    assert measure_side(make_aligner((48, 48)), images) <= 12
    side = measure_side(make_aligner((48, 48), translates=False), images)
    assert 22 <= side <= 28


@pytest.mark.parametrize("translates", [True, False])
def test_noise_all_over_takes_the_whole_frame(translates):
    images = np.random.default_rng(0).random((20, 1, 32, 32), np.float32)
    assert measure_side(make_aligner((32, 32), translates=translates), images) is None


def test_an_object_as_large_as_the_shorter_side_takes_the_whole_frame():
    images = draw_discs([12] * 10, (24, 60))
    assert measure_side(make_aligner((24, 60)), images) is None
    assert measure_side(make_aligner((40, 60)), draw_discs([12] * 10, (40, 60))) <= 28


@pytest.mark.parametrize("background", [(1.0,), (0.2, 0.5, 0.9)])
def test_the_side_is_that_of_what_differs_from_the_background(background):
    discs = draw_discs([6] * 20, at=random_places(20, 10))
    fill = np.array(background, np.float32)[:, None, None]
    colored = np.where(discs > 0, 1 - fill, fill)
    aligner = make_aligner((48, 48), background)
    assert measure_side(aligner, colored) == measure_side(make_aligner((48, 48)), discs)
    black = make_aligner((48, 48), (0.0,) * len(background))
    assert measure_side(black, colored) is None  # its mass is all over


def test_the_side_does_not_depend_on_the_units():
    discs = draw_discs([6] * 20, at=random_places(20, 10))
    expected = measure_side(make_aligner((48, 48)), discs)
    bytes_ = (discs * 200).astype(np.uint8)
    aligner = make_aligner((48, 48), intensity_range=(0, 200))
    assert measure_side(aligner, bytes_) == expected
    shifted = make_aligner((48, 48), (-7.0,), intensity_range=(-7, 3))
    assert measure_side(shifted, discs * 10 - 7) == expected


@pytest.mark.parametrize("value", [0.0, 0.7])
def test_the_side_is_never_less_than_the_encoder_takes(value):
    images = np.full((5, 1, 32, 32), value, np.float32)
    images[0, 0, 16, 16] = 1
    assert measure_side(make_aligner((32, 32), (value,)), images) == LEAST_SIDE
    assert (
        measure_side(make_aligner((8, 8), (value,)), images[..., 12:20, 12:20]) is None
    )


def test_one_image_in_a_hundred_may_be_larger():
    few = measure_side(make_aligner((48, 48)), draw_discs([5] * 299 + [18]))
    more = measure_side(make_aligner((48, 48)), draw_discs([5] * 290 + [18] * 10))
    assert few <= 14
    assert more >= 34


def test_the_aligned_square_holds_what_it_promises():
    """99 % of the mass in the square's disc, for 99 % of the images."""
    rng, grid = np.random.default_rng(0), pixel_grid(48, 48).numpy()
    images = np.zeros((100, 1, 48, 48), np.float32)
    for image in images:
        middle = rng.uniform(-0.3, 0.3, 2)
        for spot in middle + rng.uniform(-0.15, 0.15, (3, 2)):
            square = ((grid - spot) ** 2).sum(axis=-1)
            image[0] += rng.uniform(0.1, 0.33) * np.exp(-square / (2 * 0.05**2))
    aligner = make_aligner((48, 48))
    aligner.side = measure_side(aligner, images)
    assert aligner.side < 40
    whole = image_mass(torch.from_numpy(images)).sum(dim=(1, 2))
    kept = image_mass(aligner(torch.from_numpy(images))).sum(dim=(1, 2))
    assert (kept / whole).quantile(0.02) > 0.985


def test_measuring_neither_trains_nor_changes_the_images(no_training):
    images = draw_discs([6] * 5)
    before, aligner = images.copy(), make_aligner((48, 48))
    measure_side(aligner, images)
    assert np.array_equal(images, before)
    assert aligner.side is None
