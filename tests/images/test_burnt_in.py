"""Scale bars are told from what objects have in common."""

import numpy as np
import pytest

from invariant_cluster.datasets import (
    load_oriented_digits,
    load_wafer_maps,
    make_dsprites,
)
from invariant_cluster.images import border_median, find_mark

DIGITS = load_oriented_digits(size=32).images[:80, None]
ABOVE = np.pad(DIGITS, ((0, 0), (0, 0), (0, 8), (4, 4)))  # and room for a bar below
BAR = (0, slice(35, 37), slice(4, 16))


def find(images):
    return find_mark(images, border_median(images))


def with_bar(images, value=255, noise=0):
    marked = images.astype(float)
    marked[:, *BAR] = value
    marked += np.random.default_rng(0).normal(0, noise, images.shape)
    return marked.round().clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("noise", [0, 3])
@pytest.mark.parametrize("is_dark", [False, True])
def test_a_scale_bar_is_found_where_it_is(noise, is_dark):
    images = with_bar(ABOVE, noise=noise)
    assert find(255 - images if is_dark else images) == (35, 37, 4, 16, 24)


def test_a_bar_over_texture():
    random = np.random.default_rng(0)
    images = with_bar(random.normal(120, 20, (60, 1, 40, 40)))
    assert find(images) == (35, 37, 4, 16, 24)


def test_of_bars_of_several_lengths_the_common_part():
    images = with_bar(ABOVE)
    images[::2, 0, 35:37, 10:16] = 0
    assert find(images)[:4] == (35, 37, 4, 10)


@pytest.mark.parametrize(
    "images",
    [
        DIGITS,
        ABOVE[:20],
        load_oriented_digits(size=16).images[:48, None],
        load_wafer_maps().images[:200, None],
        load_wafer_maps(fail_map=True).images[:20, None],
        make_dsprites(100, side=24, random_state=0).images[:, None],
        np.repeat(DIGITS[:1], 30, axis=0),  # a constant set
        with_bar(ABOVE[:19]),
        np.zeros((30, 1, 8, 8)),
        np.random.default_rng(0).integers(0, 255, (30, 3, 8, 8)).astype(np.uint8),
        np.random.default_rng(0).normal(size=(30, 1, 8, 8)) * 1e30,
    ],
    ids=lambda images: f"{len(images)} of {images.shape[-1]} px {images.dtype}",
)
def test_other_images_have_no_mark(images):
    assert find(images) is None


def test_the_outside_of_a_cut_out_disc_is_no_mark():
    y, x = np.mgrid[:32, :32] - 15.5
    random = np.random.default_rng(0)
    texture = random.integers(50, 250, (40, 1, 32, 32))
    assert find(np.where(np.hypot(x, y) < 15, texture, 0)) is None


def test_one_object_on_backgrounds_of_several_greys_is_no_mark():
    images = np.zeros((40, 1, 16, 16), np.uint8)
    images += np.arange(5, 45, dtype=np.uint8)[:, None, None, None]
    images[..., 6:10, 6:12] = 200
    assert find(images) is None


def test_a_centred_object_of_one_shape_is_no_mark():
    y, x = np.mgrid[:32, :32] - 15.5
    radii = np.random.default_rng(0).uniform(5, 12, (40, 1, 1, 1))
    discs = 255 / (1 + np.exp(np.hypot(x, y) - radii))
    assert find(discs) is None
