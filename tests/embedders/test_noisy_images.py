"""Images with noise: smoothed, so that poses and features are those of the objects."""

import warnings

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
from invariant_cluster.datasets import make_oriented
from invariant_cluster.out_of_core import predict_shards

SIDE = 32
TINY = {
    "d": 4,
    "encoder_width": 2,
    "max_epochs": 1,
    "batch_size": 16,
    "random_state": 0,
    "device": "cpu",
}
FITS = {
    "IRL-INR": IRLINREmbedder(**TINY),
    "SimCLR": SimCLREmbedder(**TINY),
    "polar": PolarFourierEmbedder(d=4),
    "scattering": ScatteringEmbedder(d=4),
    "joint": JointEmbedder(
        [("learned", IRLINREmbedder(**TINY)), ("scattering", ScatteringEmbedder(d=4))]
    ),
}


def draw(n=64, snr=None, seed=0):
    """Return turned and moved wedges (n, side, side), and their angles."""
    image = np.zeros((SIDE, SIDE), dtype=np.float32)
    for row in range(6, 26):
        image[row, 13 : 14 + (row - 5) // 3] = 1
    images, theta, _ = make_oriented(
        np.repeat(image[None], n, axis=0), translation_std=0.03, random_state=seed
    )
    if snr is None:
        return images, theta
    random = np.random.default_rng(seed)
    return random.normal(images, np.sqrt(images.var() / snr)), theta


def error_of(embedder, images, theta):
    """Return the median error of the analytic poses in degrees, but for one offset."""
    found, _ = embedder.predict_pose(images, learned=False)
    apart = np.exp(1j * (found - theta))
    return np.degrees(np.median(np.abs(np.angle(apart / apart.mean()))))


@pytest.mark.parametrize("snr", [1, 0.3])
def test_poses_are_found_in_noise(snr):
    images, theta = draw(snr=snr)
    plain = IRLINREmbedder(**TINY, smoothing=0).fit(images)
    smooth = IRLINREmbedder(**TINY).fit(images)
    assert smooth.smoothing_ >= 1
    assert smooth.noise_level_ == pytest.approx(np.sqrt(draw()[0].var() / snr), rel=0.1)
    assert error_of(smooth, images, theta) < 8
    assert error_of(plain, images, theta) > 3 * error_of(smooth, images, theta)


@pytest.mark.parametrize("name", FITS)
def test_clean_images_are_as_before(name):
    images, _ = draw()
    found = FITS[name].fit(images)
    assert (found.smoothing_, found.noise_level_) == (0, 0)
    unsmoothed = {p: 0 for p in found.get_params() if p.endswith("smoothing")}
    other = FITS[name].set_params(**unsmoothed).fit(images)
    np.testing.assert_array_equal(found.transform(images), other.transform(images))


@pytest.mark.parametrize("name", FITS)
def test_a_saved_model_smooths_as_the_fitted_one(name, tmp_path):
    images, _ = draw(snr=0.5)
    found = FITS[name].set_params(
        **{p: "auto" for p in FITS[name].get_params() if p.endswith("smoothing")}
    )
    z = np.asarray(found.fit(images).transform(images))
    save_model(found, tmp_path / "it.model")
    loaded = load_model(tmp_path / "it.model")
    assert loaded.smoothing_ == found.smoothing_ > 0
    assert loaded.noise_level_ == found.noise_level_ > 0
    np.testing.assert_array_equal(loaded.transform(images), z)


def test_an_export_smooths_too(tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    images = draw(snr=0.5)[0].astype(np.float32)
    embedder = IRLINREmbedder(**TINY).fit(images)
    embedder.export_onnx(tmp_path / "it.onnx")
    session = runtime.InferenceSession(tmp_path / "it.onnx")
    (z,) = session.run(["z"], {"images": images})
    np.testing.assert_allclose(z, embedder.transform(images), atol=1e-4)


def test_noise_is_no_reason_to_warn_of_other_values(tmp_path):
    from invariant_cluster import make_pipeline

    images, _ = draw(snr=0.3)
    pipe = make_pipeline(2, max_epochs=1, fine_tune_max_epochs=1, random_state=0)
    pipe.set_params(cluster__max_epochs=1, cluster__n_neighbors=5)
    pipe.fit(images)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predict_shards(pipe, images, tmp_path / "shards")


def test_drawings_are_free_of_noise():
    images, _ = draw(snr=0.5)
    embedder = IRLINREmbedder(**TINY).fit(images)
    canonical = embedder.canonicalize(images)
    assert canonical[:, :3, :3].std() < images[:, :3, :3].std() / 3


@pytest.mark.parametrize("width", [-1, "much", None])
def test_a_bad_width_is_refused(width):
    with pytest.raises(ValueError, match="smoothing"):
        IRLINREmbedder(**TINY, smoothing=width).fit(draw()[0])


def test_noise_of_grey_copies_is_grey_and_that_of_the_mean():
    images, _ = draw()
    random = np.random.default_rng(0)
    noisy = images[..., None] + random.normal(0, 0.6, (*images.shape, 3))
    embedder = IRLINREmbedder(**TINY, invariance="rotation+translation+color")
    embedder.fit(noisy.astype(np.float32))
    assert embedder.noise_level_ == pytest.approx(0.6 / np.sqrt(3), rel=0.1)
    aligner = embedder.encoder_.aligner
    seen = aligner.add_noise(torch.full((2, 3, SIDE, SIDE), 0.5))
    assert seen.std() > 0
    assert torch.equal(seen, seen[:, :1].expand_as(seen))
