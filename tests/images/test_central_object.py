"""The object in the middle of an image is told from its neighbours."""

import numpy as np
import pytest
import torch

from invariant_cluster.images import isolate_central

SKY = 20.0


def draw(height=64, width=64, channels=1):
    """Return a disc in the middle of the sky, and the same beside a brighter one."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = y - (height - 1) / 2, x - (width - 1) / 2
    middle = SKY + 100 * np.exp(-0.5 * (x**2 + y**2) / 9)
    beside = 200 * np.exp(-0.5 * ((x - 0.35 * width) ** 2 + (y - 3) ** 2) / 4)
    images = np.stack([middle, middle + beside])[:, None]
    return torch.from_numpy(images).float().repeat(1, channels, 1, 1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(64, 64), (50, 50), (33, 67), (200, 150), (40, 40)])
def test_a_neighbour_becomes_background(shape, channels):
    alone, beside = isolate_central(draw(*shape, channels))
    torch.testing.assert_close(alone, beside, atol=2, rtol=0)
    assert beside.max() > SKY + 90


def test_the_object_itself_stays():
    images = draw()
    kept = isolate_central(images)[0, 0]
    is_object = images[0, 0] > SKY + 10
    torch.testing.assert_close(kept[is_object], images[0, 0][is_object])


def test_a_dark_object_on_a_bright_background_is_found_too():
    images = 255 - draw()
    isolated = isolate_central(images)
    torch.testing.assert_close(isolated[1], isolated[0], atol=2, rtol=0)


def test_a_bent_object_stays_whole():
    image = torch.full((1, 1, 64, 64), SKY)
    image[..., 8:56, 30:34] = 100
    image[..., 52:56, 30:60] = 100  # to the right, and up again
    image[..., 12:56, 56:60] = 100
    assert torch.equal(isolate_central(image), image)


def test_noise_does_not_join_what_is_apart():
    noise = torch.from_numpy(np.random.default_rng(0).normal(0, 4, (2, 1, 64, 64)))
    isolated = isolate_central(draw() + noise.float())
    assert isolated[1, 0, 25:45, 50:].max() < SKY + 40


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_an_image_without_an_object_stays_as_it_is(value):
    blank = torch.full((1, 1, 32, 32), value)
    assert torch.equal(isolate_central(blank), blank)
    noise = torch.from_numpy(np.random.default_rng(0).normal(value, 4, (5, 1, 32, 32)))
    assert torch.equal(isolate_central(noise), noise)


def test_a_quarter_turn_turns_what_is_kept():
    images = draw()
    turned = isolate_central(images.rot90(1, (2, 3)))
    torch.testing.assert_close(turned, isolate_central(images).rot90(1, (2, 3)))


def test_an_image_is_the_same_alone_and_among_others():
    images = torch.cat([draw(), draw().flip(-1)])
    together = isolate_central(images)
    for image, one in zip(images, together, strict=True):
        assert torch.equal(isolate_central(image[None])[0], one)
