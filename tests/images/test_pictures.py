import numpy as np
import pytest

from invariant_cluster.images import as_pictures


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        ((4, 9, 10), (4, 9, 10)),
        ((4, 9, 10, 1), (4, 9, 10)),
        ((4, 9, 10, 3), (4, 9, 10, 3)),
        ((4, 3, 9, 10), (4, 9, 10, 3)),
        ((4, 4, 9, 10), (4, 9, 10, 3)),
        ((4, 9, 10, 4), (4, 9, 10, 3)),
        ((4, 81), (4, 9, 9)),
    ],
)
def test_any_layout_is_shown(shape, shown):
    images = np.random.default_rng(0).normal(size=shape)
    pictures = as_pictures(images)
    assert pictures.shape == shown
    assert pictures.dtype == np.float32
    assert pictures.min() >= 0
    assert pictures.max() <= 1


def test_given_range_becomes_black_and_white():
    images = np.linspace(0, 2, 64).reshape(1, 8, 8)
    pictures = as_pictures(images, intensity_range=(0.5, 1.5))
    expected = np.clip(images - 0.5, 0, 1)
    np.testing.assert_allclose(pictures, expected, atol=1e-6)


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match="images have 2 channels, but pictures have"):
        as_pictures(np.zeros((4, 9, 10, 2)), image_shape=(9, 10, 2))


def test_a_fourth_band_is_no_opacity():
    images = np.random.default_rng(0).random((4, 9, 10, 4))
    pictures = as_pictures(images, intensity_range=(0, 1))
    np.testing.assert_allclose(pictures, images[..., :3], atol=1e-6)
