"""Sprites lie as their pose says, on the published grid, and are drawn exactly."""

import math

import numpy as np
import pytest

from invariant_cluster.datasets import make_dsprites
from invariant_cluster.datasets._sprite_shapes import SHAPES, draw_sprites
from invariant_cluster.geometry import move_array

GRID = (3, 6, 40, 32, 32)


def draw(shape, size=40.0, theta=0.0, tau=(0.0, 0.0), side=96, antialias=True):
    """Return one sprite, (side, side), uint8."""
    return draw_sprites(
        [shape],
        np.zeros(1, dtype=np.int64),
        np.array([size]),
        np.array([theta]),
        np.array([tau]),
        side=side,
        antialias=antialias,
    )[0]


def is_inside(shape, x, y):
    """Return whether a point lies in a shape of area 1, by its formula."""
    if shape == "square":
        return max(abs(x), abs(y)) <= 0.5
    if shape == "ellipse":
        a, b = math.sqrt(1.6 / math.pi), math.sqrt(1 / (1.6 * math.pi))
        return (x / a) ** 2 + (y / b) ** 2 <= 1
    u, v = x * math.sqrt(3.661973), y * math.sqrt(3.661973) + 0.293481
    return (u * u + v * v - 1) ** 3 <= u * u * v**3


def naive_sprite(shape, size, theta, tau, side):
    """Return the values of pixels, one by one, of I_can(R(-theta) (x - tau))."""
    image = np.zeros((side, side), dtype=np.uint8)
    for row in range(side):
        for column in range(side):
            x = column + 0.5 - side / 2 - tau[0]
            y = side / 2 - (row + 0.5) - tau[1]
            u = (math.cos(theta) * x + math.sin(theta) * y) / size
            v = (-math.sin(theta) * x + math.cos(theta) * y) / size
            image[row, column] = 255 * is_inside(shape, u, v)
    return image


def centers_of_mass(images):
    """Return the centres (x, y), y up, in pixels from the centre, (n, 2)."""
    mass = images.astype(float)
    place = np.arange(images.shape[1]) - (images.shape[1] - 1) / 2
    total = mass.sum(axis=(1, 2))
    x, y = mass.sum(axis=1) @ place / total, -(mass.sum(axis=2) @ place) / total
    return np.stack([x, y], axis=1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_twin(shape, seed):
    rng = np.random.default_rng(seed)
    size, theta = rng.uniform(8, 17), rng.uniform(0, 2 * math.pi)
    tau = rng.uniform(-9, 9, 2)
    drawn = draw(shape, size, theta, tau, side=48, antialias=False)
    expected = naive_sprite(shape, size, theta, tau, side=48)
    # float32 may decide otherwise on a pixel whose centre lies on the edge.
    assert (drawn != expected).sum() <= 1


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_have_unit_area_about_their_centers_of_mass(shape):
    image = draw(shape)
    assert image.sum() / 255 == pytest.approx(40**2, rel=2e-3)
    np.testing.assert_allclose(centers_of_mass(image[None])[0], 0, atol=0.02)


@pytest.mark.parametrize("shape", SHAPES)
def test_pose_is_that_of_make_oriented(shape):
    theta, tau = 0.7, (5.0, -3.0)
    drawn = draw(shape, theta=theta, tau=tau)
    moved = move_array(
        draw(shape)[None, None], np.array([theta]), np.array([tau]), np.zeros((1, 1, 1))
    )
    difference = np.abs(moved[0, 0].astype(float) - drawn)
    assert difference.mean() < 1.0  # of 255; only edges differ, by interpolation
    assert np.abs(moved[0, 0].astype(float) - draw(shape)).mean() > 10


@pytest.mark.parametrize(
    ("shape", "turn", "same"),
    [
        ("square", math.pi / 2, True),
        ("square", math.pi / 4, False),
        ("ellipse", math.pi, True),
        ("ellipse", math.pi / 2, False),
        ("heart", math.pi, False),
    ],
)
def test_symmetries(shape, turn, same):
    first, second = (draw(shape, theta=0.3 + more).astype(float) for more in (0, turn))
    assert (np.abs(first - second).mean() < 0.5) == same


def test_heart_points_down_and_ellipse_lies_along_x():
    heart, ellipse = draw("heart") > 0, draw("ellipse") > 0
    widths = heart.sum(axis=1)[heart.any(axis=1)]
    assert widths[-3:].max() < widths[:3].max()
    assert ellipse.any(axis=0).sum() / ellipse.any(axis=1).sum() == pytest.approx(
        1.6, abs=0.1
    )


@pytest.mark.usefixtures("generators_unchanged")
def test_bunch():
    sprites = make_dsprites(600, random_state=0)
    assert sprites.images.shape == (600, 64, 64)
    assert sprites.images.dtype == np.uint8
    assert np.unique(sprites.images).tolist() == [0, 255]
    assert sprites.target.dtype == np.int64
    assert sprites.target_names.tolist() == ["square", "ellipse", "heart"]
    assert set(sprites.target) == {0, 1, 2}
    np.testing.assert_allclose(np.unique(sprites.scale), np.linspace(0.5, 1, 6))
    assert 0 <= sprites.theta.min() <= sprites.theta.max() < 2 * math.pi
    assert np.isin(2 * sprites.tau, np.arange(-31, 32, 2)).all()
    assert "600 of the 737280 images" in sprites.DESCR
    assert max(map(len, sprites.DESCR.splitlines())) <= 88
    # All of every sprite is in the frame, and where tau says.
    np.testing.assert_allclose(
        centers_of_mass(sprites.images), sprites.tau, rtol=0, atol=0.3
    )


def test_factors_are_places_on_the_published_grid():
    sprites = make_dsprites(500, random_state=0)
    rows = np.ravel_multi_index(tuple(sprites.factors.T), GRID)
    assert len(set(rows)) == 500  # without replacement
    np.testing.assert_array_equal(sprites.factors[:, 0], sprites.target)
    np.testing.assert_allclose(sprites.scale, 0.5 + 0.1 * sprites.factors[:, 1])
    angle = sprites.factors[:, 2] * 2 * math.pi / 39
    np.testing.assert_allclose(np.exp(1j * sprites.theta), np.exp(1j * angle))
    np.testing.assert_array_equal(sprites.tau[:, 0], sprites.factors[:, 3] - 15.5)
    np.testing.assert_array_equal(sprites.tau[:, 1], 15.5 - sprites.factors[:, 4])


def test_all_images_are_in_the_published_order():
    sprites = make_dsprites(shapes=["heart"], side=8)
    rows = np.ravel_multi_index(tuple(sprites.factors.T), GRID)
    np.testing.assert_array_equal(rows, 2 * 245_760 + np.arange(245_760))
    assert sprites.images.shape == (245_760, 8, 8)
    assert not sprites.target.any()


def test_mean_of_the_pixels_is_the_published():
    images, _ = make_dsprites(4000, random_state=0, return_X_y=True)
    assert images.mean() / 255 == pytest.approx(0.0425, rel=0.02)


def test_sizes_show_the_same_scenes():
    small, large = (
        make_dsprites(30, side=side, random_state=3, antialias=True)
        for side in (32, 128)
    )
    np.testing.assert_array_equal(small.factors, large.factors)
    np.testing.assert_allclose(large.tau, 4 * small.tau)
    means = large.images.reshape(30, 32, 4, 32, 4).mean(axis=(2, 4))
    assert np.abs(means - small.images).max() < 64


def test_antialias_smooths_edges_alone():
    sharp, smooth = (
        make_dsprites(40, antialias=antialias, random_state=0).images.astype(float)
        for antialias in (False, True)
    )
    assert len(np.unique(smooth)) > 3
    assert (sharp[smooth == 255] == 255).all()
    assert (sharp[smooth == 0] == 0).mean() > 0.999


def test_seed_and_pair():
    images, target = make_dsprites(20, random_state=0, return_X_y=True)
    again = make_dsprites(20, random_state=0)
    np.testing.assert_array_equal(images, again.images)
    np.testing.assert_array_equal(target, again.target)
    other = make_dsprites(20, random_state=1)
    assert not np.array_equal(again.factors, other.factors)


def test_target_counts_the_given_shapes():
    sprites = make_dsprites(50, shapes=("heart", "square"), random_state=0)
    assert sprites.target_names.tolist() == ["heart", "square"]
    published = np.where(sprites.target == 0, 2, 0)
    np.testing.assert_array_equal(sprites.factors[:, 0], published)


@pytest.mark.parametrize("shapes", [(), ["circle"], ["heart", "heart"], "star"])
def test_bad_shapes(shapes):
    with pytest.raises(ValueError, match="must name each shape once: give one or more"):
        make_dsprites(5, shapes=shapes)


def test_bad_parameters():
    with pytest.raises(ValueError, match="n_samples=245761 exceeds the 245760 images"):
        make_dsprites(245_761, shapes=["heart"])
    with pytest.raises(ValueError, match="n_samples == 0, must be >= 1"):
        make_dsprites(0)
    with pytest.raises(TypeError, match="n_samples must be an instance of"):
        make_dsprites(2.5)
    with pytest.raises(ValueError, match="side == 7, must be >= 8"):
        make_dsprites(5, side=7)
