"""Images of any representation, at any resolution."""

import numpy as np
import pytest


def test_own_z_is_drawn_as_the_canonical_reconstruction(
    make_generative_embedder, images
):
    embedder = make_generative_embedder().fit(images)
    z = embedder.transform(images[:5])
    drawn = embedder.draw(z)
    expected = embedder.reconstruct(images[:5], canonical=True)
    np.testing.assert_allclose(drawn, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("decoder", ["hypernetwork", "mlp", "pixels"])
def test_odd_multiples_agree_at_the_pixels_they_share(make_embedder, images, decoder):
    embedder = make_embedder(decoder=decoder).fit(images)
    z = embedder.transform(images[:5])
    fine, coarse = embedder.draw(z, resolution=48), embedder.draw(z)
    assert fine.shape == (5, 48, 48)
    # A coarse pixel's centre is that of the middle one of its 3 x 3 fine ones.
    span = np.ptp(embedder.intensity_range_)
    np.testing.assert_allclose(fine[:, 1::3, 1::3], coarse, atol=1e-3 * span)


def test_shape_and_channels_are_kept(make_embedder, images):
    wide = np.repeat(images[:, 2:14, :, None], 3, axis=-1)
    embedder = make_embedder().fit(wide)
    z = embedder.transform(wide[:2])
    assert embedder.draw(z).shape == (2, 12, 16, 3)
    assert embedder.draw(z, resolution=32).shape == (2, 24, 32, 3)
    first = np.moveaxis(wide, -1, 1)
    embedder = make_embedder().fit(first)
    assert embedder.draw(z, resolution=32).shape == (2, 3, 24, 32)


def test_many_large_images_are_drawn_in_parts(make_embedder, images, monkeypatch):
    embedder = make_embedder().fit(images)
    z = embedder.transform(images[:5])
    at_once = embedder.draw(z)
    monkeypatch.setattr(
        "invariant_cluster.embedders._generative_embedder._MOST_PIXELS", 300
    )
    np.testing.assert_allclose(embedder.draw(z), at_once, rtol=1e-5, atol=1e-4)


def test_flat_rows_are_drawn_as_images(make_embedder, images):
    flat = images.reshape(len(images), -1)
    embedder = make_embedder().fit(flat)
    assert embedder.draw(embedder.transform(flat[:2])).shape == (2, 16, 16)


@pytest.mark.parametrize(
    ("z", "resolution", "message"),
    [
        (np.zeros((2, 3)), None, r"z has shape \(2, 3\), but this IRLINREmbedder"),
        (np.zeros(4), None, r"z has shape \(4,\)"),
        (np.zeros((0, 4)), None, r"z has shape \(0, 4\)"),
        (np.full((1, 4), np.nan), None, "z contains NaN"),
        (np.zeros((2, 4)), 7, "resolution=7 is too small: give 8 pixels"),
    ],
)
def test_bad_input_is_named(make_embedder, images, z, resolution, message):
    embedder = make_embedder().fit(images)
    with pytest.raises(ValueError, match=message):
        embedder.draw(z, resolution=resolution)
