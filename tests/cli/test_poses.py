"""The poses in the tables that the command line writes."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("typer")
Image = pytest.importorskip("PIL.Image")

from sklearn.pipeline import Pipeline  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from invariant_cluster import (  # noqa: E402
    ClassAverageEmbedder,
    load_model,
    save_model,
)
from invariant_cluster.cli._app import app  # noqa: E402
from invariant_cluster.cli._inputs import read_images  # noqa: E402
from invariant_cluster.cli._outputs import label_images  # noqa: E402
from invariant_cluster.datasets import make_reading  # noqa: E402

SIDES = 60, 100


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of 100 x 60 pixels: wedges, and two round discs, at known pixels."""
    path = tmp_path_factory.mktemp("files")
    random = np.random.default_rng(0)
    y, x = np.mgrid[: SIDES[0], : SIDES[1]] + 0.5
    for number in range(24):
        row, column = random.uniform(25, 35), random.uniform(40, 60)
        if number < 22:
            turn = random.uniform(0, 2 * np.pi)
            u = (x - column) * np.cos(turn) - (y - row) * np.sin(turn)
            v = (x - column) * np.sin(turn) + (y - row) * np.cos(turn)
            shown = (abs(u) < 16) & (abs(v) < (u + 18) / 4)
        else:
            shown = np.hypot(x - column, y - row) < 12
        pixels = (200 * shown).astype(np.uint8)
        Image.fromarray(pixels).save(path / f"{number:02d}.png")
    return path


def centers_of(folder):
    """Centre of mass of each file, (x, y) from the centre of the file, y up."""
    y, x = np.mgrid[: SIDES[0], : SIDES[1]] + 0.5
    centers = []
    for path in sorted(folder.iterdir()):
        mass = np.asarray(Image.open(path)) / 200
        middle = (mass * x).sum() / mass.sum(), (mass * y).sum() / mass.sum()
        centers.append((middle[0] - SIDES[1] / 2, SIDES[0] / 2 - middle[1]))
    return np.array(centers)


@pytest.fixture(scope="module")
def saved(make_embedder, make_clusterer, folder, tmp_path_factory):
    images = read_images(folder, size=32).images
    pipe = Pipeline([("embed", make_embedder()), ("cluster", make_clusterer())])
    path = tmp_path_factory.mktemp("run") / "model.safetensors"
    save_model(pipe.fit(images), path)
    return path


def test_tau_is_in_pixels_of_the_files(saved, folder):
    given = read_images(folder, size=32)
    table = label_images(load_model(saved), given)
    # The network is hardly trained, but where the object lies is told by alignment.
    found = table[["tau_x", "tau_y"]].to_numpy()
    off = np.linalg.norm(found - centers_of(folder), axis=1)
    assert np.median(off) < 3
    assert np.ptp(found, axis=0).min() > 6


def test_angles_without_direction_are_empty_and_degrees_are_named(
    saved, folder, tmp_path
):
    run("predict", saved, folder, "--out", tmp_path / "a.csv")
    run("predict", saved, folder, "--degrees", "--out", tmp_path / "b.csv")
    radians, degrees = (pd.read_csv(tmp_path / f"{name}.csv") for name in "ab")
    assert "theta" not in degrees
    assert "theta_deg" not in radians
    np.testing.assert_allclose(
        degrees[["theta_deg", "theta_std_deg"]],
        np.rad2deg(radians[["theta", "theta_std"]]),
        atol=0.01,
    )
    assert radians["theta"].isna()[-2:].all()
    assert radians["theta_std"].isna()[-2:].all()
    assert radians["theta"].notna()[:-2].mean() > 0.9
    assert radians["tau_x"].notna().all()
    assert degrees["theta_deg"].max() > 7


def test_tau_of_wafer_maps_is_in_pixels_of_the_maps(saved, folder):
    given = read_images(folder, size=32)
    palette = make_reading(size=32, palette={"black": "pass", "white": "fail"})
    model = load_model(saved)
    found = label_images(model, given._replace(reading=palette))
    expected = label_images(model, given._replace(reading=None))
    pd.testing.assert_frame_equal(found, expected)


def test_shards_have_no_degrees(saved, folder, tmp_path):
    options = "--shards", "--degrees", "--out", tmp_path / "shards"
    told = run("predict", saved, folder, *options, code=1)
    assert "--degrees but shards hold no angles: omit it." in told.output


def test_poses_relative_to_class_averages_name_the_average(make_clusterer, folder):
    given = read_images(folder, size=32)
    embedder = ClassAverageEmbedder(2, n_rotations=24, n_starts=2, random_state=0)
    heads = make_clusterer(fine_tune=False)
    pipe = Pipeline([("embed", embedder), ("cluster", heads)])
    table = label_images(pipe.fit(given.images), given)
    assert list(table)[3:7] == ["score", "average", "theta", "theta_std"]
    np.testing.assert_array_equal(
        table["average"], embedder.transform(given.images).argmax(axis=1)
    )
