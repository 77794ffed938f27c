"""Wafers have a disc in common; objects at any angle and textures have none."""

import numpy as np
import pytest

from invariant_cluster.datasets import load_oriented_digits, load_wafer_maps
from invariant_cluster.images import Disc, as_pictures, find_disc

WHOLE = Disc(0.5, 0.5, 1.0, 1.0)


@pytest.fixture(scope="module")
def maps():
    return load_wafer_maps().images[:60]


@pytest.mark.parametrize(
    "read",
    [
        lambda maps: maps,
        lambda maps: (maps == 2).astype(float),  # passing dies as blank as the corners
        lambda maps: np.array([[255, 255, 255], [0, 180, 0], [220, 0, 0]])[maps],
        lambda maps: maps[:12],
    ],
    ids=["dies", "fails", "colours", "few"],
)
def test_wafer_maps_share_their_wafer(maps, read):
    assert find_disc(as_pictures(read(maps))) == WHOLE


def test_a_margin_makes_the_disc_smaller(maps):
    size = maps.shape[1]
    padded = np.pad(maps, ((0, 0), (2, 6), (3, 3)))
    found = find_disc(as_pictures(padded))
    np.testing.assert_allclose(
        [found.x, found.y, found.width, found.height],
        [
            0.5,
            (2 + size / 2) / (size + 8),
            size / (size + 6),
            size / (size + 8),
        ],
    )


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 3), (5, 4), (8, 8), (9, 33)])
def test_small_images_and_single_pixels_have_none(shape):
    noise = np.random.default_rng(0).random((4, *shape))
    assert find_disc(noise) is None
    dot = np.zeros((4, *shape))
    dot[:, shape[0] // 2, shape[1] // 2] = 1
    assert find_disc(dot) is None


def test_other_images_have_none():
    rng = np.random.default_rng(0)
    digits = load_oriented_digits().images
    blobs = np.exp(-np.square(np.mgrid[-3:3:32j, -3:3:32j]).sum(axis=0))
    for images in [
        digits,
        (digits > digits.max() / 2).astype(float),
        rng.random((50, 32, 32)),
        np.repeat(blobs[None], 20, axis=0),
        np.pad(np.ones((9, 20, 20)), ((0, 0), (6, 6), (6, 6))),  # a square
        np.zeros((9, 16, 16)),
    ]:
        assert find_disc(as_pictures(images)) is None


def test_many_images_are_sampled(maps):
    many = np.concatenate([as_pictures(maps)] * 9)
    assert find_disc(many) == WHOLE
