"""Wafer maps on the command line, in the forms that fabs have them in."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.pipeline import Pipeline
from typer.testing import CliRunner

from invariant_cluster import load_reading, save_model
from invariant_cluster.cli._app import app
from invariant_cluster.datasets import Reading, load_wafer_maps

COLORS = np.array([(255, 255, 255), (0, 160, 60), (220, 20, 30)], np.uint8)
N = 24
PALETTE_LINE = r"white (outside), green (pass, {} %), red (fail, {} %)."


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


@pytest.fixture(scope="module")
def maps():
    return load_wafer_maps().images[:N]


@pytest.fixture
def model(make_embedder, make_clusterer, maps, tmp_path):
    """Return a maker of a model that knows a reading."""

    def make(reading):
        pipe = Pipeline([("embed", make_embedder()), ("cluster", make_clusterer())])
        pipe.fit((maps == 2).astype(np.uint8))
        save_model(pipe, tmp_path / "wafers.safetensors", reading=reading)
        return tmp_path / "wafers.safetensors"

    return make


@pytest.fixture
def pictures(maps, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for row, wafer in enumerate(maps):
        picture = Image.fromarray(COLORS[wafer]).resize((64, 64), Image.NEAREST)
        picture.save(folder / f"{row:02d}.png")
    return folder


@pytest.fixture
def table(maps, tmp_path):
    number, row, column = np.nonzero(maps)
    dies = {"wafer": number, "x": column, "y": -row, "bin": maps[maps > 0]}
    path = tmp_path / "dies.csv"
    pd.DataFrame(dies).to_csv(path, index=False)
    return path


def fit(path, out, *options, kind="wafers", code=0):
    return run("fit", path, "-k", 3, "--kind", kind, "--out", out, *options, code=code)


def line_of(maps):
    share = 100 * (maps == 2).sum() / (maps > 0).sum()
    return PALETTE_LINE.format(f"{100 - share:.0f}", f"{share:.0f}")


def test_pictures_in_colour(maps, pictures, reached, tmp_path):
    told = fit(pictures, tmp_path / "run")
    np.testing.assert_array_equal(reached[0].images, maps == 2)
    assert f"Read as wafer maps: {line_of(maps)}" in told.output
    assert len(reached[0].reading.palette) == 3


def test_a_palette_is_named_or_left_out(maps, pictures, reached, tmp_path):
    fit(pictures, tmp_path / "a", "--palette", "white=outside,green=fail,red=pass")
    np.testing.assert_array_equal(reached[0].images, maps == 1)
    fit(pictures, tmp_path / "b", "--palette", "none")
    assert reached[1].images.shape == (N, 32, 32, 3)
    fit(pictures, tmp_path / "c", kind="general")
    np.testing.assert_array_equal(reached[1].images, reached[2].images)
    told = fit(pictures, tmp_path / "d", "--palette", "white,red=fail", code=1)
    assert "--palette white,red=fail is not understood: give auto, none" in told.output


def test_other_pictures_are_kept(maps, reached, tmp_path):
    for row in range(4):
        noise = np.random.default_rng(row).integers(0, 256, (32, 32), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{row}.png")
    told = fit(tmp_path, tmp_path / "run")
    assert "were not recognised as wafer maps and are kept as they are" in told.output
    assert reached[0].images.shape == (4, 32, 32)
    assert reached[0].reading.palette is None


@pytest.mark.parametrize("values", [(0, 1, 2), (0, 127, 255), (-1, 0, 1)])
def test_arrays_of_three_values(maps, reached, tmp_path, values):
    np.save(tmp_path / "maps.npy", np.array(values)[maps])
    told = fit(tmp_path / "maps.npy", tmp_path / "run")
    np.testing.assert_array_equal(reached[0].images, maps == 2)
    assert "Read as wafer maps: " in told.output


def test_tables_of_dies_whatever_the_kind(maps, table, reached, tmp_path):
    for row, kind in enumerate(("wafers", "general")):
        fit(table, tmp_path / f"run{row}", kind=kind)
        np.testing.assert_array_equal(reached[row].images, maps == 2)
        assert reached[row].names == [str(number) for number in range(N)]
    fit(table, tmp_path / "run", "--pass-bins", "2")
    np.testing.assert_array_equal(reached[2].images, maps == 1)
    assert reached[2].reading.pass_bins == ("2",)


def test_a_folder_of_tables(maps, table, reached, tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    for number, dies in pd.read_csv(table).groupby("wafer"):
        dies.to_csv(folder / f"{number:02d}.csv", index=False)
    fit(folder, tmp_path / "run")
    np.testing.assert_array_equal(reached[0].images, maps == 2)


def test_predict_reads_later_files_as_fit_did(maps, pictures, reached, model, tmp_path):
    fit(pictures, tmp_path / "run")
    path = model(reached[0].reading)
    assert load_reading(path) == reached[0].reading
    told = run("predict", path, pictures, "--out", tmp_path / "a.csv")
    assert line_of(maps) in told.output
    # The same wafers in other forms get the same labels.
    np.save(tmp_path / "maps.npy", maps)
    np.save(tmp_path / "colors.npy", COLORS[maps])
    for name in ("maps.npy", "colors.npy"):
        run("predict", path, tmp_path / name, "--out", tmp_path / f"{name}.csv")
        other = pd.read_csv(tmp_path / f"{name}.csv")
        assert other["cluster"].tolist() == (
            pd.read_csv(tmp_path / "a.csv")["cluster"].tolist()
        )


def test_predict_reads_tables_and_shards_of_arrays(maps, table, model, tmp_path):
    path = model(Reading(size=32, palette="auto"))
    run("predict", path, table, "--out", tmp_path / "a.csv")
    np.save(tmp_path / "maps.npy", np.array([0, 127, 255], np.uint8)[maps])
    folder = tmp_path / "shards"
    run("predict", path, tmp_path / "maps.npy", "--shards", "--out", folder)
    shards = pd.concat(map(pd.read_parquet, sorted(folder.glob("*.parquet"))))
    labels = pd.read_csv(tmp_path / "a.csv")
    assert shards["cluster"].tolist() == labels["cluster"].tolist()


def test_an_empty_bin_is_refused(table, tmp_path):
    told = fit(table, tmp_path / "run", "--pass-bins", "1,,2", code=1)
    assert "--pass-bins '1,,2' has an empty bin" in told.output
