"""Invariance to scale: objects of one size, whatever theirs was."""

import numpy as np
import pytest
import torch

from invariant_cluster import (
    IRLINREmbedder,
    JointEmbedder,
    PolarFourierEmbedder,
    ScatteringEmbedder,
    SimCLREmbedder,
    load_model,
    save_model,
)

SIDE = 64
TINY = {
    "d": 4,
    "encoder_width": 2,
    "max_epochs": 1,
    "batch_size": 16,
    "random_state": 0,
    "device": "cpu",
}
WORDS = "rotation+translation+scale"
MAKES = {
    "IRL-INR": lambda **options: IRLINREmbedder(**TINY, **options),
    "SimCLR": lambda **options: SimCLREmbedder(**TINY, align=True, **options),
    "scattering": lambda **options: ScatteringEmbedder(
        d=4, align="principal_axis", **options
    ),
    "joint": lambda **options: JointEmbedder(
        [
            ("learned", IRLINREmbedder(**TINY, **options)),
            ("scattering", ScatteringEmbedder(d=4, **options)),
        ]
    ),
}


def draw(sizes, kinds=None, seed=0):
    """Return smooth drops (n, SIDE, SIDE) of some sizes, and their angles."""
    random = np.random.default_rng(seed)
    theta = random.uniform(0, 2 * np.pi, len(sizes))
    x, y = (np.arange(SIDE) - (SIDE - 1) / 2), -(np.arange(SIDE) - (SIDE - 1) / 2)
    shift = random.uniform(-3, 3, (len(sizes), 2))
    kinds = np.zeros(len(sizes)) if kinds is None else kinds
    images = np.empty((len(sizes), SIDE, SIDE), dtype=np.float32)
    for image, size, angle, (right, up), kind in zip(
        images, sizes, theta, shift, kinds, strict=True
    ):
        u, v = x[None] - right, y[:, None] - up
        along = (np.cos(angle) * u + np.sin(angle) * v) / size
        across = (np.cos(angle) * v - np.sin(angle) * u) / size
        width = 1.0 + 0.4 * np.tanh(along)
        length = 2.2 + 1.0 * kind
        image[:] = np.exp(-0.5 * ((along / length) ** 2 + (across / width) ** 2))
    return images, theta


SIZES = np.random.default_rng(1).uniform(1.8, 2.8, 48)
KINDS = np.arange(48) % 2


def seen_by(embedder, images):
    """Return the images as the network or the wavelets see them."""
    raw = torch.from_numpy(images)[:, None]
    if hasattr(embedder, "view_"):
        return embedder.view_(raw)
    aligner = embedder.encoder_.aligner
    return aligner(aligner.scale(raw))


@pytest.mark.parametrize("name", ["IRL-INR", "SimCLR", "scattering"])
def test_objects_are_seen_in_one_size(name):
    images, _ = draw(SIZES, KINDS)
    small, _ = draw(0.7 * SIZES, KINDS)

    def change(**options):
        embedder = MAKES[name](**options).fit(images)
        seen, other = seen_by(embedder, images), seen_by(embedder, small)
        return float((seen - other).abs().mean() / seen.abs().mean())

    assert change(invariance=WORDS) < 0.05
    assert change() > 0.3


def test_scale_is_told():
    images, theta = draw(SIZES)
    embedder = MAKES["IRL-INR"](invariance=WORDS).fit(images)
    _, _, scale = embedder.predict_pose(images, return_scale=True)
    np.testing.assert_allclose(scale, SIZES / np.median(SIZES), rtol=0.05)
    assert len(embedder.predict_pose(images)) == 2
    learned, _ = embedder.predict_pose(images, learned=False)
    apart = np.exp(1j * (learned - theta))
    assert np.abs(np.angle(apart / apart[0])).max() < 0.1


def test_without_the_word_the_scale_is_one():
    images, _ = draw(SIZES)
    embedder = MAKES["IRL-INR"]().fit(images)
    assert embedder.size_ is None
    scale = embedder.predict_pose(images, return_scale=True)[2]
    np.testing.assert_array_equal(scale, 1)


def test_canonical_objects_have_one_size():
    images, _ = draw(SIZES)
    embedder = MAKES["IRL-INR"](invariance=WORDS).fit(images)
    canonical = embedder.canonicalize(images, learned=False)
    area = (canonical > 0.3).sum(axis=(1, 2))
    before = (images > 0.3).sum(axis=(1, 2))
    assert area.std() / area.mean() < 0.05
    assert before.std() / before.mean() > 0.2


def test_drawings_have_the_size_of_their_images():
    images, _ = draw(SIZES)
    embedder = IRLINREmbedder(
        **{**TINY, "max_epochs": 40, "encoder_width": 4, "lr": 5e-3}, invariance=WORDS
    ).fit(images)
    drawn = embedder.reconstruct(images)

    def sizes(of):
        y, x = np.mgrid[:SIDE, :SIDE]
        of = np.clip(of - 0.2, 0, None)
        mass = of.sum(axis=(1, 2))
        cx, cy = (of * x).sum(axis=(1, 2)) / mass, (of * y).sum(axis=(1, 2)) / mass
        square = (x - cx[:, None, None]) ** 2 + (y - cy[:, None, None]) ** 2
        return np.sqrt((of * square).sum(axis=(1, 2)) / mass)

    assert np.corrcoef(sizes(drawn), sizes(images))[0, 1] > 0.9
    canonical = embedder.reconstruct(images, canonical=True)
    assert sizes(canonical).std() < 0.4 * sizes(images).std()


@pytest.mark.parametrize("name", MAKES)
def test_a_saved_model_scales_as_the_fitted_one(name, tmp_path):
    images, _ = draw(SIZES)
    embedder = MAKES[name](invariance=WORDS).fit(images)
    z = np.asarray(embedder.transform(images))
    save_model(embedder, tmp_path / "it.model")
    np.testing.assert_array_equal(
        load_model(tmp_path / "it.model").transform(images), z
    )


def test_an_export_scales_too(tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    images, _ = draw(SIZES)
    embedder = MAKES["IRL-INR"](invariance=WORDS).fit(images)
    embedder.export_onnx(tmp_path / "it.onnx")
    session = runtime.InferenceSession(tmp_path / "it.onnx")
    (z,) = session.run(["z"], {"images": images})
    np.testing.assert_allclose(z, embedder.transform(images), atol=1e-4)


@pytest.mark.filterwarnings("ignore:16 of 48 images are blank")
def test_blank_images_have_no_size():
    images, _ = draw(SIZES)
    images[::3] = 0
    embedder = MAKES["IRL-INR"](invariance=WORDS).fit(images)
    scale = embedder.predict_pose(images, return_scale=True)[2]
    np.testing.assert_array_equal(scale[::3], 1)
    assert np.isfinite(embedder.transform(images)).all()


def test_what_cannot_scale_says_so():
    images, _ = draw(SIZES)
    with pytest.raises(ValueError, match=r"leave out 'scale', or align"):
        IRLINREmbedder(**TINY, invariance=WORDS, align=False).fit(images)
    with pytest.raises(ValueError, match="invariance"):
        PolarFourierEmbedder(invariance=WORDS).fit(images)
