"""Galaxies, plankton, cells and steel are read from small archives of their form."""

from typing import Any, NamedTuple

import numpy as np
import pytest

from invariant_cluster.datasets import (
    load_cells,
    load_galaxies,
    load_plankton,
    load_steel,
)


class Kind(NamedTuple):
    """A loader, its file, and what the real file holds."""

    load: Any
    file: str
    names: list[str]
    axes: tuple[int, ...]
    n_train: int
    n_test: int
    cited: str


KINDS = {
    "galaxies": Kind(
        load_galaxies,
        "galaxy_zoo.npz",
        ["Elliptical", "Spiral-CW", "Spiral-ACW", "Edge-on", "DontKnow", "Merger"],
        (3,),
        1812,
        604,
        "do not redistribute",
    ),
    "plankton": Kind(
        load_plankton,
        "plankton.npz",
        ["copepod", "detritus"],
        (),
        5073,
        1692,
        "do not redistribute",
    ),
    "cells": Kind(
        load_cells,
        "cells.npz",
        ["RBC", "WBC", "Platelets"],
        (3,),
        723,
        195,
        "MIT licence",
    ),
    "steel": Kind(
        load_steel,
        "steel.npz",
        [
            "crazing",
            "inclusion",
            "patches",
            "pitted_surface",
            "rolled-in_scale",
            "scratches",
        ],
        (),
        900,
        300,
        "do not redistribute",
    ),
}


def make_arrays(kind, **changes):
    rng = np.random.default_rng(0)
    arrays = {"class_names": np.array(kind.names)}
    for part, n in (("train", 18), ("test", 12)):
        shape = (n, 16, 16, *kind.axes)
        arrays[f"{part}_images"] = rng.integers(0, 256, shape, dtype=np.uint8)
        arrays[f"{part}_labels"] = np.arange(n) % len(kind.names)
    return arrays | changes


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


@pytest.mark.parametrize(("subset", "n"), [("train", 18), ("test", 12), ("all", 30)])
def test_bunch(kind, tmp_path, subset, n):
    arrays = make_arrays(kind)
    np.savez(tmp_path / kind.file, **arrays)
    bunch = kind.load(data_home=tmp_path, subset=subset)
    parts = ["train", "test"] if subset == "all" else [subset]
    for name, values in (("images", bunch.images), ("labels", bunch.target)):
        expected = np.concatenate([arrays[f"{part}_{name}"] for part in parts])
        np.testing.assert_array_equal(values, expected)
    assert bunch.images.dtype == np.uint8
    assert bunch.target.dtype == np.int64
    assert bunch.target_names.tolist() == kind.names
    title, line = bunch.DESCR.splitlines()[:2]
    assert line == "=" * len(title)
    assert f'{n} images of 16x16 pixels, part "{subset}"' in bunch.DESCR
    assert kind.cited in bunch.DESCR
    assert max(map(len, bunch.DESCR.splitlines())) <= 88


def test_environment_names_the_folder(kind, tmp_path, monkeypatch):
    np.savez(tmp_path / kind.file, **make_arrays(kind))
    monkeypatch.setenv("INVARIANT_CLUSTER_DATA", str(tmp_path))
    images, target = kind.load(return_X_y=True)
    assert len(images) == len(target) == 18


def test_missing_file_says_where_and_what(kind, tmp_path, monkeypatch):
    message = rf"looked for .*{kind.file} \(data_home=.*train_images \(n, h, w"
    with pytest.raises(FileNotFoundError, match=message):
        kind.load(data_home=tmp_path)
    monkeypatch.delenv("INVARIANT_CLUSTER_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match=r"data_home is None.*Set either"):
        kind.load()


def test_foreign_images(kind, tmp_path):
    axes = () if kind.axes else (3,)
    images = np.zeros((18, 16, 16, *axes), dtype=np.uint8)
    np.savez(tmp_path / kind.file, **make_arrays(kind, train_images=images))
    message = rf"{kind.file} holds images of shape .*train_images \(n, h, w"
    with pytest.raises(ValueError, match=message):
        kind.load(data_home=tmp_path)
    np.savez(tmp_path / kind.file, other=np.zeros(3))
    with pytest.raises(ValueError, match=rf"{kind.file}.*no 'train_images' among"):
        kind.load(data_home=tmp_path)
    (tmp_path / kind.file).write_bytes(b"<html>")
    with pytest.raises(ValueError, match=rf"{kind.file} is not a readable"):
        kind.load(data_home=tmp_path)


@pytest.mark.parametrize("name", ["galaxies", "cells", "steel"])
def test_foreign_classes(name, tmp_path):
    kind = KINDS[name]
    names = np.array([f"class {i}" for i in range(6)])
    np.savez(tmp_path / kind.file, **make_arrays(kind, class_names=names))
    with pytest.raises(ValueError, match=r"holds the classes \['class 0'.*numpy\.load"):
        kind.load(data_home=tmp_path)


def test_bad_subset(kind, tmp_path):
    with pytest.raises(ValueError, match="subset='valid' is unknown"):
        kind.load(data_home=tmp_path, subset="valid")


def test_five_classes_of_galaxies_are_the_six_with_one_of_spirals(tmp_path):
    kind = KINDS["galaxies"]
    np.savez(tmp_path / kind.file, **make_arrays(kind))
    six, five = (load_galaxies(n_classes=n, data_home=tmp_path) for n in (6, 5))
    np.testing.assert_array_equal(six.images, five.images)
    named = [str(six.target_names[label]) for label in six.target]
    expected = ["Spiral" if name.startswith("Spiral") else name for name in named]
    assert [str(five.target_names[label]) for label in five.target] == expected
    assert set(five.target) == set(range(5))
    with pytest.raises(ValueError, match="n_classes=4 is unknown: give 6, or 5"):
        load_galaxies(n_classes=4, data_home=tmp_path)


def test_real_archive(kind, real_archive):
    real_archive(kind.file)
    for subset, n in (("train", kind.n_train), ("test", kind.n_test)):
        bunch = kind.load(subset=subset)
        assert bunch.images.shape == (n, 64, 64, *kind.axes)
        assert set(bunch.target) == set(range(len(bunch.target_names)))
