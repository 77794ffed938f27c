"""The range that becomes [0, 1], and what an empty pixel is worth."""

import statistics

import numpy as np
import pytest

from invariant_cluster import runtime
from invariant_cluster.images import measure_background, measure_range


def naive_background(images):
    """Median of the outermost pixels of all images, a channel."""
    n, n_channels, height, width = images.shape
    border: list[list[float]] = [[] for _ in range(n_channels)]
    for i in range(n):
        for c in range(n_channels):
            for row in range(height):
                for column in range(width):
                    if row in (0, height - 1) or column in (0, width - 1):
                        border[c].append(float(images[i, c, row, column]))
    return [statistics.median(values) for values in border]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
def test_integers_span_their_smallest_to_their_largest(dtype):
    images = np.zeros((4, 1, 8, 8), dtype)
    images[2, 0, 3, 3] = 2  # wafer maps hold 0, 1 and 2
    assert measure_range(images) == (0, 2)


def test_booleans_span_zero_to_one():
    images = np.zeros((4, 1, 8, 8), bool)
    images[0, 0, 2, 2] = True
    assert measure_range(images) == (0, 1)


def test_floats_ignore_a_thousandth_at_each_end():
    values = np.random.default_rng(0).permutation(np.arange(20_000.0))
    images = values.reshape(20, 1, 20, 50)
    images[images == 19_999] = 1e9  # a hot pixel
    images[images == 0] = -1e9
    low, high = measure_range(images)
    assert low == pytest.approx(19.999, abs=0.01)
    assert high == pytest.approx(19_979, abs=1)


def test_sparse_objects_are_not_taken_for_hot_pixels():
    images = np.zeros((100, 1, 20, 20), np.float32)
    images[0, 0, 5, 5] = 3
    assert measure_range(images) == (0, 3)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("value", [0, 7])
def test_constant_images_have_a_range_that_divides(dtype, value):
    images = np.full((3, 1, 8, 8), value, dtype)
    assert measure_range(images) == (value, value + 1)


def test_a_given_range_is_kept():
    images = np.zeros((3, 1, 8, 8))
    assert measure_range(images, (-1, 5)) == (-1.0, 5.0)
    assert measure_range(images, np.array([0, 255])) == (0.0, 255.0)


@pytest.mark.parametrize(
    "given", [(1, 1), (2, 1), (0,), (0, 1, 2), (0, np.nan), (-np.inf, 0)]
)
def test_what_is_no_range_is_refused(given):
    with pytest.raises(
        ValueError, match=r"intensity_range=.* is not a valid range: give \(low, high\)"
    ):
        measure_range(np.zeros((3, 1, 8, 8)), given)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("shape", [(5, 1, 8, 8), (4, 3, 8, 11), (3, 4, 12, 9)])
def test_background_equals_the_naive_twin(dtype, shape):
    images = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
    background = measure_background(images)
    assert background.dtype == np.float32
    assert background.tolist() == naive_background(images)


def test_background_of_objects_on_coloured_paper():
    paper = np.array([250, 240, 200], np.uint8)
    images = np.broadcast_to(paper[:, None, None], (6, 3, 10, 10)).copy()
    images[:, :, 2:8, 2:8] = 30
    images[0] = 30  # one image that the object fills
    assert measure_background(images).tolist() == paper.tolist()


@pytest.mark.parametrize("given", [0.5, [0.5], np.float32(0.5)])
def test_one_background_serves_every_channel(given):
    assert measure_background(np.zeros((2, 3, 8, 8)), given).tolist() == [0.5] * 3


def test_one_background_a_channel():
    given = [0.25, 0.5, 1]
    assert measure_background(np.zeros((2, 3, 8, 8)), given).tolist() == given


@pytest.mark.parametrize("given", [[1, 2], [1, 2, 3, 4], np.nan, [0, 0, np.inf]])
def test_a_background_that_does_not_fit_is_refused(given):
    with pytest.raises(
        ValueError, match=r"background=.* does not fit images of 3 channel.*give 'auto'"
    ):
        measure_background(np.zeros((2, 3, 8, 8)), given)


def test_many_images_are_judged_by_an_even_sample(monkeypatch):
    monkeypatch.setattr(runtime, "_MOST_BYTES", 4 * 64)
    images = np.zeros((10, 1, 8, 8), np.uint8)  # every third is read
    images[[0, 3, 6, 9]] = np.array([5, 6, 7, 8])[:, None, None, None]
    images[1] = 200
    assert measure_range(images) == (5, 8)
    assert measure_background(images).tolist() == [6.5]
