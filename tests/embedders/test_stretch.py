"""Embedders of images over many decades of brightness."""

import warnings

import numpy as np
import pytest
import torch

from invariant_cluster import (
    IRLINREmbedder,
    PolarFourierEmbedder,
    ScatteringEmbedder,
    SimCLREmbedder,
    load_model,
    save_model,
)
from invariant_cluster.datasets import load_oriented_digits
from invariant_cluster.inspection import take_pictures

FREE = "rotation+translation+brightness"
SMALL = {
    "max_epochs": 1,
    "d": 4,
    "encoder_width": 2,
    "inr_hidden": (4,),
    "hypernetwork_hidden": (4,),
    "random_state": 0,
    "device": "cpu",
}
MAKERS = {
    "scattering": lambda **given: ScatteringEmbedder(d=4, random_state=0, **given),
    "polar": lambda **given: PolarFourierEmbedder(d=4, random_state=0, **given),
    "irlinr": lambda **given: IRLINREmbedder(**SMALL, **given),
}


@pytest.fixture(scope="module")
def plain():
    return load_oriented_digits().images[:60].astype(np.float32)


@pytest.fixture(scope="module")
def fluxes(plain):
    """Return the images, each of another brightness within six decades."""
    flux = 10 ** np.random.default_rng(0).uniform(0, 6, len(plain))
    return (plain * flux[:, None, None]).astype(np.float32)


def fit_quietly(embedder, images):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X has a huge range")
        return embedder.fit(images)


@pytest.mark.parametrize("name", MAKERS)
def test_a_huge_range_is_stretched_and_told(name, fluxes):
    embedder = MAKERS[name]()
    with pytest.warns(UserWarning, match="huge range.*'brightness'.*stretch='linear'"):
        embedder.fit(fluxes)
    assert len(embedder.tone_.stretch) == 2


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("stretch", ["linear", "asinh"])
def test_what_is_asked_for_is_not_told(name, stretch, fluxes):
    embedder = MAKERS[name](stretch=stretch).fit(fluxes)
    assert bool(embedder.tone_.stretch) == (stretch == "asinh")


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "zscored"])
def test_other_images_are_embedded_as_ever(name, dtype, plain):
    images = plain.astype("float32" if dtype == "zscored" else dtype)
    if dtype == "zscored":
        images = (images - images.mean()) / images.std()
    z = np.asarray(MAKERS[name]().fit_transform(images))
    same = MAKERS[name](stretch="linear").fit_transform(images)
    np.testing.assert_array_equal(z, np.asarray(same))


def test_faint_images_are_seen_beside_bright_ones(fluxes):
    stretched = fit_quietly(ScatteringEmbedder(d=8, random_state=0), fluxes)
    linear = ScatteringEmbedder(d=8, stretch="linear", random_state=0).fit(fluxes)
    faint = fluxes[np.argsort(fluxes.max(axis=(1, 2)))[:20]]
    # In a linear range, faint images are all the same.
    assert spread(linear, faint, fluxes) < 0.02
    assert spread(stretched, faint, fluxes) > 0.2


def spread(embedder, some, images):
    """Return how far z of some images is from their mean, relative to all images."""
    z = embedder.transform(images)
    return embedder.transform(some).std(axis=0).mean() / z.std(axis=0).mean()


@pytest.mark.parametrize("stretch", ["auto", "asinh"])
def test_images_of_one_level_embed_as_if_equally_bright(stretch, plain, fluxes):
    settings = {"invariance": FREE, "stretch": stretch, "random_state": 0}
    z = ScatteringEmbedder(d=4, **settings).fit_transform(plain)
    spoilt = ScatteringEmbedder(d=4, **settings).fit_transform(fluxes)
    signs = np.sign((z * spoilt).sum(axis=0))
    np.testing.assert_allclose(spoilt * signs, z, atol=0.05 * z.std())


def test_a_turned_image_has_the_same_z(fluxes):
    embedder = fit_quietly(ScatteringEmbedder(d=4, random_state=0), fluxes)
    z = embedder.transform(fluxes)
    turned = embedder.transform(np.rot90(fluxes, axes=(1, 2)).copy())
    np.testing.assert_allclose(turned, z, atol=1e-2 * z.std())


@pytest.mark.parametrize("invariance", ["rotation", FREE])
def test_drawings_are_in_the_users_units(invariance, fluxes):
    embedder = IRLINREmbedder(**SMALL, stretch="asinh", invariance=invariance)
    embedder.fit(fluxes)
    canonical = embedder.canonicalize(fluxes, learned=False)
    brightest = canonical.max(axis=(1, 2)) / fluxes.max(axis=(1, 2))
    assert (np.abs(np.log(brightest)) < np.log(2)).all()
    low, high = embedder.intensity_range_
    drawn = embedder.draw(embedder.transform(fluxes[:3]))
    span = high - low
    assert drawn.min() > low - 1e-3 * span
    assert drawn.max() < high + 1e-3 * span
    assert embedder.reconstruct(fluxes).max() < 10 * fluxes.max()


def test_the_range_is_in_the_users_units(fluxes):
    embedder = IRLINREmbedder(**SMALL, stretch="asinh").fit(fluxes)
    low, high = embedder.intensity_range_
    assert low == pytest.approx(0, abs=embedder.tone_.stretch[0])
    assert np.quantile(fluxes, 0.99) < high <= fluxes.max() * (1 + 1e-4)
    given = IRLINREmbedder(**SMALL, stretch="asinh", intensity_range=(0, 1e4))
    assert given.fit(fluxes).intensity_range_ == (0, 1e4)
    scale = given.encoder_.aligner.scale
    softening, background = given.tone_.stretch
    values = scale(_tensor([0.0, 1e2, 1e4, 1e6]))
    expected = np.arcsinh((np.array([0, 1e2, 1e4]) - background) / softening)
    expected = (expected - expected[0]) / (expected[2] - expected[0])
    np.testing.assert_allclose(values.ravel(), [*expected, 1.0], atol=1e-5)


def _tensor(values):
    return torch.tensor(values)[None, None, None]


@pytest.mark.parametrize("name", MAKERS)
def test_a_saved_model_stretches(name, fluxes, tmp_path):
    embedder = MAKERS[name](stretch="asinh").fit(fluxes)
    save_model(embedder, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert loaded.tone_ == embedder.tone_
    np.testing.assert_allclose(
        np.asarray(loaded.transform(fluxes)),
        np.asarray(embedder.transform(fluxes)),
        rtol=1e-5,
        atol=1e-5,
    )


def test_bright_images_of_one_level_are_not_clipped(plain):
    flux = 10 ** np.random.default_rng(0).normal(0, 1.5, len(plain))
    fluxes = (plain * flux[:, None, None]).astype(np.float32)
    embedder = ScatteringEmbedder(d=4, invariance=FREE, random_state=0).fit(fluxes)
    assert embedder.tone_.limits == ()
    assert embedder.tone_.stretch == ()


def test_simclr_passes_it_on(fluxes):
    settings = {k: v for k, v in SMALL.items() if "hidden" not in k}
    embedder = SimCLREmbedder(**settings, stretch="asinh").fit(fluxes)
    assert embedder.tone_.stretch


def test_pictures_show_faint_images(fluxes):
    embedder = PolarFourierEmbedder(d=4, stretch="asinh").fit(fluxes)
    linear = PolarFourierEmbedder(d=4, stretch="linear").fit(fluxes)
    faintest = int(fluxes.max(axis=(1, 2)).argmin())
    assert take_pictures(embedder, fluxes)[faintest].max() > 0.02
    assert take_pictures(linear, fluxes)[faintest].max() < 1e-3
