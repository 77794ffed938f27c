import numpy as np
import pytest
from sklearn.base import BaseEstimator

from invariant_cluster import PolarFourierEmbedder
from invariant_cluster.images import (
    as_pictures,
    check_images,
    fill_masked,
    infer_layout,
    take_rows,
    unmasked,
)

SHAPES = [(6, 8, 9), (6, 8, 9, 3), (6, 3, 8, 9), (6, 64)]


class Embedder(BaseEstimator):
    """The least that ``check_images`` needs."""


def make(shape, dtype="uint8"):
    """Images of 7 with objects, junk under the mask, and the same without junk."""
    clean = np.full(shape, 7, dtype=dtype)
    clean[:, 3:5] = 9
    mask = np.zeros(shape, dtype=bool)
    mask[1, 0] = mask[4, -1] = True
    junk = np.where(mask, np.array(255, dtype), clean)
    return np.ma.array(junk, mask=mask), np.where(mask, np.array(7, dtype), clean)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("shape", SHAPES)
def test_masked_pixels_get_the_background(shape, dtype):
    X, clean = make(shape, dtype)
    n = np.count_nonzero(X.mask)
    told = f"masked array: {n} of {X.size:,} values, in 2 of 6 images, are masked and"
    with pytest.warns(UserWarning, match=told):
        images = check_images(Embedder(), X, reset=True)
    assert type(images) is np.ndarray
    assert images.dtype == dtype
    np.testing.assert_array_equal(images, infer_layout(clean).to_channels(clean))


def test_what_is_under_the_mask_may_be_no_number():
    X, clean = make((6, 8, 9), "float64")
    X.data[X.mask] = np.nan
    with pytest.warns(UserWarning, match="masked"):
        images = check_images(Embedder(), X, reset=True)
    np.testing.assert_array_equal(images[:, 0], clean)
    X.mask[4] = False
    with pytest.raises(ValueError, match="X contains NaN, first in row 4"):
        check_images(Embedder(), X, reset=True)


def test_the_fit_gives_the_background_of_new_images():
    X, _ = make((6, 8, 9, 3))
    embedder = Embedder()
    check_images(embedder, X.data, reset=True)
    embedder.background_ = np.array([1.2, 2.0, 3.0], np.float32)
    images = check_images(embedder, X, reset=False)  # without a warning
    masked = np.moveaxis(X.mask, -1, 1)
    expected = np.broadcast_to([[[[1]], [[2]], [[3]]]], masked.shape)
    np.testing.assert_array_equal(images[masked], expected[masked])


def test_nothing_masked_is_as_plain():
    plain = make((6, 8, 9))[1]
    X = np.ma.array(plain, mask=False)
    images = check_images(Embedder(), X, reset=True)
    np.testing.assert_array_equal(images[:, 0], plain)
    assert unmasked(X, infer_layout(plain)) is X


def test_an_image_of_which_nothing_is_seen():
    X, _ = make((6, 8, 9))
    X[3] = np.ma.masked
    with pytest.raises(ValueError, match=r"all of image 3 is masked: leave out the 1 "):
        check_images(Embedder(), X, reset=True)


def test_a_masked_border_has_the_background_of_the_rest():
    images = np.full((2, 1, 8, 8), 5.0)
    mask = np.ones(images.shape, dtype=bool)
    mask[..., 1:-1, 1:-1] = False
    images[mask] = np.nan
    np.testing.assert_array_equal(fill_masked(images, mask), np.full_like(images, 5))


def test_pictures_show_the_background():
    X, clean = make((6, 8, 9))
    np.testing.assert_array_equal(as_pictures(X), as_pictures(clean))


def test_the_error_of_nan_names_the_remedy():
    images = np.random.default_rng(0).normal(size=(20, 12, 12))
    images[4, 2, 3] = np.nan
    with pytest.raises(
        ValueError, match=r"first in row 4.*np\.ma\.masked_invalid\(X\)"
    ):
        PolarFourierEmbedder(d=2).fit(images)
    masked = np.ma.masked_invalid(images)
    with pytest.warns(UserWarning, match="1 of 2,880 values"):
        assert len(PolarFourierEmbedder(d=2).fit_transform(masked)) == 20


def test_rows_of_masked_images_stay_masked():
    images = np.ma.masked_array(np.arange(12).reshape(3, 4), np.eye(3, 4, dtype=bool))
    rows = take_rows(images, np.array([2, 0]))
    np.testing.assert_array_equal(rows.mask, images.mask[[2, 0]])
    np.testing.assert_array_equal(rows.data, images.data[[2, 0]])
