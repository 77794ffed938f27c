"""MixedWM38 is read from small archives of the form of the public one."""

import itertools

import numpy as np
import pytest

from invariant_cluster.datasets import load_mixed_wm38

FILE = "Wafer_Map_Datasets.npz"
DEFECTS = [
    "Center",
    "Donut",
    "Edge-Loc",
    "Edge-Ring",
    "Loc",
    "Near-full",
    "Scratch",
    "Random",
]


def all_combinations():
    """Return the 38 rows of arr_1 of the paper's table, by its rules."""
    rows = []
    for row in itertools.product((0, 1), repeat=8):
        center, donut, edge_loc, edge_ring, _, full, _, random = row
        alone = sum(row) == 1 or not (full or random)
        if alone and not (center and donut) and not (edge_loc and edge_ring):
            rows.append(row)
    return np.array(rows)


def make_arrays(dtype=np.int64, **changes):
    labels = np.repeat(all_combinations(), 2, axis=0)
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 3, (len(labels), 52, 52))
    return {"arr_0": maps.astype(dtype), "arr_1": labels.astype(dtype)} | changes


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_bunch(tmp_path, dtype):
    arrays = make_arrays(dtype)
    np.savez(tmp_path / FILE, **arrays)
    wafers = load_mixed_wm38(data_home=tmp_path)
    np.testing.assert_array_equal(wafers.images, arrays["arr_0"])
    np.testing.assert_array_equal(wafers.labels, arrays["arr_1"])
    assert wafers.images.dtype == np.uint8
    assert wafers.target.dtype == wafers.labels.dtype == np.int64
    assert wafers.label_names.tolist() == DEFECTS
    assert len(all_combinations()) == len(wafers.target_names) == 38
    assert set(wafers.target) == set(range(38))
    for row, target in zip(wafers.labels, wafers.target, strict=True):
        found = "+".join(name for name, on in zip(DEFECTS, row, strict=True) if on)
        assert wafers.target_names[target] == (found or "none")
    assert "76 maps" in wafers.DESCR
    assert "Pixels: 0 no die, 1 passing die, 2 failing die." in wafers.DESCR
    assert max(map(len, wafers.DESCR.splitlines())) <= 88


def test_classes_are_in_the_public_order(tmp_path):
    np.savez(tmp_path / FILE, **make_arrays())
    names = load_mixed_wm38(data_home=tmp_path).target_names.tolist()
    assert names[:9] == ["none", *DEFECTS]
    assert names[9:11] == ["Center+Edge-Loc", "Center+Edge-Ring"]
    assert names[-1] == "Donut+Edge-Ring+Loc+Scratch"
    sizes = [name.count("+") for name in names[1:]]
    assert sizes == sorted(sizes)


def test_pixels_of_value_3_fail(tmp_path):
    arrays = make_arrays()
    arrays["arr_0"][3, 10, 20:25] = 3
    np.savez(tmp_path / FILE, **arrays)
    wafers = load_mixed_wm38(data_home=tmp_path)
    assert (wafers.images[3, 10, 20:25] == 2).all()
    assert wafers.images.max() == 2
    assert "5 pixels of value 3" in wafers.DESCR


def test_fail_map_size_and_pair(tmp_path):
    arrays = make_arrays()
    np.savez(tmp_path / FILE, **arrays)
    images, target = load_mixed_wm38(
        size=26, fail_map=True, data_home=tmp_path, return_X_y=True
    )
    np.testing.assert_array_equal(images, arrays["arr_0"][:, 1::2, 1::2] == 2)
    assert target.shape == (76,)


def test_environment_names_the_folder(tmp_path, monkeypatch):
    np.savez(tmp_path / FILE, **make_arrays())
    monkeypatch.setenv("INVARIANT_CLUSTER_DATA", str(tmp_path))
    assert len(load_mixed_wm38().images) == 76


def test_missing_file_says_how_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"looked for .*{FILE}.*WaferMap"):
        load_mixed_wm38(data_home=tmp_path)


def change_labels(row):
    labels = make_arrays()["arr_1"]
    labels[5] = row
    return labels


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arr_0": np.zeros((76, 52, 52))}, "arr_0 is float64 of shape"),
        ({"arr_0": np.zeros((76, 52), int)}, r"arr_0 is int64 of shape \(76, 52\)"),
        ({"arr_0": np.full((76, 52, 52), 4)}, "arr_0 has values from 4 to 4"),
        ({"arr_0": np.full((76, 52, 52), -1)}, "arr_0 has values from -1 to -1"),
        ({"arr_1": np.zeros((75, 8), int)}, r"arr_1 is int64 of shape \(75, 8\)"),
        ({"arr_1": np.full((76, 8), 2)}, "expected 0 or 1 in shape"),
        (
            {"arr_1": change_labels([1, 1, 0, 0, 0, 0, 0, 0])},
            r"row 5 of arr_1 is Center\+Donut, which is none of the 38",
        ),
        (
            {"arr_1": change_labels([1, 0, 0, 0, 0, 0, 0, 1])},
            r"row 5 of arr_1 is Center\+Random, which",
        ),
    ],
)
def test_foreign_content(tmp_path, changes, message):
    np.savez(tmp_path / FILE, **make_arrays(**changes))
    with pytest.raises(ValueError, match=rf"Datasets\.npz.*{message}.*Kaggle"):
        load_mixed_wm38(data_home=tmp_path)


def test_foreign_files(tmp_path):
    np.savez(tmp_path / FILE, other=np.zeros(3))
    with pytest.raises(ValueError, match=r"no 'arr_0' among its keys \['other'\]"):
        load_mixed_wm38(data_home=tmp_path)
    with pytest.raises(ValueError, match="size == 4, must be >= 8"):
        load_mixed_wm38(size=4, data_home=tmp_path)


def test_real_archive(real_archive):
    real_archive(FILE)
    wafers = load_mixed_wm38()
    assert wafers.images.shape == (38_015, 52, 52)
    assert set(wafers.target) == set(range(38))
