"""Shards hold the labels of the model, are written once, and belong to one run."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN, KMeans
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline

from invariant_cluster import (
    DriftWarning,
    PolarFourierEmbedder,
    load_model,
    save_model,
)
from invariant_cluster.datasets import open_images
from invariant_cluster.out_of_core import predict_shards, read_shards
from invariant_cluster.out_of_core._blocks import block_rows

pytest.importorskip("pyarrow")
Image = pytest.importorskip("PIL.Image")

NAMES = [f"part-{number:07d}.parquet" for number in range(5)]


@pytest.fixture(scope="module")
def model(make_embedder, make_clusterer, images):
    steps = [("embed", make_embedder()), ("cluster", make_clusterer())]
    return Pipeline(steps).fit(images)


@pytest.fixture(scope="module")
def cheap(images):
    """A model without probabilities, with a step of another package."""
    steps = [
        ("embed", PolarFourierEmbedder(d=4)),
        ("cluster", KMeans(3, n_init=1, random_state=0)),
    ]
    return Pipeline(steps).fit(images)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of 4 images, so that a shard takes several."""
    monkeypatch.setattr("invariant_cluster.out_of_core._blocks._MOST_ROWS", 4)


@pytest.fixture
def pictures(images, tmp_path):
    path = tmp_path / "pictures"
    path.mkdir()
    for row, image in enumerate(images):
        Image.fromarray(image).save(path / f"{row:02d}.png")
    return path


def test_labels_and_confidence_are_the_models(model, images, tmp_path):
    folder = tmp_path / "new" / "clusters"
    paths = predict_shards(model, images, folder, rows_per_shard=10)
    assert [path.name for path in paths] == NAMES
    assert {path.name for path in folder.iterdir()} == {*NAMES, "manifest.json"}
    table = read_shards(folder)
    assert list(table) == ["index", "cluster", "confidence"]
    assert table["index"].tolist() == list(range(48))
    assert table["cluster"].tolist() == model.predict(images).tolist()
    highest = model.predict_proba(images).max(axis=1)
    np.testing.assert_allclose(table["confidence"], highest, atol=1e-5)
    third = pd.read_parquet(paths[2])
    pd.testing.assert_frame_equal(third, table[20:30].reset_index(drop=True))


def test_models_without_probabilities_have_no_confidence(cheap, images, tmp_path):
    predict_shards(cheap, images, tmp_path)
    table = read_shards(tmp_path)
    assert list(table) == ["index", "cluster"]
    assert table["cluster"].tolist() == cheap.predict(images).tolist()


def test_folders_are_labelled_by_name(cheap, images, pictures, tmp_path):
    predict_shards(cheap, open_images(pictures, size=16), tmp_path, rows_per_shard=20)
    table = read_shards(tmp_path)
    assert table["file"].tolist() == [f"{row:02d}.png" for row in range(48)]
    assert table["cluster"].tolist() == cheap.predict(images).tolist()


def test_a_bad_file_keeps_the_shards_before_it(cheap, images, pictures, tmp_path):
    good = (pictures / "25.png").read_bytes()
    (pictures / "25.png").write_bytes(good[:20])
    stored = open_images(pictures, size=16)
    folder = tmp_path / "clusters"
    with pytest.raises(ValueError, match=r"(?s)Files of .*25\.png: .*Replace"):
        predict_shards(cheap, stored, folder, rows_per_shard=10)
    assert sorted(path.name for path in folder.glob("*.parquet")) == NAMES[:2]
    (pictures / "25.png").write_bytes(good)
    written = times(folder)
    predict_shards(cheap, stored, folder, rows_per_shard=10)
    assert times(folder)[:2] == written
    assert read_shards(folder)["cluster"].tolist() == cheap.predict(images).tolist()


def test_another_reading_of_the_same_files_is_not_continued(cheap, pictures, tmp_path):
    mask = np.zeros((16, 16), dtype=bool)
    mask[:4] = True
    predict_shards(cheap, open_images(pictures, size=16), tmp_path)
    with pytest.raises(ValueError, match="holds shards of other images"):
        predict_shards(cheap, open_images(pictures, size=16, mask=mask), tmp_path)
    predict_shards(cheap, open_images(pictures, size=16), tmp_path)


def times(folder):
    return [path.stat().st_mtime_ns for path in sorted(folder.glob("*.parquet"))]


def test_complete_shards_are_not_computed_again(cheap, images, tmp_path, monkeypatch):
    paths = predict_shards(cheap, images, tmp_path, rows_per_shard=10)
    paths[1].unlink()
    paths[3].write_bytes(paths[3].read_bytes()[:100])
    asked = []
    predict = KMeans.predict
    monkeypatch.setattr(
        KMeans, "predict", lambda self, X: asked.append(len(X)) or predict(self, X)
    )
    predict_shards(cheap, images, tmp_path, rows_per_shard=10)
    assert sum(asked) == 20
    assert read_shards(tmp_path)["cluster"].tolist() == cheap.predict(images).tolist()


def test_a_loaded_model_continues(model, images, tmp_path, no_training):
    folder = tmp_path / "clusters"
    predict_shards(model, images, folder, rows_per_shard=10)
    written = times(folder)
    save_model(model, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    np.save(tmp_path / "images.npy", images)
    stored = open_images(tmp_path / "images.npy")
    predict_shards(loaded, stored, folder, rows_per_shard=10)
    assert times(folder) == written


def test_an_interrupt_costs_its_shard(cheap, images, tmp_path, monkeypatch):
    predict = KMeans.predict
    calls = []

    def interrupted(self, X):
        calls.append(len(X))
        if len(calls) == 5:
            raise KeyboardInterrupt
        return predict(self, X)

    monkeypatch.setattr(KMeans, "predict", interrupted)
    with pytest.raises(KeyboardInterrupt):
        predict_shards(cheap, images, tmp_path, rows_per_shard=10)
    assert {path.name for path in tmp_path.iterdir()} == {NAMES[0], "manifest.json"}
    predict_shards(cheap, images, tmp_path, rows_per_shard=10)
    assert sum(calls) == 48 + 8  # two blocks of 4 were lost
    assert len(read_shards(tmp_path)) == 48


def test_manifest(model, images, tmp_path):
    predict_shards(model, images, tmp_path, rows_per_shard=10)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["rows_per_shard"] == 10
    assert manifest["images"]["shape"] == [48, 16, 16]
    assert manifest["images"]["dtype"] == "uint8"
    assert manifest["images"]["n_bytes"] == images.nbytes
    assert len(manifest["model"]) == len(manifest["images"]["hash"]) == 64


@pytest.mark.parametrize("other", ["model", "images", "fewer images", "rows_per_shard"])
def test_shards_of_another_run_are_kept(cheap, images, tmp_path, other):
    predict_shards(cheap, images, tmp_path, rows_per_shard=10)
    written = times(tmp_path)
    model, given, rows_per_shard = cheap, images, 10
    if other == "model":
        model = Pipeline(
            [("embed", cheap[0]), ("cluster", KMeans(3, n_init=1, random_state=1))]
        ).fit(images)
    elif other == "images":
        given = images[::-1]
    elif other == "fewer images":
        given = images[:40]
    else:
        rows_per_shard = 11
    told = {"model": "another model", "rows_per_shard": "rows_per_shard=10"}
    message = (
        rf"holds shards of {told.get(other, 'other images')}.*: choose another fold"
    )
    with pytest.raises(ValueError, match=message):
        predict_shards(model, given, tmp_path, rows_per_shard=rows_per_shard)
    assert times(tmp_path) == written
    predict_shards(
        model, given, tmp_path, rows_per_shard=rows_per_shard, overwrite=True
    )
    assert read_shards(tmp_path)["cluster"].tolist() == model.predict(given).tolist()


def test_files_of_others_are_kept(cheap, images, tmp_path):
    (tmp_path / NAMES[0]).write_text("precious")
    (tmp_path / "notes.txt").write_text("precious")
    with pytest.raises(
        ValueError, match=r"part-0000000\.parquet but no manifest\.json"
    ):
        predict_shards(cheap, images, tmp_path)
    assert (tmp_path / NAMES[0]).read_text() == "precious"
    predict_shards(cheap, images, tmp_path, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "precious"


@pytest.mark.parametrize("content", ["no json", "{}", "[]"])
def test_manifests_that_are_none(cheap, images, tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ValueError, match=r"manifest\.json is not a manifest of shards"):
        predict_shards(cheap, images, tmp_path)


def test_manifests_of_a_newer_format(cheap, images, tmp_path):
    (tmp_path / "manifest.json").write_text('{"format": 2}')
    with pytest.raises(
        ValueError, match="has format 2, not 1: read it with the version"
    ):
        predict_shards(cheap, images, tmp_path)


def test_missing_shards_are_told(cheap, images, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"holds no manifest\.json: give a folder"
    ):
        read_shards(tmp_path)
    paths = predict_shards(cheap, images, tmp_path, rows_per_shard=10)
    paths[1].unlink()
    paths[4].unlink()
    message = "lacks 2 of 5 shards, the first part-0000001.parquet: call predict_shards"
    with pytest.raises(ValueError, match=message):
        read_shards(tmp_path)


def test_bad_values_are_found_in_their_block(model, images, tmp_path):
    bad = images.astype(np.float32)
    bad[27, 3, 3] = np.nan
    message = "Images 24 to 27, numbered from 0 .* contains NaN, first in row 3"
    with pytest.raises(ValueError, match=message):
        predict_shards(model, bad, tmp_path, rows_per_shard=12)
    assert len(list(tmp_path.glob("*.parquet"))) == 2


def test_values_outside_the_range_are_warned_of(model, images, tmp_path):
    deep = images.astype(np.uint16) * 257
    with pytest.warns(DriftWarning, match="multiplied by 257") as caught:
        predict_shards(model, deep, tmp_path, rows_per_shard=12)
    assert len(caught) == 1


def test_images_of_another_shape(cheap, tmp_path):
    with pytest.raises(ValueError, match=r"Images 0 to 2, .*fitted on arrays of shape"):
        predict_shards(cheap, np.zeros((3, 20, 20)), tmp_path)


def test_models_that_cannot_label(images, tmp_path):
    unfitted = Pipeline([("embed", PolarFourierEmbedder()), ("cluster", KMeans(3))])
    with pytest.raises(NotFittedError):
        predict_shards(unfitted, images, tmp_path)
    scan = Pipeline([("embed", PolarFourierEmbedder(d=4)), ("cluster", DBSCAN())])
    with pytest.raises(
        TypeError, match="is a Pipeline that has neither predict_proba nor predict"
    ):
        predict_shards(scan.fit(images), images, tmp_path)


def test_rows_per_shard_is_positive(cheap, images, tmp_path):
    with pytest.raises(ValueError, match="rows_per_shard == 0, must be >= 1"):
        predict_shards(cheap, images, tmp_path, rows_per_shard=0)


def test_pyarrow_is_asked_for_first(cheap, images, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"need pyarrow, which .* the extra 'scale'"):
        predict_shards(cheap, images, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_bar_counts_images(cheap, images, tmp_path, capsys):
    predict_shards(cheap, images, tmp_path / "quiet")
    assert capsys.readouterr().err == ""
    paths = predict_shards(cheap, images, tmp_path / "a", rows_per_shard=10)
    paths[0].unlink()
    predict_shards(cheap, images, tmp_path / "a", rows_per_shard=10, verbose=1)
    assert "48/48" in capsys.readouterr().err


def test_blocks_are_bounded_in_rows_and_bytes(monkeypatch):
    monkeypatch.undo()
    assert block_rows(np.empty((10**6, 8, 8), dtype=np.uint8)) == 8192
    wide = np.broadcast_to(np.float32(0), (10**6, 1024, 1024, 3))
    assert block_rows(wide) == 5
    assert block_rows(np.broadcast_to(0.0, (10, 10**4, 10**4))) == 1
