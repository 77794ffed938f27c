"""The benchmark of ready pipelines, on made images."""

import json

import numpy as np
import pytest

from benchmarks import ready_pipelines
from benchmarks.data import Pose, Split
from benchmarks.ready_pipelines import WORDS, Task, main, meaning_of, run, turn_textures
from invariant_cluster import make_pipeline


def draw(n, seed, side=32):
    """Return stripes of two widths in any direction, and which they are."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    y, x = np.mgrid[:side, :side]
    angle, phase = random.uniform(0, 2 * np.pi, (2, n, 1, 1))
    width = np.where(labels, 0.9, 0.4)[:, None, None]
    wave = width * (x * np.cos(angle) + y * np.sin(angle)) + phase
    return (127 + 100 * np.sin(wave)).astype(np.uint8), labels


def make_task(name="steel", side=32, poses=None):
    return Task(name, Split(*draw(80, 0, side), *draw(40, 1, side)), poses, seed=0)


def test_rows_of_a_data_set():
    rows = list(run(make_task()))
    assert [row["method"] for row in rows] == [
        "pipeline",
        "its features + k-means",
        "its features + heads",
        "polar Fourier + k-means",
        "polar Fourier + heads",
        "scattering + k-means",
        "scattering + heads",
    ]
    assert rows[0]["accuracy"] > 0.95
    assert rows[0]["words"] == {"kind": "textures"}
    assert rows[0]["largest_class"] == 0.5
    assert not rows[0]["fine_tuned"]
    json.dumps(rows)


def test_what_is_there_is_not_run_again(tmp_path, monkeypatch):
    monkeypatch.setattr(ready_pipelines, "load_task", lambda *_: make_task())
    command = ["--datasets", "steel", "--results", str(tmp_path / "rows.jsonl")]
    main(command)
    rows = (tmp_path / "rows.jsonl").read_text()
    assert rows.count("\n") == 7
    main(command)
    assert (tmp_path / "rows.jsonl").read_text() == rows


def test_turned_textures_have_no_corner():
    split = Split(*draw(8, 0, 64), *draw(8, 1, 64))
    light = split._replace(train=split.train // 2 + 120, test=split.test // 2 + 120)
    turned = turn_textures(light, seed=0)
    assert turned.train.shape == (8, 32, 32)
    assert min(turned.train.min(), turned.test.min()) > 100
    assert not np.array_equal(turned.train, turn_textures(light, seed=1).train)


@pytest.mark.parametrize("name", WORDS)
def test_words_are_those_of_make_pipeline(name):
    make_pipeline(3, **WORDS[name])
    assert set(meaning_of(name)) == {"invariance", "object"}


def test_errors_of_angles_are_measured_where_they_are_known(monkeypatch):
    task = make_task(poses=Pose(np.zeros(40), np.zeros((40, 2))))

    class WithPoses:
        def predict_pose(self, X):
            return np.full(len(X), 0.1), np.zeros((len(X), 2))

    found = ready_pipelines.measure_pose(task, {"embed": WithPoses()})
    assert found == {"degrees": pytest.approx(0, abs=1e-6)}
    assert ready_pipelines.measure_pose(make_task(), {}) == {}
