"""Whether images hold objects or textures, found without labels and told."""

import numpy as np
import pytest

from invariant_cluster import (
    IRLINREmbedder,
    ScatteringEmbedder,
    load_model,
    save_model,
)
from invariant_cluster.datasets import load_oriented_digits, load_wafer_maps

ANYWHERE = "rotation+translation"


def make(name, **given):
    if name == "scattering":
        return ScatteringEmbedder(d=4, **given)
    tiny = {"d": 4, "encoder_width": 2, "max_epochs": 1, "random_state": 0}
    return IRLINREmbedder(**tiny, **given)


def draw_textures(n=200):
    """Return stripes of any direction and phase, (n, 32, 32)."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:32, :32]
    angle, phase = random.uniform(0, 2 * np.pi, (2, n, 1, 1))
    wave = 0.5 * (x * np.cos(angle) + y * np.sin(angle)) + phase
    return (127 + 100 * np.sin(wave) + random.normal(0, 10, (n, 32, 32))).astype("f4")


@pytest.mark.parametrize("invariance", ["rotation", ANYWHERE, f"{ANYWHERE}+brightness"])
@pytest.mark.parametrize("name", ["scattering", "IRL-INR"])
def test_textures_are_found_and_not_aligned(name, invariance):
    embedder = make(name, invariance=invariance).fit(draw_textures())
    assert embedder.alignment_.shows == "textures"
    assert embedder.alignment_.mean_share < 0.01
    if name == "scattering":
        assert embedder.align_ is None
    else:
        assert not embedder.encoder_.aligner.align


@pytest.mark.parametrize("load", [load_oriented_digits, load_wafer_maps])
@pytest.mark.parametrize("invariance", ["rotation", ANYWHERE])
def test_objects_are_found_and_aligned(load, invariance):
    images = load().images[:400]
    embedder = make("scattering", invariance=invariance).fit(images)
    assert embedder.alignment_.shows == "objects"
    assert embedder.align_ == "principal_axis"
    assert embedder.alignment_.mean_share > 0.03


def test_what_was_found_is_said(capsys):
    embedder = make("IRL-INR", verbose=1).fit(draw_textures())
    said = capsys.readouterr().out
    assert str(embedder.alignment_) in said
    assert "textures and are not aligned" in said
    make("IRL-INR").fit(draw_textures())
    assert capsys.readouterr().out == ""


def test_nothing_is_looked_for_where_it_was_given():
    textures = draw_textures()
    assert make("IRL-INR", align=True).fit(textures).alignment_ is None
    given = make("scattering", align="principal_axis").fit(textures)
    assert given.alignment_ is None
    assert given.align_ == "principal_axis"


def test_textures_have_no_size():
    embedder = make("IRL-INR", invariance=f"{ANYWHERE}+scale").fit(draw_textures())
    assert embedder.size_ is None


def test_a_second_fit_looks_anew():
    embedder = make("IRL-INR").fit(draw_textures())
    embedder.set_params(invariance=f"{ANYWHERE}+scale")
    embedder.fit(load_oriented_digits().images[:200])
    assert embedder.alignment_.shows == "objects"
    assert embedder.size_ is not None


@pytest.mark.parametrize("name", ["scattering", "IRL-INR"])
def test_the_finding_is_saved(name, tmp_path):
    textures = draw_textures()
    embedder = make(name).fit(textures)
    save_model(embedder, tmp_path / "model.icmodel")
    loaded = load_model(tmp_path / "model.icmodel")
    assert loaded.alignment_ == embedder.alignment_
    np.testing.assert_allclose(
        np.asarray(loaded.transform(textures)),
        np.asarray(embedder.transform(textures)),
        atol=1e-5,
    )
    again = loaded.alignment_.shows
    save_model(loaded, tmp_path / "again.icmodel")
    assert load_model(tmp_path / "again.icmodel").alignment_.shows == again


@pytest.mark.filterwarnings("ignore:8 of 8 images are blank")
def test_blank_images_are_objects():
    found = make("scattering").fit(np.zeros((8, 16, 16))).alignment_
    assert found.shows == "objects"
    assert (found.border_share, found.center_spread) == (0.0, 0.0)


@pytest.mark.parametrize("shape", [(8, 8), (12, 12), (24, 40), (40, 40)])
def test_no_lattice_of_resampling_passes_for_an_object(shape):
    noise = np.random.default_rng(0).random((200, *shape))
    found = make("scattering").fit(noise).alignment_
    assert found.shows == "textures"
    assert found.mean_share < 0.005


def test_no_share_is_negative():
    """The estimate is: two images differ from each other more than by chance."""
    first = np.random.default_rng(0).random((16, 16))
    found = make("scattering", background=0).fit([first, 1 - first]).alignment_
    assert found.mean_share == 0
    assert "keeps 0.0%" in str(found)
