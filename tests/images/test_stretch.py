"""Values of huge range: when and how they are stretched."""

import math

import numpy as np
import pytest
import torch

from invariant_cluster.images import (
    Tone,
    as_tone,
    choose_stretch,
    entered,
    measure_range,
    shown_values,
    stretched,
    stretched_level,
    stretched_sample,
    toned,
    toned_noise,
    unstretched,
    unstretched_level,
    untoned,
    with_faint,
)


def draw_sources(n=60, side=24, decades=0.0, noise=0.0, channels=1):
    """Return round sources on the sky, float32, over so many decades of brightness."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    source = np.exp(-(x**2 + y**2) / 2 / rng.uniform(2, 4, n)[:, None, None] ** 2)
    flux = 10 ** rng.uniform(0, decades, n)
    images = source * flux[:, None, None] + noise * rng.normal(size=source.shape)
    return np.repeat(images[:, None], channels, axis=1).astype(np.float32)


def naive_brightness(image):
    """Return the light that half of the light of an image (c, h, w) exceeds."""
    edges = [image[:, 0], image[:, -1], image[:, :, 0], image[:, :, -1]]
    background = np.median(np.concatenate(edges, axis=1), axis=1)
    light = np.abs(image - background[:, None, None]).max(axis=0).ravel()
    total, sum_so_far = light.sum(), 0.0
    for value in sorted(light):
        sum_so_far += value
        if sum_so_far >= total / 2:
            return value


def test_the_softening_is_the_brightness_of_faint_images():
    images = draw_sources(decades=6, channels=2).astype(np.float64)
    brightness = [naive_brightness(image) for image in images]
    softening, *backgrounds = choose_stretch(images)
    assert softening == pytest.approx(np.quantile(brightness, 0.05))
    assert len(backgrounds) == 2
    low, high = measure_range(images)
    assert np.median(brightness) < (high - low) / 256


@pytest.mark.parametrize("decades", [0, 1, 2])
def test_images_of_common_range_stay_as_they_are(decades):
    assert choose_stretch(draw_sources(decades=decades)) == ()


@pytest.mark.parametrize("decades", [6, 7, 9])
def test_images_of_huge_range_are_stretched(decades):
    assert choose_stretch(draw_sources(decades=decades, noise=0.3))


def test_whole_numbers_are_stretched_only_if_asked():
    images = draw_sources(decades=6).astype(np.int64)
    assert choose_stretch(images) == ()
    assert choose_stretch(images, "asinh")
    assert choose_stretch(images.astype(np.float32), "linear") == ()


def test_noise_that_hides_the_objects_is_no_huge_range():
    noise = np.random.default_rng(0).normal(size=(40, 1, 16, 16))
    assert choose_stretch(noise) == ()
    softening, _ = choose_stretch(noise, "asinh")
    assert 0.8 < softening < 1.5  # the light of noise is that of its deviation


def test_faint_tails_and_rounding_are_no_light():
    images = 1 + draw_sources().astype(np.float32)
    images[:40] = 1 + 1e-7 * np.random.default_rng(0).normal(size=(40, 1, 24, 24))
    assert choose_stretch(images) == ()
    tails = draw_sources(side=64)
    assert np.median(np.abs(tails)) < 1e-6  # most pixels are far from any light
    assert choose_stretch(tails) == ()


def test_blank_images_have_no_brightness():
    blank = np.full((4, 1, 8, 8), 3.0)
    assert choose_stretch(blank) == ()
    assert choose_stretch(blank, "asinh") == (1.0, 3.0)


def test_values_are_those_of_asinh_and_come_back():
    images = draw_sources(decades=6, channels=3).astype(np.float64)
    stretch = (2.5, 0.5, 1.0, -1.0)
    found = stretched(torch.from_numpy(images), stretch)
    background = np.array(stretch[1:])[:, None, None]
    np.testing.assert_allclose(found, np.arcsinh((images - background) / 2.5))
    np.testing.assert_allclose(unstretched(found, stretch), images, atol=1e-9)
    np.testing.assert_allclose(stretched_sample(images, stretch), found, atol=1e-6)


def test_without_a_stretch_nothing_is_copied():
    images = draw_sources()
    tensor = torch.from_numpy(images)
    assert stretched(tensor, ()) is tensor
    assert unstretched(tensor, ()) is tensor
    assert stretched_sample(images, ()) is images
    assert stretched_level(3.0, ()) == unstretched_level(3.0, ()) == 3.0


def test_the_largest_floats_stay_finite():
    images = torch.tensor([[[[3e38, -3e38, 0.0]]]])
    found = stretched(images, (1e-30, 0.0))
    assert bool(torch.isfinite(found).all())
    assert found[0, 0, 0, 0] > 60
    assert math.isfinite(stretched_level(3e300, (1e-30, 0.0)))


def test_one_level_serves_all_channels():
    stretch = (2.0, 1.0, 3.0)
    assert stretched_level(2.0, stretch) == 0.0
    assert unstretched_level(stretched_level(1e5, stretch), stretch) == pytest.approx(
        1e5
    )


def test_a_tone_stretches_before_or_after_images_get_one_level():
    images = torch.from_numpy(draw_sources(decades=2)).double()
    alone = Tone(stretch=(2.0, 0.5))
    torch.testing.assert_close(
        toned(entered(images, alone), alone), stretched(images, alone.stretch)
    )
    level = Tone(background=(0.5,), level=4.0)
    both = level._replace(stretch=(2.0, 0.5))
    torch.testing.assert_close(
        toned(entered(images, both), both),
        stretched(toned(images, level), both.stretch),
    )


@pytest.mark.parametrize("tone", [Tone(), Tone(background=(0.5,), level=4.0)])
def test_untoned_images_are_in_the_users_units(tone):
    tone = tone._replace(stretch=(0.3, 0.5))
    images = torch.from_numpy(draw_sources(decades=3)).double()
    seen = toned(entered(images, tone), tone)
    torch.testing.assert_close(untoned(seen, images, tone), images)


def test_images_of_one_level_do_not_change_with_brightness():
    tone = Tone(background=(0.5,), level=4.0, stretch=(0.3, 0.5))
    images = torch.from_numpy(draw_sources(decades=1)).double()
    torch.testing.assert_close(toned(images, tone), toned(300 * images - 7, tone))


def test_faint_images_of_a_huge_range_are_not_blank():
    tone = Tone(background=(0.0,), level=1e5)
    faint = torch.from_numpy(draw_sources(n=3)).double()
    assert toned(faint, tone).max() < 2
    seen = toned(faint, with_faint(tone, 1.0))
    torch.testing.assert_close(
        seen.amax((1, 2, 3)), torch.full((3,), 1e5).double(), rtol=0.5, atol=0
    )
    assert with_faint(Tone(), 1.0) == Tone()
    assert with_faint(tone, 1e9) == tone


def test_stretched_images_are_shown_so():
    images = draw_sources(decades=6)
    tone = Tone(stretch=(2.0, 0.5))
    np.testing.assert_allclose(
        shown_values(images, tone), np.arcsinh((images - 0.5) / 2), rtol=1e-5, atol=1e-6
    )
    assert shown_values(images, Tone()) is images


def test_images_of_one_level_are_shown_so_with_their_colours_and_neighbours():
    images = draw_sources(decades=6)
    tone = Tone(background=(0.0,), level=10.0, least=1e-12)
    shown = shown_values(images, tone._replace(grey=True, central=True))
    levelled = toned(torch.from_numpy(images).float(), tone).numpy()
    np.testing.assert_array_equal(shown, levelled)
    assert shown.max(axis=(1, 2, 3)).min() > 5


def test_noise_is_stretched_with_the_images_it_is_in():
    tone = Tone(stretch=(2.0, 0.0))
    assert toned_noise(5.0, tone) == 5.0  # measured on stretched images
    assert toned_noise(5.0, Tone((0.0,), 1.0, stretch=(2.0, 0.0))) == np.arcsinh(2.5)


def test_a_stretch_survives_json():
    tone = Tone(background=(0.5,), level=4.0, stretch=(0.3, 0.5))
    assert as_tone([*map(_as_json, tone)]) == tone
    assert as_tone([[], 0.0, False]).stretch == ()  # of an older file


def _as_json(value):
    return list(value) if isinstance(value, tuple) else value
