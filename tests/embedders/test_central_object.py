"""object="central": neighbours in the frame change neither z nor pose."""

import numpy as np
import pytest

from invariant_cluster import (
    IRLINREmbedder,
    PolarFourierEmbedder,
    ScatteringEmbedder,
    SimCLREmbedder,
    SpatialVAEEmbedder,
    TargetVAEEmbedder,
    load_model,
    save_model,
)

TINY = {"d": 4, "max_epochs": 1, "batch_size": 16, "random_state": 0, "device": "cpu"}
MAKES = {
    "IRL-INR": lambda **given: IRLINREmbedder(**TINY, encoder_width=2, **given),
    "SimCLR": lambda **given: SimCLREmbedder(**TINY, encoder_width=2, **given),
    "spatial-VAE": lambda **given: SpatialVAEEmbedder(**TINY, **given),
    "target-VAE": lambda **given: TargetVAEEmbedder(
        **TINY, n_rotations=4, n_kernels=2, **given
    ),
    "polar": lambda **given: PolarFourierEmbedder(d=4, **given),
    "scattering": lambda **given: ScatteringEmbedder(d=4, **given),
}
ANYWHERE = "rotation+translation"


def draw(n=32, neighbours=False):
    """Return blobs of different length in the middle, (n, 32, 32), from 0 to 255."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:32, :32] - 15.5
    length = random.uniform(2, 16, (n, 1, 1))
    angle = random.uniform(0, np.pi, (n, 1, 1))
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    images = 160 * np.exp(-0.5 * (u**2 / length + v**2 / 2)) * (1 + 0.05 * u)
    if neighbours:
        images[:, 2:5, 26:30] = 220
    return images.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", MAKES)
def test_a_neighbour_does_not_change_z(name):
    embedder = MAKES[name](object="central").fit(draw())
    z = np.asarray(embedder.transform(draw()))
    seen = np.asarray(embedder.transform(draw(neighbours=True)))
    np.testing.assert_allclose(seen, z, atol=1e-4, rtol=1e-3)
    disturbed = MAKES[name]().fit(draw())
    other = np.asarray(disturbed.transform(draw(neighbours=True)))
    apart = np.abs(other - np.asarray(disturbed.transform(draw())))
    assert apart.max() > 10 * np.abs(seen - z).max()


def test_a_neighbour_does_not_change_the_pose_and_is_not_drawn():
    embedder = MAKES["IRL-INR"](object="central").fit(draw())
    for alone, beside in zip(
        embedder.predict_pose(draw()),
        embedder.predict_pose(draw(neighbours=True)),
        strict=True,
    ):
        np.testing.assert_allclose(beside, alone, atol=1e-3)
    upright = embedder.canonicalize(draw(neighbours=True))
    np.testing.assert_allclose(upright, embedder.canonicalize(draw()), atol=0.1)


@pytest.mark.parametrize("name", ["IRL-INR", "polar", "scattering"])
def test_brightness_is_that_of_the_object(name):
    make = MAKES[name]
    embedder = make(object="central", invariance=f"{ANYWHERE}+brightness").fit(draw())
    z = np.asarray(embedder.transform(draw()))
    seen = np.asarray(embedder.transform(draw(neighbours=True)))
    np.testing.assert_allclose(seen, z, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("name", MAKES)
def test_a_saved_model_sees_the_central_object_alone(name, tmp_path):
    embedder = MAKES[name](object="central").fit(draw())
    save_model(embedder, tmp_path / "model.icmodel")
    loaded = load_model(tmp_path / "model.icmodel")
    assert loaded.tone_.central
    images = draw(neighbours=True)
    np.testing.assert_allclose(
        np.asarray(loaded.transform(images)),
        np.asarray(embedder.transform(images)),
        atol=1e-5,
    )
