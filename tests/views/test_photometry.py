"""Photometric changes: in range, each image its own, and the background stays."""

import math

import pytest
import torch
from kornia.filters import gaussian_blur2d

from invariant_cluster.views import (
    _photometry,
    cut_out,
    jitter_colors,
    random_augment,
)

CHANGES = [jitter_colors, random_augment, cut_out]
BLACK, GREY, WHITE = (torch.full((1, 1, 1), value) for value in (0.0, 0.4, 1.0))
STAIN = torch.tensor([0.9, 0.6, 0.75])[:, None, None]  # pink, as of a stained slide


def draw_object(n, fill, side=24):
    """Return a checked square of 6 pixels, 9 pixels away from the edges."""
    images = fill.expand(n, len(fill), side, side).clone()
    images[..., 9:15, 9:15] = 0.75
    images[..., 9:15:2, 9:15:2] = 0.25
    return images


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("n_channels", [1, 3, 4])
def test_shape_and_range_are_kept(change, n_channels):
    images = torch.rand(40, n_channels, 10, 14)
    changed = change(images, torch.zeros(n_channels, 1, 1))
    assert changed.shape == images.shape
    assert changed.dtype == torch.float32
    assert 0 <= changed.min() <= changed.max() <= 1


@pytest.mark.parametrize("change", CHANGES)
def test_the_input_is_left_alone(change):
    images = torch.rand(20, 1, 8, 8)
    before = images.clone()
    assert not torch.equal(change(images, BLACK), images)
    assert torch.equal(images, before)


@pytest.mark.parametrize("change", CHANGES)
def test_each_image_is_changed_in_its_own_way(change):
    images = torch.rand(1, 1, 12, 12).expand(60, -1, -1, -1)
    assert len(change(images, BLACK).flatten(1).unique(dim=0)) > 20


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("fill", [BLACK, GREY, WHITE, STAIN])
def test_the_background_stays_what_it_is(change, fill):
    changed = change(draw_object(200, fill), fill)
    frame = torch.ones(24, 24, dtype=torch.bool)
    frame[5:19, 5:19] = False  # within the reach of four blurs
    difference = (changed - fill)[..., frame].abs()
    assert difference.max() < 1e-3


def test_objects_stay_visible():
    def contrast(images):
        return images[..., 9:15, 9:15].amax(dim=(1, 2, 3)) - images[:, 0, 0, 0]

    images = draw_object(200, BLACK)
    assert contrast(jitter_colors(images, BLACK)).min() > 0.2
    assert contrast(random_augment(images, BLACK)).median() > 0.4


def test_four_fifths_of_the_images_get_another_contrast():
    images = torch.full((4000, 1, 8, 8), 0.5)  # a blur changes no constant image
    factor = jitter_colors(images, BLACK).mean(dim=(1, 2, 3)) / 0.5
    changed = (factor - 1).abs() > 1e-4
    assert changed.float().mean().item() == pytest.approx(0.8, abs=0.03)
    place = (factor[changed].sort().values - 0.6) / 0.8
    expected = torch.linspace(0, 1, len(place))
    assert (place - expected).abs().max() < 2.2 / math.sqrt(len(place))


def test_half_of_the_images_are_blurred():
    images = torch.full((3000, 1, 8, 8), 0.2)
    images[..., 2:6, 2:6] = 0.4  # contrast on black keeps the ratio, a blur does not
    changed = jitter_colors(images, BLACK)
    ratio = changed[..., 2, 2] / changed[..., 0, 0]
    blurred = ((ratio - 2).abs() > 1e-4).float().mean().item()
    assert 0.4 < blurred < 0.52  # the narrowest blurs leave no trace


def test_the_blur_is_kornias_without_its_wait_for_a_gpu():
    images = torch.rand(5, 3, 9, 12)
    torch.manual_seed(0)
    blurred = _photometry._blur(images)
    torch.manual_seed(0)
    sigma = 0.1 + 0.9 * torch.rand(5, 1)
    twin = gaussian_blur2d(images, (3, 3), sigma.expand(-1, 2))
    torch.testing.assert_close(blurred, twin)


def test_only_rgb_images_change_hue():
    grey = torch.rand(50, 1, 8, 8)
    torch.manual_seed(1)
    one = jitter_colors(grey, BLACK)
    torch.manual_seed(1)
    four = jitter_colors(grey.expand(-1, 4, -1, -1), BLACK)
    torch.testing.assert_close(four, one.expand(-1, 4, -1, -1))
    red = torch.tensor([0.8, 0.2, 0.2])[:, None, None].expand(50, 3, 8, 8)
    jittered = jitter_colors(red, torch.zeros(3, 1, 1))
    assert (jittered[:, 1] - jittered[:, 2]).abs().max() > 0.01


@pytest.mark.parametrize("size", [(12, 12), (10, 18)])
def test_cut_out_replaces_one_square_of_half_the_shorter_side(size):
    height, width = size
    images = torch.rand(300, 1, *size) * 0.5 + 0.25
    changed = cut_out(images, BLACK)
    lost = (changed == 0)[:, 0]
    assert torch.equal(changed[~lost[:, None]], images[~lost[:, None]])
    rows, columns = lost.any(dim=2), lost.any(dim=1)
    assert torch.equal(lost, rows[:, :, None] & columns[:, None, :])
    half = min(size) // 2
    for band in (rows, columns):
        runs = (band[:, 1:] & ~band[:, :-1]).sum(dim=1) + band[:, 0]
        assert (runs == 1).all()
        assert (
            half // 2 - 1 <= band.sum(dim=1).min() < band.sum(dim=1).max() <= half + 1
        )
    # Its centre lies anywhere: every pixel is lost at times, the middle most often.
    share = lost.float().mean(dim=0)
    assert share.min() > 0
    assert share[height // 2, width // 2] > share[0, 0]


def test_a_gpu_gets_the_same_views_without_looking_which_images_are_chosen():
    """There every image is changed and the chosen ones are taken."""
    images = torch.rand(6, 1, 8, 8)
    chosen = torch.tensor([True, False, False, True, True, False])

    class OnGpu(torch.Tensor):
        device = torch.device("cuda")

    everywhere = _photometry._where(chosen, images.as_subclass(OnGpu), lambda x: 1 - x)
    assert torch.equal(
        everywhere.as_subclass(torch.Tensor),
        _photometry._where(chosen, images, lambda x: 1 - x),
    )
