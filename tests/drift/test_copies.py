import numpy as np
import pytest
from scipy import ndimage

from invariant_cluster.datasets import load_wafer_maps, make_dsprites
from invariant_cluster.drift import measure_reference, watch_for
from invariant_cluster.drift._boxes import nth_smallest, squared_distances
from invariant_cluster.drift._copies import moved_copies

DATA = {
    "sprites": lambda: make_dsprites(400, side=32, random_state=0).images,
    "wafers": lambda: load_wafer_maps(fail_map=True).images[:600],
}


def drifted(findings):
    return [found.aspect for found in findings if found.is_drift]


def turned_by_scipy(images, order):
    angles = np.random.default_rng(1).uniform(0, 360, len(images))
    return np.stack(
        [
            ndimage.rotate(image.astype(float), angle, reshape=False, order=order)
            for image, angle in zip(images, angles, strict=True)
        ]
    )


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("order", [1, 3])
def test_images_that_a_user_turns_do_not_drift(name, order):
    images = DATA[name]()
    reference = measure_reference(images[100:, None], watch_for("rotation+translation"))
    turned = turned_by_scipy(images[:100], order)
    assert drifted(reference.compare(turned[:, None])) == []
    whole = np.rint(turned).clip(0, images.max()).astype(images.dtype)
    assert drifted(reference.compare(whole[:, None])) == []


@pytest.mark.parametrize("name", DATA)
def test_images_that_a_user_moves_do_not_drift(name):
    images = DATA[name]()
    reference = measure_reference(images[100:, None], watch_for("rotation+translation"))
    moves = np.random.default_rng(1).uniform(-3, 3, (100, 2))
    moved = np.stack(
        [
            ndimage.shift(image.astype(float), move, order=1)
            for image, move in zip(images, moves, strict=False)
        ]
    )
    assert drifted(reference.compare(moved[:, None])) == []


def test_blurred_images_drift_nevertheless():
    images = DATA["sprites"]()
    reference = measure_reference(images[100:, None], watch_for("rotation+translation"))
    blurred = ndimage.gaussian_filter(images[:100].astype(float), (0, 1, 1))
    assert "sharpness" in drifted(reference.compare(blurred[:, None]))


def test_copies_keep_background_and_mass():
    images = np.full((4, 2, 16, 16), 7, dtype=np.int16)
    images[:, :, 6:10, 6:10] = 90
    for copies in moved_copies(images, far=True, random=np.random.default_rng(0)):
        assert copies.shape == images.shape
        np.testing.assert_allclose(copies[:, :, 0, 0], 7)
        assert copies.sum() == pytest.approx(images.sum(), rel=0.05)
        assert not np.allclose(copies, images)


def test_distances_to_boxes_are_those_to_their_nearest_points():
    rng = np.random.default_rng(0)
    rows, low = rng.normal(size=(5, 3)), rng.normal(size=(7, 3))
    high, groups = low + rng.uniform(size=(7, 3)), np.array(["a", "b", "a"])
    found = squared_distances(rows, low, high, groups)
    gaps = [[np.maximum(low - r, 0) + np.maximum(r - high, 0)] for r in rows]
    naive = np.concatenate(gaps) ** 2
    np.testing.assert_allclose(found["a"], naive[..., [0, 2]].sum(2), atol=1e-5)
    np.testing.assert_allclose(found["b"], naive[..., 1], atol=1e-5)
    total = found["a"] + found["b"]
    np.testing.assert_array_equal(nth_smallest(total, 3), np.sort(total)[:, 2])
