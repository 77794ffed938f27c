"""Best poses of images relative to references, and averages of what is moved back."""

import numpy as np
import pytest
import torch

from invariant_cluster.geometry import (
    Poses,
    average_images,
    disc_mask,
    match_images,
    normalize_disc,
    pose_copies,
    pose_grid,
    shrink_square,
    undo_poses,
)
from invariant_cluster.geometry import _correlation as correlation

CPU = torch.device("cpu")
SIDE = 20


def draw_shapes():
    """Return an L, a T and a wedge (3, SIDE, SIDE), none of which has a symmetry."""
    shapes = torch.zeros(3, SIDE, SIDE, dtype=torch.float64)
    shapes[0, 5:15, 7:10] = shapes[0, 12:15, 7:14] = 1
    shapes[1, 6:8, 5:15] = shapes[1, 6:15, 9:11] = shapes[1, 6:11, 13:15] = 1
    for row in range(5, 15):
        shapes[2, row, 6 : 6 + (row - 3) // 2] = 1 + (row - 5) / 5
    return shapes


def grid_of(n_angles=8, max_shift=4.0, reflects=False):
    return pose_grid(n_angles, max_shift, reflects=reflects, device=CPU)


def best(images, references, grid):
    match = match_images(normalize_disc(images), references, grid)
    label, poses = match.best(grid)
    return match.correlation.amax(dim=1), label, poses


# Poses


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("shift", [(0, 0), (2, -1)])
@pytest.mark.parametrize("mirrored", [False, True])
def test_pose_is_the_projects(turns, shift, mirrored):
    """A quarter turn is counter-clockwise; a shift is to the right and up."""
    shapes = draw_shapes()
    x, y = shift
    side = shapes.flip(-1) if mirrored else shapes
    images = torch.rot90(side, turns, dims=(1, 2)).roll((-y, x), dims=(1, 2))
    found, label, poses = best(images, shapes.float(), grid_of(reflects=mirrored))
    assert label.tolist() == [0, 1, 2]
    np.testing.assert_allclose(poses.theta, turns * np.pi / 2, atol=1e-6)
    np.testing.assert_array_equal(poses.tau, [shift] * 3)
    assert poses.mirrored.tolist() == [mirrored] * 3
    assert found.min() > 0.99
    back = undo_poses(images[:, None], poses)[:, 0]
    np.testing.assert_allclose(back, shapes, atol=1e-5)


def test_products_are_correlation_coefficients():
    random = np.random.default_rng(0)
    image, reference = random.normal(size=(2, 9, 9))
    shifts = grid_of(max_shift=2).shifts
    copies = pose_copies(torch.from_numpy(reference).float(), torch.zeros(1), shifts)
    inside = disc_mask(9, 9).numpy()
    pixels = normalize_disc(torch.from_numpy(image[None]))[0, inside]
    padded = np.pad(reference, 2)
    for product, (x, y) in zip(copies @ pixels, shifts.tolist(), strict=True):
        window = padded[2 + y : 11 + y, 2 - x : 11 - x]
        expected = np.corrcoef(window[inside], image[inside])[0, 1]
        assert float(product) == pytest.approx(expected, abs=1e-5)


def test_blocks_change_nothing(monkeypatch):
    images, grid = torch.rand(7, SIDE, SIDE).double(), grid_of(6, reflects=True)
    seen, references = normalize_disc(images), torch.rand(2, SIDE, SIDE)
    whole = match_images(seen, references, grid)
    averages = average_images(
        images, torch.arange(7) % 2, grid.poses(whole.pose[:, 0]), 2
    )
    monkeypatch.setattr(correlation, "_MOST_VALUES", 1)
    monkeypatch.setattr(correlation, "_CHUNK", 2)
    parts = match_images(seen, references, grid)
    torch.testing.assert_close(parts.correlation, whole.correlation)
    torch.testing.assert_close(parts.pose, whole.pose)
    again = average_images(images, torch.arange(7) % 2, grid.poses(parts.pose[:, 0]), 2)
    torch.testing.assert_close(again, averages)


def test_shifts_lie_in_a_disc():
    assert len(grid_of(max_shift=0.5).shifts) == 1
    found = sorted(grid_of(max_shift=1).shifts.tolist())
    assert found == [[-1, 0], [0, -1], [0, 0], [0, 1], [1, 0]]


# Normalisation and averages


def test_normal_images_have_mean_0_and_variance_1_inside_the_disc():
    normal = normalize_disc(torch.rand(3, 9, 11).double() * 7 + 100)
    inside = disc_mask(9, 11)
    np.testing.assert_allclose(normal[:, inside].mean(dim=1), 0, atol=1e-6)
    np.testing.assert_allclose(normal[:, inside].var(dim=1, correction=0), 1, rtol=1e-5)
    assert not normal[:, ~inside].any()


@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, 1e30])
def test_constant_images_are_zero(value):
    assert not normalize_disc(torch.full((1, 9, 9), value).double()).any()


@pytest.mark.parametrize("unit", [1e-30, 1e30])
def test_units_have_no_effect(unit):
    images = torch.rand(2, 9, 9).double()
    torch.testing.assert_close(normalize_disc(images * unit), normalize_disc(images))


def test_averages_are_means_of_the_images_of_each_label():
    images = torch.rand(5, 9, 9)
    label = torch.tensor([0, 2, 2, 0, 2])
    still = Poses(torch.zeros(5), torch.zeros(5, 2), torch.zeros(5, dtype=torch.bool))
    averages = average_images(images, label, still, 3)
    torch.testing.assert_close(averages[0], images[[0, 3]].mean(dim=0))
    torch.testing.assert_close(averages[2], images[[1, 2, 4]].mean(dim=0))
    assert not averages[1].any()


# The square in the middle


@pytest.mark.parametrize(
    ("height", "width", "side"), [(12, 12, 5), (9, 14, 9), (9, 14, 4)]
)
def test_pixels_are_means_of_areas(height, width, side):
    """Each cell is the mean of 90 x 90 points in it."""
    image = torch.rand(height, width).double()
    extent, n = min(height, width), 90
    at = (np.arange(side * n) + 0.5) * extent / (side * n)
    rows = (at + (height - extent) / 2).astype(int)
    columns = (at + (width - extent) / 2).astype(int)
    points = image.numpy()[np.ix_(rows, columns)]
    expected = points.reshape(side, n, side, n).mean(axis=(1, 3))
    np.testing.assert_allclose(shrink_square(image[None], side)[0], expected, atol=0.01)
