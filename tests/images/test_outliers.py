"""Hot pixels, marks and stand-ins are told from objects."""

import numpy as np
import pytest

from invariant_cluster.images import (
    Tone,
    as_tone,
    clip_outliers,
    find_outliers,
    measure_range,
    typical_range,
)

N, SIDE = 60, 24


def draw(noise=20.0, seed=0):
    """Counts of 300 to 1,200 with a bar in each image, (N, 1, SIDE, SIDE), uint16."""
    random = np.random.default_rng(seed)
    images = np.full((N, 1, SIDE, SIDE), 300.0)
    for image, top in zip(images, random.integers(3, 12, N), strict=True):
        image[0, top : top + 8, 8:14] = 1200
    noisy = images + random.normal(0, noise, images.shape)
    return noisy.round().clip(250, 1250).astype(np.uint16)


def hot(kind):
    random, images = np.random.default_rng(1), draw()
    y, x = random.integers(0, SIDE, (2, N))
    if kind == "one pixel":
        images[5, 0, 3, 3] = 65535
    elif kind == "the same in all":
        images[:, 0, 3, 3] = 65535
    elif kind == "five in one image":
        images[7, 0, y[:5], x[:5]] = 65535
    elif kind == "a cosmic ray in each":
        images[np.arange(N), 0, y, x] = random.integers(20_000, 65_536, N)
    elif kind == "a saturated mark in one":
        images[7, 0, 2:7, 2:7] = 65535
    return images


KINDS = [
    "one pixel",
    "the same in all",
    "five in one image",
    "a cosmic ray in each",
    "a saturated mark in one",
]


@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_hot_pixels_do_not_set_the_range(kind, dtype):
    images = hot(kind).astype(dtype)
    found = find_outliers(images)
    is_hot = images > 1250
    assert found.highest == images.max()
    assert found.n_values == is_hot.sum()
    assert found.n_images == is_hot.any(axis=(1, 2, 3)).sum()
    assert found.n_seen == N
    low, high = measure_range(images)
    assert 250 <= low < 300
    assert 1200 <= high <= 1250


@pytest.mark.parametrize("value", [-9999, -1, -32768])
@pytest.mark.parametrize("rows", [1, 8])
def test_a_stand_in_for_missing_pixels_does_not_set_the_range(value, rows):
    images = draw().astype(np.int32) * 3 - 700  # from 50 up
    if value == -1:
        images += 9_000
    images[::3, 0, :rows] = value
    found = find_outliers(images)
    assert found.lowest == value
    assert found.n_values == np.count_nonzero(images == value)
    assert measure_range(images)[0] >= images[images != value].min()


def test_dead_pixels_among_high_counts():
    images = draw() + 30_000
    images[4, 0, 5, 5] = 0
    assert measure_range(images)[0] > 30_000


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_small_objects_in_most_images_are_no_hot_pixels(dtype):
    random = np.random.default_rng(0)
    images = random.normal(100, 5, (40, 1, 96, 96)).astype(dtype)
    for image, (y, x) in zip(images, random.integers(3, 90, (40, 2)), strict=True):
        image[0, y : y + 2, x : x + 2] = 3000  # 0.04 % of the pixels
    assert find_outliers(images) is None
    assert measure_range(images)[1] == 3000
    images[3, 0, 50, 50] = 60_000
    assert find_outliers(images).n_values == 1
    assert measure_range(images)[1] == 3000


def test_a_rare_bright_kind_is_no_outlier():
    images = np.random.default_rng(0).normal(100, 5, (100, 1, 32, 32)).astype(np.uint16)
    images[:3, :, 10:20, 10:20] = 3000
    assert find_outliers(images) is None
    assert measure_range(images)[1] == 3000


@pytest.mark.parametrize(
    "images",
    [
        draw(),
        draw().astype(np.float32),
        np.random.default_rng(0).exponential(100, (50, 1, 16, 16)),
        np.random.default_rng(0).integers(0, 256, (50, 3, 16, 16)).astype(np.uint8),
        np.arange(2 * 64).reshape(2, 1, 8, 8),
        np.ones((5, 1, 8, 8)),
        np.zeros((5, 1, 8, 8), bool),
    ],
)
def test_ordinary_images_keep_their_range(images):
    assert find_outliers(images) is None
    assert typical_range(images) is None
    if images.dtype.kind == "u":
        assert measure_range(images) == (images.min(), images.max())


def test_each_of_few_values_counts():
    images = np.random.default_rng(0).integers(0, 2, (50, 1, 16, 16)).astype(np.uint8)
    images[3, 0, 4, 4] = 15
    assert find_outliers(images) is None
    assert measure_range(images) == (0, 15)


def test_images_are_clipped_in_their_own_dtype():
    images = hot("one pixel")
    found = find_outliers(images)
    clipped = clip_outliers(images, (found.low, found.high))
    assert clipped.dtype == np.uint16
    expected = images.copy()
    expected[5, 0, 3, 3] = clipped.max()
    np.testing.assert_array_equal(clipped, np.minimum(expected, clipped.max()))
    assert clip_outliers(images, ()) is images


def test_limits_survive_json():
    tone = Tone(limits=(1.0, 2.0))
    assert as_tone([list(v) if isinstance(v, tuple) else v for v in tone]) == tone
    assert tone.keeps_values
    assert not tone._replace(grey=True).keeps_values
