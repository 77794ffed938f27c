"""Brightness and colour, made the same for all images."""

import numpy as np
import pytest
import torch

from invariant_cluster.images import (
    NO_TONE,
    Tone,
    as_tone,
    measure_tone,
    own_backgrounds,
    toned,
    toned_sample,
    untoned,
)


def draw(n=6, channels=1, seed=0):
    """Return blobs on different backgrounds, (n, channels, 16, 16)."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:16, :16] - 7.5
    blobs = np.exp(-0.5 * (x**2 + y**2) / random.uniform(4, 16, (n, channels, 1, 1)))
    return torch.from_numpy(100 * blobs + 20).float()


def dimmed(images):
    """Return images of which every second is darker and paler."""
    other = images.clone()
    other[1::2] = 0.4 * other[1::2] + 30
    return other


@pytest.mark.parametrize("channels", [1, 3])
def test_brightness_of_an_image_does_not_count(channels):
    images = draw(channels=channels)
    tone = measure_tone(images.numpy(), "rotation+brightness")
    torch.testing.assert_close(
        toned(images, tone), toned(dimmed(images), tone), rtol=1e-4, atol=1e-3
    )


def test_a_typical_image_stays_as_it_is():
    images = draw(1).repeat(5, 1, 1, 1)
    tone = measure_tone(images.numpy(), "rotation+brightness")
    torch.testing.assert_close(toned(images, tone), images)


def test_all_images_have_one_background_and_level():
    seen = toned(dimmed(draw()), Tone((10.0,), 50.0))
    edges = seen[:, 0, 0], seen[:, 0, -1], seen[:, 0, :, 0], seen[:, 0, :, -1]
    border = torch.cat(edges, dim=1).sort(dim=1).values[:, 32]  # of 64
    torch.testing.assert_close(border, torch.full((6,), 10.0))
    top = (seen - 10).abs().flatten(1).quantile(0.995, dim=1)
    torch.testing.assert_close(top, torch.full((6,), 50.0), rtol=0.02, atol=0)


def test_brightness_comes_back():
    images = dimmed(draw())
    tone = measure_tone(images.numpy(), "rotation+brightness")
    back = untoned(toned(images, tone), images, tone)
    torch.testing.assert_close(back, images, rtol=1e-4, atol=1e-3)


def test_a_blank_image_stays_blank():
    blank = torch.full((2, 1, 16, 16), 70.0)
    tone = Tone((10.0,), 50.0)
    torch.testing.assert_close(toned(blank, tone), torch.full_like(blank, 10))
    assert measure_tone(blank.numpy(), "rotation+brightness").background == (70.0,)


def test_an_object_of_few_pixels_counts():
    images = torch.full((4, 1, 64, 64), 20.0)
    images[:, :, 30:34, 30:34] = torch.tensor([220.0, 120, 70, 220])[
        :, None, None, None
    ]
    tone = measure_tone(images.numpy(), "rotation+brightness")
    seen = toned(images, tone)
    torch.testing.assert_close(seen, seen[:1].expand_as(seen))


def test_color_makes_images_grey():
    images = draw(channels=3)
    tone = measure_tone(images.numpy(), "rotation+color")
    assert tone == NO_TONE._replace(grey=True)
    seen = toned(images, tone)
    assert seen.shape == images.shape
    torch.testing.assert_close(seen[:, 0], images.mean(dim=1))
    torch.testing.assert_close(seen[:, 0], seen[:, 2])


def test_both_words_together():
    images = draw(channels=3)
    tone = measure_tone(images.numpy(), "rotation+brightness+color")
    permuted = dimmed(images)[:, [2, 0, 1]]
    torch.testing.assert_close(
        toned(images, tone), toned(permuted, tone), rtol=1e-4, atol=1e-3
    )
    back = untoned(toned(images, tone), images, tone)
    torch.testing.assert_close(back[:, 1], images.mean(dim=1), rtol=1e-4, atol=1e-3)


def test_other_words_change_nothing():
    images = draw()
    tone = measure_tone(images.numpy(), "rotation+translation+reflection")
    assert tone == NO_TONE
    assert toned(images, tone) is images
    assert untoned(images, images, tone) is images
    array = images.numpy()
    assert toned_sample(array, tone) is array


def test_a_tone_survives_json():
    tone = Tone((1.0, 2.0), 3.0, True)
    assert as_tone([[1.0, 2.0], 3.0, True]) == tone


def test_backgrounds_are_those_of_each_image():
    images = np.arange(12).reshape(4, 3)[..., None, None] * np.ones((16, 16))
    images[..., 5:9, 5:9] = 99
    np.testing.assert_array_equal(own_backgrounds(images), np.arange(12).reshape(4, 3))
