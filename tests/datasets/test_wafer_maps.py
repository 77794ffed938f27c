"""The bundled sample holds what its description says."""

from importlib.resources import files

import numpy as np

from invariant_cluster.datasets import load_wafer_maps

DATA = files("invariant_cluster.datasets").joinpath("data")


def test_bunch():
    wafers = load_wafer_maps()
    assert wafers.images.shape == (1799, 32, 32)
    assert wafers.images.dtype == np.uint8
    assert np.unique(wafers.images).tolist() == [0, 1, 2]
    assert wafers.target.dtype == np.int64
    counts = np.bincount(wafers.target)
    expected = [31 if name == "Near-full" else 221 for name in wafers.target_names]
    assert counts.tolist() == expected


def test_maps_differ_and_are_shuffled():
    wafers = load_wafer_maps()
    rows = wafers.images.reshape(len(wafers.images), -1)
    assert len(np.unique(rows, axis=0)) == len(rows)
    assert set(wafers.target[:100]) > set(range(5))


def test_fail_map_is_where_dies_fail():
    wafers, fails = load_wafer_maps(), load_wafer_maps(fail_map=True)
    assert fails.images.dtype == np.uint8
    np.testing.assert_array_equal(fails.images == 1, wafers.images == 2)
    assert fails.images.max() == 1
    assert "1 failing die, 0 everything else" in fails.DESCR


def test_file_is_small_and_the_notice_goes_with_it():
    assert len(DATA.joinpath("wafer_maps.npz").read_bytes()) <= 300_000
    notice = DATA.joinpath("NOTICE.txt").read_text(encoding="utf-8")
    for needed in (
        "(c) 2015 Jyh-Shing Roger Jang",
        "10.1109/TSM.2014.2364237",
        "http://mirlab.org/dataset/public/",
    ):
        assert needed in notice
        assert needed in load_wafer_maps().DESCR
