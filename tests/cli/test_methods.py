"""--method, its older name, the line that tells it, and the columns of a table."""

import io

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

pytest.importorskip("typer")

from typer.testing import CliRunner

from invariant_cluster import SCANClusterer, save_model
from invariant_cluster.cli._app import app
from invariant_cluster.cli._choices import Kind, Method, Network, OldMethod
from invariant_cluster.cli._methods import (
    choose_features,
    settle_method,
    tell_unused,
)
from invariant_cluster.pipelines import FEATURES, KINDS


@pytest.mark.parametrize("kind", Kind)
def test_auto_is_that_of_the_kind_and_is_told(kind, capsys):
    assert choose_features(Method.auto, kind, 5073) == KINDS[kind].features
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Method: ")
    assert line.endswith(
        f"), chosen for 5,073 images of kind {kind}; --method changes it."
    )


def test_the_line_of_general_images(capsys):
    choose_features(Method.auto, Kind.general, 60)
    assert capsys.readouterr().err == (
        "Method: joint (IRL-INR and scattering), chosen for 60 images of kind general; "
        "--method changes it.\n"
    )


def test_methods_are_the_features_of_the_pipeline(capsys):
    taken = [choose_features(m, Kind.general, 9) for m in Method if m != "auto"]
    assert ["auto", *taken] == list(FEATURES)
    assert capsys.readouterr().err.count(", as --method says.\n") == len(taken)


def test_the_older_option_means_the_same():
    assert settle_method(Method.auto, OldMethod.learned) is Method.irl_inr
    assert settle_method(Method.auto, OldMethod.scattering) is Method.scattering
    assert settle_method(Method.polar, None) is Method.polar
    with pytest.raises(ValueError, match="--features learned but --method joint: omit"):
        settle_method(Method.joint, OldMethod.learned)


@pytest.mark.parametrize(
    ("features", "epochs", "network", "told"),
    [
        ("polar", 3, Network.auto, "--epochs, since polar"),
        ("scattering", None, Network.full, "--network, since scattering"),
        ("averages", 1, Network.light, "--epochs and --network, since averages"),
    ],
)
def test_options_of_training_without_effect_are_told(
    features, epochs, network, told, capsys
):
    tell_unused(features, epochs, network)
    assert capsys.readouterr().err == f"Not used: {told} trains no network.\n"
    tell_unused(features, None, Network.auto)
    tell_unused("joint", epochs, network)
    assert capsys.readouterr().err == ""


def test_help_groups_the_options():
    shown = CliRunner().invoke(app, ["fit", "--help"], env={"COLUMNS": "120"}).stdout
    groups = ["─ Clusters ─", "─ Output ─", "─ Images and files ─", "─ Training ─"]
    places = [shown.find(group) for group in groups]
    assert -1 not in places
    assert places == sorted(places)
    assert places[0] < shown.find("--method ", places[0]) < places[1]
    assert places[1] < shown.find("--overwrite ") < places[2]
    assert "--features" not in shown
    for method in Method:
        assert f" {method}: " in shown


@pytest.fixture(scope="module")
def saved(make_polar_embedder, images, tmp_path_factory):
    """The paths of a fitted model and of its images, and the model."""
    folder = tmp_path_factory.mktemp("run")
    clusterer = SCANClusterer(3, n_neighbors=3, max_epochs=1, fine_tune=False)
    pipe = Pipeline([("embed", make_polar_embedder()), ("cluster", clusterer)])
    save_model(pipe.fit(images), folder / "model.safetensors")
    np.save(folder / "images.npy", images)
    return folder / "model.safetensors", folder / "images.npy", pipe


def test_predict_prints_sizes_beside_the_table(saved, images):
    path, array, pipe = saved
    result = CliRunner().invoke(app, ["predict", str(path), str(array)])
    table = pd.read_csv(io.StringIO(result.stdout))
    assert len(table) == len(images)
    lines = result.stderr.splitlines()
    start = lines.index("cluster  images  confidence") + 1
    sizes = [int(line.split()[1]) for line in lines[start : start + 3]]
    assert sizes == np.bincount(pipe.predict(images), minlength=3).tolist()


def test_score_is_that_of_the_clusterer(saved, images, tmp_path):
    path, _, pipe = saved
    odd = np.concatenate([images[:9], 255 - images[:1]])
    np.save(tmp_path / "odd.npy", odd)
    result = CliRunner().invoke(app, ["predict", str(path), str(tmp_path / "odd.npy")])
    table = pd.read_csv(io.StringIO(result.stdout))
    np.testing.assert_allclose(table["score"], pipe.score_samples(odd), atol=1e-4)
    assert table["score"].idxmin() == 9
