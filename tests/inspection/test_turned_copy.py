"""Copies of images in which each image is turned."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from invariant_cluster.inspection import turn_images, turned_copy

NO_EMBEDDER = BaseEstimator()


@pytest.mark.parametrize("shape", [(16, 16), (16, 20), (16, 16, 3), (3, 16, 16)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_turned_copies_keep_layout_and_dtype(shape, dtype):
    images = np.full((5, *shape), 9, dtype=dtype)
    turned = turned_copy(NO_EMBEDDER, images)
    assert turned.dtype == dtype
    # A constant image is its own background, so it is left as it was.
    np.testing.assert_array_equal(turned, images)
    np.testing.assert_array_equal(images, 9)


def test_each_image_is_turned_by_an_angle_of_its_own(images):
    same = np.repeat(images[:1], 20, axis=0)
    turned = turned_copy(NO_EMBEDDER, same)
    assert len(np.unique(turned, axis=0)) == 20
    np.testing.assert_array_equal(turned, turned_copy(NO_EMBEDDER, same))
    np.testing.assert_allclose(
        turned.sum(axis=(1, 2), dtype=int), same[0].sum(dtype=int), rtol=0.05
    )


def test_angles_follow_the_seed(images):
    first, second = (turned_copy(NO_EMBEDDER, images, seed=seed) for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_what_enters_the_frame_is_the_border_of_each_channel():
    images = np.zeros((4, 16, 16, 3), dtype=np.uint8)
    images[:] = [10, 100, 250]
    images[:, 6:10, 6:10] = 0
    corners = turned_copy(NO_EMBEDDER, images)[:, 0, 0]
    np.testing.assert_array_equal(corners, np.full((4, 3), [10, 100, 250]))


def test_what_enters_the_frame_is_the_background_of_a_fitted_embedder(
    images, make_polar_embedder
):
    embedder = make_polar_embedder(d=4, background=200).fit(images)
    theta = np.full(len(images), np.pi / 4)
    assert (turn_images(embedder, images, theta)[:, 0, 0] == 200).all()
    behind = make_pipeline(embedder, FunctionTransformer())
    np.testing.assert_array_equal(
        turned_copy(behind, images), turned_copy(embedder, images)
    )


def test_an_embedder_behind_another_step_does_not_know_the_users_images(
    images, make_polar_embedder
):
    pipe = make_pipeline(
        FunctionTransformer(np.negative), make_polar_embedder(d=4, background=-200.0)
    ).fit(images.astype(float))
    np.testing.assert_array_equal(
        turned_copy(pipe, images), turned_copy(NO_EMBEDDER, images)
    )


def test_flat_rows_are_turned_as_images(images, frame, make_polar_embedder):
    expected = turned_copy(NO_EMBEDDER, images).reshape(len(images), -1)
    for model in (
        make_polar_embedder(d=4, image_shape=(16, 16)),
        make_polar_embedder(d=4, image_shape=(16, 16)).fit(frame),
    ):
        turned = turned_copy(model, frame)
        assert list(turned.columns) == list(frame.columns)
        np.testing.assert_allclose(turned.to_numpy(), expected, atol=1)


def test_images_of_another_shape_are_refused(images, make_polar_embedder):
    embedder = make_polar_embedder(d=4).fit(images)
    with pytest.raises(ValueError, match="PolarFourierEmbedder was fitted on"):
        turned_copy(embedder, images[:, :12])


@pytest.mark.parametrize("shape", [(16, 16), (16, 16, 3)])
def test_images_of_their_own_brightness_get_their_own_background(
    make_polar_embedder, shape
):
    brightness = np.arange(5, 45, dtype=np.uint8)
    images = np.zeros((40, *shape), dtype=np.uint8)
    images.T[:] = brightness
    images[:, 6:10, 6:12] = 200
    embedder = make_polar_embedder(d=4, invariance="rotation+brightness").fit(images)
    turned = turned_copy(embedder, images)
    np.testing.assert_array_equal(
        turned[:, 0, 0].T, np.broadcast_to(brightness, turned[:, 0, 0].T.shape)
    )
