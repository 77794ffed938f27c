"""Features without training: the embedder's, by the names of the tables."""

import numpy as np
import pytest

from benchmarks.classical import FEATURES, compute_features, make_embedder

INVARIANT = [name for name in FEATURES if name != "raw pixels"]
POLAR = [name for name in INVARIANT if name != "scattering"]
MOVING, STILL = "rotation+translation", "rotation"


@pytest.fixture
def blobs():
    random = np.random.default_rng(0)
    images = np.zeros((24, 16, 16), dtype=np.uint8)
    images[:, 4:12, 4:12] = random.integers(0, 255, (24, 8, 8))
    return images


@pytest.mark.parametrize("name", POLAR)
@pytest.mark.parametrize("invariance", [MOVING, STILL])
def test_a_recorded_parameter_is_the_embedders(name, invariance):
    parameters = make_embedder(name, invariance, seed=3).get_params()
    recorded = dict(FEATURES[name])
    assert parameters["d"] == recorded.pop("n_components")
    assert recorded.items() <= parameters.items()
    assert parameters["random_state"] == 3
    assert parameters["invariance"] == invariance
    assert (parameters["radial_basis"] == "zernike") == (name == "Zernike")


@pytest.mark.parametrize("name", INVARIANT)
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_invariant_to_quarter_turns(blobs, name, turns):
    turned = np.rot90(blobs, turns, axes=(1, 2)).copy()
    still, moved = compute_features(name, blobs, turned, MOVING, seed=0)
    assert still.std() > 0
    np.testing.assert_allclose(moved, still, atol=1e-3 * still.std())


@pytest.mark.parametrize("name", POLAR)
def test_invariant_to_shifts_if_centred(blobs, name):
    shifted = np.roll(blobs, (1, -2), axis=(1, 2))
    still, moved = compute_features(name, blobs, shifted, MOVING, seed=0)
    far = np.linalg.norm(still - still.mean(axis=0), axis=1).mean()
    assert np.linalg.norm(moved - still, axis=1).mean() < 0.01 * far


def test_background_is_no_mass(blobs):
    dark, light = (
        compute_features("raw pixels", images, images, STILL, seed=0)[0]
        for images in (blobs, 255 - blobs)
    )
    np.testing.assert_allclose(dark, light, atol=1e-3)


def test_raw_pixels_are_summed_over_channels(blobs):
    colours = np.stack([blobs // 2, blobs // 2, blobs // 2], axis=-1)
    grey, _ = compute_features("raw pixels", blobs // 2, blobs, MOVING, seed=0)
    summed, _ = compute_features("raw pixels", colours, colours, MOVING, seed=0)
    np.testing.assert_allclose(summed, 3 * grey, atol=1e-3)
