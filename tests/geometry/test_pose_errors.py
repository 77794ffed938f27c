"""How far angles can be off, against naive twins and experiments."""

import math

import numpy as np
import pytest
import torch

from invariant_cluster.geometry import (
    SYMMETRY_RULES,
    analytic_pose,
    angle_certainty,
    direction_spread,
    match_images,
    normalize_disc,
    pixel_grid,
    pose_grid,
    smooth_images,
)

SIDE = 24


def blobs(*parts, side=SIDE):
    """One mass (1, side, side): Gaussians, each at (x, y) with a width and a height."""
    grid = pixel_grid(side, side).double()
    mass = torch.zeros(side, side, dtype=torch.float64)
    for x, y, width, height in parts:
        distance = (grid - torch.tensor([x, y])).square().sum(dim=-1)
        mass += height * torch.exp(-distance / (2 * width**2))
    return mass[None]


LOPSIDED = blobs((-0.3, 0.1, 0.12, 1.0), (0.3, 0.2, 0.2, 0.7), (0.1, -0.3, 0.1, 0.5))
RING = blobs((0.0, 0.0, 0.3, 1.0))


def angles_of(masses, rule, translates=True):
    return analytic_pose(masses, rule, translates=translates)[0].numpy()


def circular_std(angles):
    return math.sqrt(-2 * math.log(abs(np.exp(1j * angles).mean())))


def naive_spread(mass, noise, rule, translates):
    """First-order error of the angle: each pixel is changed a little, in turn."""
    step = 1e-5
    errors = []
    for sign in (1, -1):
        changes = sign * step * torch.eye(mass.numel(), dtype=mass.dtype)
        moved = mass + changes.reshape(-1, *mass.shape[1:])
        errors.append(angles_of(moved, rule, translates))
    slope = np.sin(errors[0] - errors[1]).reshape(mass.shape[1:]) / (2 * step)
    value = mass[0].numpy()
    framed = np.pad(value, 1, mode="edge")
    beside = framed[2:, 1:-1] + framed[:-2, 1:-1] + framed[1:-1, 2:] + framed[1:-1, :-2]
    white = noise * np.where(value > 2 * noise, 1, math.sqrt(1 - 2 / math.pi))
    of_pixel = np.hypot(white, 0.05 * (beside - 4 * value))
    return np.sqrt(np.square(slope * of_pixel).sum())


@pytest.mark.parametrize("translates", [True, False])
@pytest.mark.parametrize("rule", SYMMETRY_RULES)
@pytest.mark.parametrize("noise", [0.0, 0.0003])
def test_spread_is_that_of_pixels_changed_one_by_one(rule, translates, noise):
    found = direction_spread(
        LOPSIDED, torch.full((1,), noise), rule, translates=translates
    )
    expected = naive_spread(LOPSIDED, noise, rule, translates)
    assert found.item() == pytest.approx(expected, rel=1e-3)
    assert found.item() > 0


def test_spread_of_nearly_equal_ends_is_that_of_noisy_copies():
    mass = blobs((-0.4, 0.0, 0.12, 1.0), (0.4, 0.0, 0.13, 1.0)) + 0.5
    noise = 0.1
    copies = mass + noise * torch.randn(4000, SIDE, SIDE, dtype=torch.float64)
    off = angles_of(copies, "principal_axis") - angles_of(mass, "principal_axis")
    assert 0.05 < (np.cos(off) < 0).mean() < 0.4  # ends are exchanged
    # Without interpolation's part, which copies do not have, it would be a bit less.
    found = direction_spread(
        mass, torch.full((1,), noise), "principal_axis", translates=True
    )
    assert found.item() == pytest.approx(circular_std(off), rel=0.15)


@pytest.mark.parametrize("rule", SYMMETRY_RULES[1:])
def test_round_objects_blank_images_and_no_rule_have_no_direction(rule):
    def spread(mass, rule=rule):
        return direction_spread(mass, torch.zeros(1), rule, translates=True).item()

    assert spread(LOPSIDED) < 0.2
    assert spread(RING) > 3
    assert spread(torch.zeros_like(RING)) == math.inf
    assert spread(LOPSIDED, None) == math.inf


@pytest.mark.parametrize("translates", [True, False])
@pytest.mark.parametrize("rule", SYMMETRY_RULES)
@pytest.mark.parametrize("value", [1.0, 0.1, 1e-3])
def test_an_image_of_one_value_has_no_direction(rule, translates, value):
    mass = torch.full((2, SIDE, SIDE + 3), value)
    found = direction_spread(mass, torch.zeros(2), rule, translates=translates)
    assert torch.isinf(found).all()


def test_spread_of_smoothed_noise_is_that_of_smoothed_noisy_copies():
    image = 2 * blobs((-0.3, 0.0, 0.2, 1.0), (0.4, 0.0, 0.1, 0.4))
    noise, width = 0.1, 1.5
    floor = 3 * noise / (2 * math.sqrt(math.pi) * width)
    copies = image + noise * torch.randn(2000, SIDE, SIDE, dtype=torch.float64)
    masses = [
        (smooth_images(seen[:, None], width)[:, 0].abs() - floor).clamp_min(0)
        for seen in (image, copies)
    ]
    still, noisy = (angles_of(mass, "principal_axis") for mass in masses)
    # Of noisy images, as users have them: noise beyond the floor counts too.
    found = direction_spread(
        masses[1],
        torch.full((len(copies),), noise),
        "principal_axis",
        translates=True,
        width=width,
    )
    expected = np.exp(-np.square(found.numpy()) / 2).mean()
    found_std = math.sqrt(-2 * math.log(expected))
    assert 0.5 < found_std / circular_std(noisy - still) < 2


@pytest.fixture(scope="module")
def matched():
    """An L, a ring and a blank image in noise, matched to an L and a ring."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    bent = (abs(x + 4) < 1.5) & (abs(y) < 8) | (abs(y - 6) < 1.5) & (abs(x) < 5)
    ring = abs(np.hypot(x, y) - 7) < 1.5
    shapes = torch.from_numpy(np.stack([bent, ring]).astype(float))
    references = normalize_disc(shapes)
    blank = torch.zeros(1, SIDE, SIDE, dtype=torch.float64)
    noise = torch.randn(3, SIDE, SIDE, dtype=torch.float64)
    seen = torch.cat([shapes, blank]) + 0.3 * noise
    images = torch.cat([normalize_disc(seen), 0 * references[:1]])
    grid = pose_grid(36, 1.0, reflects=False, device=torch.device("cpu"))
    label, poses = match_images(images, references, grid).best(grid)
    certainty = angle_certainty(images, references, label, poses, grid)
    return label, certainty.numpy()


def test_angles_relative_to_a_reference_are_sure_where_it_has_a_direction(matched):
    label, certainty = matched
    assert label[:2].tolist() == [0, 1]
    step = math.pi / 36  # half of it: the error is uniform within a step
    assert 0.99 * math.sin(step) / step < certainty[0] <= math.sin(step) / step + 1e-6
    assert certainty[1] < 0.5  # a ring
    assert certainty[2] < 0.8  # noise
    assert certainty[3] < 1e-3  # nothing at all
