"""Images of any shape become squares as padding and resizing them would make them."""

import numpy as np
import pytest

from invariant_cluster.datasets._framing import embed_in_frame, frame_background
from invariant_cluster.datasets._resizing import resize_smoothly
from invariant_cluster.datasets._squares import border_background, fit_square


def pad_and_resize(image, frame, size):
    batch = image[None]
    square = embed_in_frame(batch, (frame, frame), frame_background(batch))
    return resize_smoothly(square, size)[0]


@pytest.mark.parametrize("shape", [(40, 40), (41, 17), (9, 300), (30, 22, 3), (500, 3)])
@pytest.mark.parametrize("margin", [0, 1, 60])
@pytest.mark.parametrize("size", [8, 41, 90])
def test_as_padded_and_resized(shape, margin, size):
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    frame = max(shape[:2]) + margin
    square = fit_square(image, frame, size, border_background(image))
    np.testing.assert_allclose(square, pad_and_resize(image, frame, size), atol=1e-4)


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8"])
def test_dtype_range_and_flat_images_stay(dtype):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 100, (50, 31)).astype(dtype)
    square = fit_square(image, 50, 33, border_background(image))
    assert square.dtype == image.dtype
    assert square.min() >= image.min()
    assert square.max() <= image.max()
    flat = np.full((50, 31, 3), [3, 70, 100], dtype=dtype)
    filled = fit_square(flat, 80, 33, border_background(flat))
    tolerance = 0 if flat.dtype.kind in "iu" else 1e-6
    np.testing.assert_allclose(
        filled, np.broadcast_to([3, 70, 100], filled.shape), tolerance
    )


def test_no_value_changes_where_the_size_fits():
    image = np.random.default_rng(0).integers(0, 2**32, (20, 30), dtype=np.uint32)
    square = fit_square(image, 30, 30, np.uint32(7))
    np.testing.assert_array_equal(square[5:25], image)
    assert (square[:5] == 7).all()


def test_what_is_outside_the_frame_is_cut_off():
    image = np.random.default_rng(0).normal(size=(60, 20))
    middle = image[10:50]
    cut = fit_square(image, 40, 25, np.float64(0))
    np.testing.assert_allclose(cut, fit_square(middle, 40, 25, np.float64(0)))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 5), (3, 3), (8, 6, 3)])
def test_background_is_the_median_of_the_border(shape):
    image = np.random.default_rng(0).normal(size=shape)
    naive = [
        image[row, column]
        for row in range(shape[0])
        for column in range(shape[1])
        if row in (0, shape[0] - 1) or column in (0, shape[1] - 1)
    ]
    np.testing.assert_allclose(border_background(image), np.median(naive, axis=0))


def test_hidden_pixels_are_no_background():
    image = np.full((9, 9), 200, dtype=np.uint8)
    hidden = np.zeros((9, 9), dtype=bool)
    hidden[:, :8] = True
    image[hidden] = 0
    assert border_background(image, hidden) == 200
    image[0], hidden[...] = 0, False
    hidden[1:] = hidden[0] = False
    hidden[[0, -1]] = hidden[:, [0, -1]] = True  # the whole border
    image[...] = 0
    image[1:-1, 1:-1] = 90
    assert border_background(image, hidden) == 90
