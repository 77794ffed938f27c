"""Alignment to class averages: classes, poses and correlations on shapes."""

import numpy as np
import pytest
import torch

from benchmarks.class_averaging import (
    ClassAveraging,
    match_images,
    normalize,
    pose_copies,
    shifts_within,
)
from invariant_cluster.datasets import make_oriented
from invariant_cluster.geometry import disc_mask
from invariant_cluster.metrics import clustering_accuracy_score, rotation_error

SIDE, N_ANGLES, NOISE = 20, 24, 0.5


def draw_shapes():
    """Return an L, a T and a wedge (3, SIDE, SIDE), none of which has a symmetry."""
    shapes = np.zeros((3, SIDE, SIDE), dtype=np.float32)
    shapes[0, 5:15, 7:10] = shapes[0, 12:15, 7:14] = 1
    shapes[1, 6:8, 5:15] = shapes[1, 6:15, 9:11] = shapes[1, 6:11, 13:15] = 1
    for row in range(5, 15):
        shapes[2, row, 6 : 6 + (row - 3) // 2] = 1 + (row - 5) / 5
    return shapes


@pytest.fixture(scope="module")
def moved():
    """Shapes that are turned and shifted, with noise: images, labels, theta, tau."""
    labels = np.arange(150) % 3
    images, theta, tau = make_oriented(draw_shapes()[labels], translation_std=0.04)
    noise = np.random.default_rng(0).normal(0, NOISE, images.shape)
    return (images + noise).astype(np.float32), labels, theta, tau


@pytest.fixture(scope="module")
def averaging(moved):
    options = {"n_rotations": N_ANGLES, "n_starts": 4, "random_state": 0}
    return ClassAveraging(3, **options).fit(moved[0])


def test_finds_the_classes(moved, averaging):
    images, labels, _, _ = moved
    accuracy = clustering_accuracy_score(labels, averaging.predict(images))
    assert accuracy > 0.95


def test_angles_follow_true_ones(moved, averaging):
    images, labels, true, _ = moved
    theta, tau = averaging.predict_pose(images)
    assert theta.shape == (150,)
    assert tau.shape == (150, 2)
    assert theta.min() >= 0
    assert theta.max() < 2 * np.pi
    for label in range(3):
        rows = labels == label
        assert rotation_error(true[rows], theta[rows]) < 360 / N_ANGLES


def test_the_best_start_is_kept(moved, averaging):
    images = moved[0]
    one = ClassAveraging(3, n_rotations=N_ANGLES, n_starts=1, random_state=0)
    assert averaging.correlation_ >= one.fit(images).correlation_ - 1e-3


def test_a_seed_gives_the_same_averages(moved):
    options = {"n_rotations": 8, "n_starts": 2, "n_iterations": 2, "random_state": 1}
    one, other = (ClassAveraging(3, **options).fit(moved[0]) for _ in range(2))
    torch.testing.assert_close(one.averages_, other.averages_, rtol=0, atol=0)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("shift", [(0, 0), (2, -1)])
def test_pose_is_the_projects(turns, shift):
    """A quarter turn is counter-clockwise; a shift is to the right and up."""
    shapes = draw_shapes()
    x, y = shift
    turned = np.rot90(shapes, turns, axes=(1, 2))
    images = np.roll(turned, (-y, x), axis=(1, 2))
    match = match_images(normalize(images), normalize(shapes), 8, 0.2)
    assert match.label.tolist() == [0, 1, 2]
    np.testing.assert_allclose(match.theta, turns * np.pi / 2, atol=1e-6)
    np.testing.assert_array_equal(match.tau, [shift] * 3)
    assert match.correlation.min() > 0.99


def test_products_are_correlation_coefficients():
    random = np.random.default_rng(0)
    image, reference = random.normal(size=(2, 9, 9)).astype(np.float32)
    shifts = shifts_within(2)
    copies = pose_copies(torch.from_numpy(reference), torch.zeros(1), shifts)
    inside = disc_mask(9, 9).numpy()
    pixels = normalize(image[None])[0, inside]
    padded = np.pad(reference, 2)
    for product, (x, y) in zip(copies @ pixels, shifts.tolist(), strict=True):
        window = padded[2 + y : 11 + y, 2 - x : 11 - x]
        expected = np.corrcoef(window[inside], image[inside])[0, 1]
        assert float(product) == pytest.approx(expected, abs=1e-5)


def test_shifts_lie_in_a_disc():
    assert len(shifts_within(0.5)) == 1
    assert sorted(shifts_within(1).tolist()) == [
        [-1, 0],
        [0, -1],
        [0, 0],
        [0, 1],
        [1, 0],
    ]


def test_constant_images_are_zero():
    assert not normalize(np.full((1, 9, 9), 7)).any()


def test_more_clusters_than_kinds_of_image():
    """Averages that no image joins are drawn anew, and fitting ends."""
    images = np.repeat(draw_shapes(), 3, axis=0)
    averaging = ClassAveraging(5, n_rotations=4, n_starts=1, random_state=0)
    assert torch.isfinite(averaging.fit(images).averages_).all()
