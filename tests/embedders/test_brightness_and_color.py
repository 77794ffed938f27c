"""Invariance to brightness and colour: z and poses do not change with them."""

import numpy as np
import pytest

from invariant_cluster import (
    IRLINREmbedder,
    PolarFourierEmbedder,
    ScatteringEmbedder,
    SimCLREmbedder,
    load_model,
    save_model,
)
from invariant_cluster.datasets import make_oriented

TINY = {
    "d": 4,
    "encoder_width": 2,
    "max_epochs": 1,
    "batch_size": 16,
    "random_state": 0,
    "device": "cpu",
}
MAKES = {
    "IRL-INR": lambda **options: IRLINREmbedder(**TINY, **options),
    "SimCLR": lambda **options: SimCLREmbedder(**TINY, **options),
    "polar": lambda **options: PolarFourierEmbedder(d=4, **options),
    "scattering": lambda **options: ScatteringEmbedder(d=4, **options),
}
BRIGHTNESS, COLOR = "rotation+translation+brightness", "rotation+translation+color"


def draw(n=32):
    """Return turned wedges (n, 24, 24), float32, from 0 to 1."""
    image = np.zeros((24, 24), dtype=np.float32)
    for row in range(5, 19):
        image[row, 10 : 11 + (row - 4) // 2] = 1
    return make_oriented(
        np.repeat(image[None], n, axis=0),
        translation_std=0.03,
        random_state=0,
        return_pose=False,
    )


def dim(images):
    """Return images of which every second is darker and paler."""
    other = images.copy()
    other[1::2] = 0.4 * other[1::2] + 0.1
    return other


def in_color(images, shares):
    return images[..., None] * np.asarray(shares, dtype=np.float32)


@pytest.mark.parametrize("name", MAKES)
def test_brightness_does_not_change_z(name):
    images = draw()
    embedder = MAKES[name](invariance=BRIGHTNESS).fit(images)
    z = np.asarray(embedder.transform(images))
    np.testing.assert_allclose(embedder.transform(dim(images)), z, atol=2e-3)
    plain = MAKES[name]().fit(images)
    assert np.abs(plain.transform(dim(images)) - plain.transform(images)).max() > 0.02


@pytest.mark.parametrize("name", MAKES)
def test_color_does_not_change_z(name):
    images = draw()
    red, blue = in_color(images, (0.8, 0.2, 0.2)), in_color(images, (0.2, 0.2, 0.8))
    embedder = MAKES[name](invariance=COLOR).fit(red)
    z = np.asarray(embedder.transform(red))
    np.testing.assert_allclose(embedder.transform(blue), z, atol=1e-4)


def test_a_half_that_is_dimmed_trains_the_same_network():
    images = draw()
    z = [
        np.asarray(MAKES["IRL-INR"](invariance=BRIGHTNESS).fit(x).transform(images))
        for x in (images, dim(images))
    ]
    np.testing.assert_allclose(*z, atol=0.05)


def test_a_background_for_all_is_refused():
    with pytest.raises(ValueError, match="set background='auto'"):
        MAKES["IRL-INR"](invariance=BRIGHTNESS, background=0.0).fit(draw())


def test_drawings_have_the_brightness_of_their_images():
    images = draw()
    embedder = MAKES["IRL-INR"](invariance=BRIGHTNESS).fit(images)
    pale = dim(images)
    drawn = embedder.canonicalize(pale)
    background = np.median(drawn[:, 0], axis=1)
    np.testing.assert_allclose(background[1::2], 0.1, atol=0.01)
    np.testing.assert_allclose(background[::2], 0.0, atol=0.01)
    top = drawn.max(axis=(1, 2))
    np.testing.assert_allclose(top[1::2], 0.5, atol=0.05)
    assert embedder.reconstruct(pale).shape == pale.shape
    assert embedder.score(pale) == pytest.approx(embedder.score(images), rel=0.02)


@pytest.mark.parametrize("name", MAKES)
def test_a_saved_model_tones_as_the_fitted_one(name, tmp_path):
    images = dim(draw())
    embedder = MAKES[name](invariance=BRIGHTNESS + "+color").fit(images)
    save_model(embedder, tmp_path / "it.model")
    loaded = load_model(tmp_path / "it.model")
    assert loaded.tone_ == embedder.tone_
    np.testing.assert_array_equal(
        loaded.transform(images), np.asarray(embedder.transform(images))
    )


def test_an_export_tones_too(tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    images = dim(draw())
    embedder = MAKES["IRL-INR"](invariance=BRIGHTNESS).fit(images)
    embedder.export_onnx(tmp_path / "it.onnx")
    session = runtime.InferenceSession(tmp_path / "it.onnx")
    (z,) = session.run(["z"], {"images": images})
    np.testing.assert_allclose(z, embedder.transform(images), atol=1e-4)


@pytest.mark.parametrize(
    "invariance", ["brightness", "rotation+colour", "rotation+brightness+translation"]
)
def test_other_words_are_refused(invariance):
    told = "invariance.*alone or with any of translation, reflection, scale, brightness"
    with pytest.raises(ValueError, match=told):
        IRLINREmbedder(**TINY, invariance=invariance).fit(draw())
