"""Nearest neighbour keeps values, area keeps the mean, the smooth way keeps ranges."""

import numpy as np
import pytest

from invariant_cluster.datasets._resizing import (
    resize_nearest,
    resize_smoothly,
    shrink_by_area,
)
from invariant_cluster.geometry import area_weights


def naive_nearest(image, size):
    height, width = image.shape
    return np.array(
        [
            [image[int((i + 0.5) * height / size), int((j + 0.5) * width / size)]]
            for i in range(size)
            for j in range(size)
        ]
    ).reshape(size, size)


@pytest.mark.parametrize("shape", [(64, 64), (26, 31), (7, 100), (32, 32)])
def test_nearest_equals_naive_twin(shape):
    image = np.random.default_rng(0).integers(0, 3, shape, dtype=np.uint8)
    resized = resize_nearest(image, 32)
    np.testing.assert_array_equal(resized, naive_nearest(image, 32))
    assert resized.dtype == np.uint8


def naive_area(image, size, fine=60):
    """Average a copy in which every pixel is a block of fine x fine."""
    blocks = np.kron(image, np.ones((fine, fine)))
    step = len(blocks) // size
    return blocks.reshape(size, step, size, step).mean(axis=(1, 3))


@pytest.mark.parametrize("size", [3, 4, 5, 6])
def test_area_equals_naive_twin(size):
    images = np.random.default_rng(0).uniform(size=(2, 8, 8))
    expected = [naive_area(image, size) for image in images]
    np.testing.assert_allclose(shrink_by_area(images, size), expected, atol=1e-6)


def test_area_keeps_the_mean_and_the_dtype():
    images = np.random.default_rng(0).uniform(size=(3, 50, 50))
    shrunk = shrink_by_area(images, 32)
    np.testing.assert_allclose(shrunk.mean(axis=(1, 2)), images.mean(axis=(1, 2)))
    assert shrink_by_area((images * 255).astype(np.uint8), 32).dtype == np.uint8
    np.testing.assert_allclose(area_weights(50, 32).sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("size", [5, 12, 40])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_smooth_keeps_dtype_range_and_constants(dtype, size, channels):
    shape = (2, 12, 12, *channels)
    images = np.random.default_rng(0).integers(3, 200, shape).astype(dtype)
    resized = resize_smoothly(images, size)
    assert resized.shape == (2, size, size, *channels)
    assert resized.dtype == images.dtype
    assert resized.min() >= images.min()
    assert resized.max() <= images.max()
    flat = np.full(shape, 60000 if dtype == "uint16" else 77, dtype=dtype)
    np.testing.assert_allclose(resize_smoothly(flat, size), flat[0, 0, 0].max())


def test_smooth_leaves_the_right_size_alone():
    images = np.random.default_rng(0).uniform(size=(2, 9, 9))
    assert resize_smoothly(images, 9) is images


def test_smooth_shrinking_does_not_alias():
    stripes = np.tile([0.0, 1.0], (1, 60, 30))
    inner = resize_smoothly(stripes, 20)[0, 3:-3, 3:-3]
    np.testing.assert_allclose(inner, 0.5, atol=0.1)
