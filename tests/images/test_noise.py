"""The noise of images is measured, and smoothing chosen by it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from invariant_cluster.images import (
    NO_SMOOTHING,
    NO_TONE,
    Smoothing,
    Tone,
    choose_smoothing,
    measure_noise,
    range_of,
    smoothed_sample,
)


def draw_objects(n=200, side=32, seed=0):
    """Return blobs (n, 1, side, side) on an empty background, of variance 1 inside."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    a, b = random.uniform(2, 5, (2, n, 1, 1)) * side / 32
    images = np.exp(-0.5 * ((x / a) ** 2 + (y / b) ** 2))
    return (images / images.std(axis=(1, 2), keepdims=True))[:, None]


def add_noise(images, snr, seed=1):
    random = np.random.default_rng(seed)
    return images + random.normal(0, np.sqrt(images.var() / snr), images.shape)


@pytest.mark.parametrize("snr", [3, 1, 0.3, 0.1])
def test_noise_is_measured(snr):
    images = draw_objects()
    noise = measure_noise(add_noise(images, snr))
    assert noise.level == pytest.approx(np.sqrt(images.var() / snr), rel=0.05)
    inside = images[:, :, 3:-3, 3:-3].var(axis=(1, 2, 3)).mean()
    assert noise.signal == pytest.approx(np.sqrt(inside), rel=0.15)
    assert noise.share > 0.9


@pytest.mark.parametrize("snr", [3, 1, 0.3, 0.1])
def test_noisy_images_are_smoothed(snr):
    width, level = choose_smoothing(add_noise(draw_objects(), snr))
    assert 1 <= width <= 2
    assert level == pytest.approx(1 / np.sqrt(snr), rel=0.1)


def test_more_noise_is_smoothed_more():
    images = draw_objects(side=64)
    widths = [choose_smoothing(add_noise(images, snr)).width for snr in (1, 0.1, 0.04)]
    assert widths == sorted(widths)
    assert widths[0] == 2
    assert widths[-1] > 2.5


def test_clean_objects_are_not_smoothed():
    assert choose_smoothing(draw_objects()) == NO_SMOOTHING
    assert choose_smoothing((40 * draw_objects()).clip(0, 255).astype(np.uint8)) == (
        NO_SMOOTHING
    )


def test_little_noise_is_left_alone():
    assert choose_smoothing(add_noise(draw_objects(), 20)) == NO_SMOOTHING


def test_textures_are_not_smoothed():
    random = np.random.default_rng(0)
    textures = gaussian_filter(random.normal(size=(50, 1, 32, 32)), (0, 0, 1, 1))
    assert choose_smoothing(textures) == NO_SMOOTHING


@pytest.mark.parametrize("shape", [(8, 1, 12, 12), (60, 3, 16, 16), (300, 1, 32, 32)])
def test_nothing_but_noise_is_left_alone(shape):
    for seed in range(5):
        noise = np.random.default_rng(seed).random(shape)
        assert choose_smoothing(noise) == NO_SMOOTHING


def test_blank_images_are_left_alone():
    assert choose_smoothing(np.zeros((4, 1, 12, 12))) == NO_SMOOTHING


def test_the_users_width_counts():
    assert choose_smoothing(draw_objects(), 1.5) == Smoothing(1.5, 0.0)
    width, level = choose_smoothing(add_noise(draw_objects(), 1), 0.7)
    assert width == 0.7
    assert level == pytest.approx(1, rel=0.1)


def test_a_width_of_the_image_is_refused():
    with pytest.raises(ValueError, match=r"smoothing=9 .* at most 8, or 'auto'"):
        choose_smoothing(draw_objects(), 9)


def test_each_channel_has_noise():
    images = np.repeat(draw_objects(), 3, axis=1)
    assert measure_noise(add_noise(images, 0.5)).level == pytest.approx(
        np.sqrt(2), rel=0.05
    )


def test_measurements_are_of_smoothed_images():
    noisy = add_noise(draw_objects(), 0.3)
    assert smoothed_sample(noisy, NO_SMOOTHING) is noisy
    smooth = smoothed_sample(noisy, Smoothing(2.0, 1.0))
    assert smooth.shape == noisy.shape
    assert smooth.std() < 0.6 * noisy.std()


def test_noise_left_follows_the_width():
    assert NO_SMOOTHING.noise_left == 0
    assert Smoothing(2.0, 4.0).noise_left == pytest.approx(1 / np.sqrt(np.pi))


@pytest.mark.parametrize("tone", [Tone((0.1,), 1.0), Tone(grey=True)])
def test_toned_images_have_no_range_in_the_units_of_the_user(tone):
    class Fitted:
        intensity_range_ = 0.0, 1.0
        tone_ = tone

    assert range_of(Fitted()) is None
    Fitted.tone_ = NO_TONE
    assert range_of(Fitted()) == (0.0, 1.0)
    assert range_of(object()) is None
