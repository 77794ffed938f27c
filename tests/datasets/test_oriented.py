"""make_oriented keeps the law of motion, dtypes, layouts and its seed."""

import math

import numpy as np
import pytest

from invariant_cluster.datasets import make_oriented
from invariant_cluster.datasets._framing import embed_in_frame, frame_background


def make_blobs(n, size, position, width=2.0):
    """Return n images of a Gaussian blob at (x, y) pixels from the centre, y up."""
    axis = np.arange(size) - (size - 1) / 2
    x, y = axis[None, :], -axis[:, None]
    blob = np.exp(-((x - position[0]) ** 2 + (y - position[1]) ** 2) / (2 * width**2))
    return np.repeat(blob[None], n, axis=0)


def find_center(image):
    """Return the centre of mass (x, y) of an image in pixels, y up."""
    axis = np.arange(len(image)) - (len(image) - 1) / 2
    x = (image.sum(axis=0) * axis).sum() / image.sum()
    y = -(image.sum(axis=1) * axis).sum() / image.sum()
    return np.array([x, y])


def naive_move(image, theta, tau, fill):
    """Move one image pixel by pixel: J'(x) = J(R(-theta) (x - tau)), bilinear."""
    height, width = image.shape
    moved = np.empty_like(image, dtype=float)

    def read(row, column):
        inside = 0 <= row < height and 0 <= column < width
        return image[row, column] if inside else fill

    for row in range(height):
        for column in range(width):
            x = column - (width - 1) / 2 - tau[0]
            y = (height - 1) / 2 - row - tau[1]
            source_x = math.cos(theta) * x + math.sin(theta) * y
            source_y = -math.sin(theta) * x + math.cos(theta) * y
            r, c = (height - 1) / 2 - source_y, source_x + (width - 1) / 2
            r0, c0 = math.floor(r), math.floor(c)
            moved[row, column] = sum(
                read(r0 + i, c0 + j) * (1 - abs(r - r0 - i)) * (1 - abs(c - c0 - j))
                for i in (0, 1)
                for j in (0, 1)
            )
    return moved


def test_blob_moves_by_the_law():
    position = np.array([6.0, -3.0])
    blobs = make_blobs(20, 49, position)
    images, theta, tau = make_oriented(blobs, translation_std=0.06, random_state=1)
    for image, angle, shift in zip(images, theta, tau, strict=True):
        cos, sin = math.cos(angle), math.sin(angle)
        expected = np.array([[cos, -sin], [sin, cos]]) @ position + shift
        np.testing.assert_allclose(find_center(image), expected, atol=0.02)


@pytest.mark.parametrize("shape", [(12, 12), (9, 14), (13, 8)])
def test_equals_naive_twin(shape):
    rng = np.random.default_rng(0)
    originals = rng.uniform(size=(3, *shape))
    images, theta, tau = make_oriented(originals, random_state=2)
    fill = float(frame_background(originals))
    for original, image, angle, shift in zip(
        originals, images, theta, tau, strict=True
    ):
        expected = naive_move(original, angle, shift, fill)
        np.testing.assert_allclose(image, expected, atol=1e-4)


def test_poses_follow_their_distributions():
    images = np.zeros((4000, 8, 12), dtype=np.uint8)
    _, theta, tau = make_oriented(images, size=(10, 20), translation_std=0.1)
    assert theta.shape == (4000,)
    assert tau.shape == (4000, 2)
    assert theta.min() >= 0
    assert theta.max() < 2 * math.pi
    counts, _ = np.histogram(theta, bins=8, range=(0, 2 * math.pi))
    assert counts.min() > 400
    np.testing.assert_allclose(tau.std(axis=0), 2.0, rtol=0.05)
    np.testing.assert_allclose(tau.mean(axis=0), 0.0, atol=0.1)


def test_mnist_u_preset_shifts_by_five_pixels():
    images, _, tau = make_oriented(np.zeros((2000, 28, 28), np.uint8), size=50)
    assert images.shape == (2000, 50, 50)
    np.testing.assert_allclose(tau.std(), 5.0, rtol=0.05)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint16", "f4", "f8"])
@pytest.mark.parametrize("shape", [(5, 9, 11), (5, 9, 11, 3)])
def test_keeps_dtype_and_layout(dtype, shape):
    images = np.random.default_rng(0).integers(0, 2, size=shape).astype(dtype)
    moved = make_oriented(images, size=(12, 13), return_pose=False)
    assert moved.dtype == images.dtype
    assert moved.shape == (5, 12, 13, *shape[3:])
    assert moved.flags.c_contiguous


@pytest.mark.parametrize("dtype", ["bool", "uint8", "float32"])
def test_no_move_changes_nothing(dtype):
    images = np.random.default_rng(0).integers(0, 2, size=(4, 10, 12)).astype(dtype)
    moved, theta, tau = make_oriented(images, rotate=False, translation_std=0)
    np.testing.assert_allclose(moved, images, atol=1e-5)
    assert not theta.any()
    assert not tau.any()


def test_channels_move_alike_over_their_own_backgrounds():
    plane = make_blobs(6, 24, (3.0, 4.0))
    images = np.stack([plane, 1 - plane, 0.5 + plane / 2], axis=-1)
    moved = make_oriented(images, return_pose=False, random_state=3)
    grey = make_oriented(plane, return_pose=False, random_state=3)
    expected = np.stack([grey, 1 - grey, 0.5 + grey / 2], axis=-1)
    np.testing.assert_allclose(moved, expected, atol=2e-3)


def test_what_enters_the_frame_is_the_background():
    images = np.full((3, 10, 10), 200, dtype=np.uint8)
    images[:, 4:6, 4:6] = 10
    moved = make_oriented(images, size=30, translation_std=0.0, return_pose=False)
    assert (moved[:, :9] == 200).all()
    assert moved.min() < 60


def test_intensities_stay_in_range():
    images = np.random.default_rng(0).integers(0, 256, (20, 16, 16), dtype=np.uint8)
    moved = make_oriented(images.astype(float), return_pose=False)
    assert moved.min() >= images.min() - 1e-3
    assert moved.max() <= images.max() + 1e-3


@pytest.mark.usefixtures("generators_unchanged")
def test_seed_decides_and_global_generators_stay():
    images = np.random.default_rng(0).uniform(size=(6, 12, 12))
    first, second = (make_oriented(images, random_state=5) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    _, theta, _ = make_oriented(images, random_state=6)
    assert not np.allclose(theta, first[1])
    _, theta, _ = make_oriented(images, random_state=np.random.RandomState(5))
    np.testing.assert_array_equal(theta, first[1])


def test_rotate_does_not_change_the_shifts():
    images = np.zeros((5, 8, 8))
    _, _, turned = make_oriented(images)
    _, theta, upright = make_oriented(images, rotate=False)
    assert not theta.any()
    np.testing.assert_array_equal(turned, upright)


def test_input_is_not_changed():
    images = np.random.default_rng(0).uniform(size=(3, 10, 10))
    copy = images.copy()
    make_oriented(images)
    np.testing.assert_array_equal(images, copy)


def test_odd_margins_are_wider_at_right_and_bottom():
    framed = embed_in_frame(np.ones((1, 2, 3)), (5, 6), np.array(0.0))
    rows, columns = np.nonzero(framed[0])
    assert set(rows) == {1, 2}
    assert set(columns) == {1, 2, 3}


def test_frame_background_counts_each_border_pixel_once():
    images = np.array([[[1, 1, 1, 1], [9, 5, 5, 9], [9, 9, 9, 9]]], dtype=np.uint8)
    assert frame_background(images) == 9
    assert frame_background(images).dtype == np.uint8


BLANK = np.zeros((2, 10, 10))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros(10), r"images has shape \(10,\).*reshape\(-1, h, w\)"),
        (np.zeros((4, 100)), r"images has shape \(4, 100\).*reshape\(-1, h, w\)"),
        (np.zeros((2, 7, 20)), r"\(2, 7, 20\), below 8 pixels per side: enlarge"),
        (np.zeros((0, 10, 10)), r"\(0, 10, 10\): give at least one image"),
        (np.zeros((2, 3, 10, 10)), r"\(2, 3, 10, 10\).*transpose\(0, 2, 3, 1\)"),
        (np.zeros((2, 10, 10, 5)), r"\(2, 10, 10, 5\): the last axis must hold"),
        ([np.zeros((8, 8)), np.zeros((9, 8))], "cannot be stacked.*one size"),
        (np.where(np.arange(2)[:, None, None], np.nan, BLANK), "NaN, first in row 1"),
        (BLANK + np.inf, "images contains infinity.*first in row 0"),
    ],
)
def test_bad_images(images, message):
    with pytest.raises(ValueError, match=message):
        make_oriented(images)


@pytest.mark.parametrize("dtype", ["complex128", "object", "U3"])
def test_bad_dtypes(dtype):
    with pytest.raises(TypeError, match=r"images has dtype .*convert it to bool"):
        make_oriented(BLANK.astype(dtype))


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"size": 9}, ValueError, "size=9 is smaller than the images, 10 x 10"),
        ({"size": (12, 9)}, ValueError, r"size=\(12, 9\) is smaller than the images"),
        ({"size": 12.5}, TypeError, "size=12.5 must be an int, a pair of ints or None"),
        ({"size": (12, 12, 12)}, TypeError, "must be an int, a pair of ints or None"),
        ({"translation_std": -0.1}, ValueError, "translation_std=-0.1 must be finite"),
        ({"translation_std": np.nan}, ValueError, "translation_std=nan must be finite"),
        ({"translation_std": "a"}, TypeError, "translation_std must be an instance of"),
        ({"random_state": "a"}, ValueError, "cannot be used to seed"),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        make_oriented(BLANK, **parameters)
