"""Ready pipelines."""

import numpy as np
import pytest
import torch

from invariant_cluster import (
    ClassAverageEmbedder,
    IRLINREmbedder,
    JointEmbedder,
    PolarFourierEmbedder,
    SCANClusterer,
    ScatteringEmbedder,
    make_pipeline,
)
from invariant_cluster.datasets import make_dsprites
from invariant_cluster.metrics import clustering_accuracy_score
from invariant_cluster.pipelines import KINDS


def test_defaults_are_those_of_the_steps():
    pipe = make_pipeline(7)
    assert list(pipe.named_steps) == ["embed", "cluster"]
    members = [("learned", IRLINREmbedder()), ("scattering", ScatteringEmbedder())]
    assert repr(pipe["embed"]) == repr(JointEmbedder(members))
    assert repr(pipe["cluster"]) == repr(SCANClusterer(7, n_heads=10))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_sets_its_parameters(kind):
    pipe = make_pipeline(3, kind=kind, features="joint")
    steps = dict(pipe["embed"].embedders)["learned"], pipe["cluster"]
    for step, given in zip(steps, KINDS[kind][:2], strict=True):
        assert given.items() <= step.get_params().items()


def test_parameters_reach_both_steps():
    joint, clusterer = make_pipeline(
        3,
        kind="wafers",
        network="full",
        invariance="rotation",
        max_epochs=5,
        fine_tune=False,
        fine_tune_max_epochs=6,
        n_neighbors=4,
        device="cpu",
        random_state=8,
        verbose=2,
    )
    embedder, scattering = (member for _, member in joint.embedders)
    assert scattering.invariance == "rotation"
    assert (scattering.device, scattering.random_state) == ("cpu", 8)
    assert (embedder.network, embedder.invariance) == ("full", "rotation")
    assert embedder.max_epochs == 5
    assert (clusterer.n_clusters, clusterer.n_neighbors) == (3, 4)
    assert (clusterer.fine_tune, clusterer.fine_tune_max_epochs) == (False, 6)
    for step in (embedder, clusterer):
        assert (step.device, step.random_state, step.verbose) == ("cpu", 8, 2)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=r"kind='cats' is unknown: choose one of"):
        make_pipeline(3, kind="cats")


@pytest.mark.parametrize(("kind", "meant"), [("general", "auto"), ("wafers", False)])
def test_a_kind_says_whether_fine_tuning_gains(kind, meant):
    assert make_pipeline(3, kind=kind)["cluster"].fine_tune == meant
    assert make_pipeline(3, kind=kind, fine_tune=True)["cluster"].fine_tune is True


def test_one_space_alone():
    assert isinstance(make_pipeline(3, features="learned")["embed"], IRLINREmbedder)
    pipe = make_pipeline(3, features="scattering", kind="wafers")
    assert isinstance(pipe["embed"], ScatteringEmbedder)
    assert pipe["embed"].invariance == "rotation+reflection"
    assert pipe["cluster"].fine_tune is False


def test_a_kind_says_which_features():
    textures = make_pipeline(3, kind="textures")
    assert isinstance(textures["embed"], ScatteringEmbedder)
    assert textures["cluster"].fine_tune is False
    galaxies = make_pipeline(3, kind="galaxies")
    assert isinstance(galaxies["embed"], ScatteringEmbedder)
    assert galaxies["embed"].object == "central"
    particles = make_pipeline(3, kind="particles")
    assert isinstance(particles["embed"], ClassAverageEmbedder)
    assert particles["embed"].n_averages == 3
    assert particles["cluster"].fine_tune is False
    learned = make_pipeline(3, kind="textures", features="learned")
    assert isinstance(learned["embed"], IRLINREmbedder)


def test_all_features_are_stretched_alike():
    joint = dict(make_pipeline(3, stretch="asinh")["embed"].embedders)
    assert {member.stretch for member in joint.values()} == {"asinh"}
    assert make_pipeline(3, kind="galaxies")["embed"].stretch == "auto"
    with pytest.raises(ValueError, match="stretch='asinh' but features='averages'"):
        make_pipeline(3, kind="particles", stretch="asinh")
    with pytest.raises(ValueError, match="stretch"):
        make_pipeline(3, stretch="log")


def test_all_features_are_of_the_same_object():
    galaxies = make_pipeline(3, kind="galaxies", features="joint")
    galaxies = dict(galaxies["embed"].embedders)
    assert {member.object for member in galaxies.values()} == {"central"}
    assert len({member.invariance for member in galaxies.values()}) == 1
    given = make_pipeline(3, kind="galaxies", object="all")
    assert given["embed"].object == "all"
    plain = dict(make_pipeline(3, object="central")["embed"].embedders)
    assert {member.object for member in plain.values()} == {"central"}


@pytest.mark.parametrize("device", ["mps", "mps:0", torch.device("mps")], ids=repr)
def test_scattering_leaves_a_gpu_without_float64(device):
    pipe = make_pipeline(3, device=device)
    members = dict(pipe["embed"].embedders)
    assert members["scattering"].device == "cpu"
    assert members["learned"].device == pipe["cluster"].device == device


@pytest.mark.parametrize("kind", ["textures", "galaxies", "particles"])
def test_what_has_no_network_is_not_fine_tuned(kind):
    with pytest.raises(ValueError, match="fine_tune=True but features="):
        make_pipeline(3, kind=kind, fine_tune=True)
    tuned = make_pipeline(3, kind=kind, features="learned", fine_tune=True)
    assert tuned["cluster"].fine_tune is True


def test_polar_features_share_what_means_nothing():
    pipe = make_pipeline(
        3, features="polar", invariance="rotation", device="cpu", random_state=4
    )
    polar = PolarFourierEmbedder(invariance="rotation", device="cpu", random_state=4)
    assert repr(pipe["embed"]) == repr(polar)
    assert pipe["cluster"].fine_tune is False
    galaxies = make_pipeline(3, features="polar", kind="galaxies")["embed"]
    assert galaxies.object == "central"
    assert galaxies.invariance == "rotation+translation+brightness"
    with pytest.raises(ValueError, match="'invariance' parameter of PolarFourier"):
        make_pipeline(3, features="polar", invariance="rotation+scale")
    with pytest.raises(ValueError, match="fine_tune=True but features='polar'"):
        make_pipeline(3, features="polar", fine_tune=True)


def test_polar_features_are_clustered(images):
    pipe = make_pipeline(3, features="polar", device="cpu", random_state=0)
    labels = pipe.set_params(cluster__max_epochs=2).fit_predict(images)
    np.testing.assert_array_equal(pipe.predict(images), labels)


def test_averages_see_all_of_an_image():
    with pytest.raises(ValueError, match="object='central' but features='averages'"):
        make_pipeline(3, kind="particles", object="central")
    with pytest.raises(ValueError, match="'invariance' parameter of ClassAverage"):
        make_pipeline(3, kind="particles", invariance="rotation+scale")


def test_particles_in_noise_are_clustered():
    sprites = make_dsprites(120, side=16, random_state=0)
    noise = np.random.default_rng(0).normal(0, 200, sprites.images.shape)
    pipe = make_pipeline(3, kind="particles", random_state=0)
    pipe.set_params(embed__n_rotations=24, embed__n_starts=4)
    labels = pipe.fit_predict(sprites.images + noise)
    joined = pipe["embed"].transform(sprites.images + noise).argmax(axis=1)
    assert clustering_accuracy_score(joined, labels) > 0.8


def test_the_number_of_clusters_may_be_chosen():
    pipe = make_pipeline("auto", kind="textures")
    assert pipe["cluster"].n_clusters == "auto"
    assert make_pipeline("auto", kind="particles")["embed"].n_averages == 20
    with pytest.raises(ValueError, match=r"'n_clusters' parameter .*'auto'.*'many'"):
        make_pipeline("many")


@pytest.mark.filterwarnings("ignore:n_clusters='auto'")
def test_a_chosen_number_of_clusters_of_averages():
    sprites = make_dsprites(120, side=16, random_state=0)
    noise = np.random.default_rng(0).normal(0, 100, sprites.images.shape)
    pipe = make_pipeline("auto", kind="particles", random_state=0)
    pipe.set_params(embed__n_rotations=12, embed__n_starts=1, cluster__max_epochs=2)
    labels = pipe.fit_predict(sprites.images + noise)
    assert pipe["embed"].class_averages_.shape[0] == 20
    assert pipe["cluster"].n_clusters_ in range(2, 13)
    assert labels.max() < pipe["cluster"].n_clusters_


def test_unknown_features_are_refused():
    with pytest.raises(ValueError, match=r"features='both' is unknown: choose one of"):
        make_pipeline(3, features="both")


def test_it_clusters(images):
    sizes = {"d": 4, "encoder_width": 2, "inr_hidden": (4,), "n_frequencies": 4}
    nested = {f"embed__learned__{name}": value for name, value in sizes.items()}
    pipe = make_pipeline(3, max_epochs=1, fine_tune_max_epochs=1, device="cpu")
    pipe.set_params(**nested)
    labels = pipe.fit_predict(images)
    np.testing.assert_array_equal(pipe.predict(images), labels)


@pytest.mark.parametrize(
    "bad",
    [{"n_neighbors": 0}, {"fine_tune": None}, {"network": "large"}, {"object": "x"}],
    ids=str,
)
def test_a_bad_parameter_is_refused_before_anything_is_trained(bad):
    with pytest.raises(ValueError, match=f"'{next(iter(bad))}' parameter"):
        make_pipeline(3, **bad)
