"""Tables of dies are read back as the maps that they were written from."""

import numpy as np
import pandas as pd
import pytest

from invariant_cluster.datasets import (
    Reading,
    load_die_table,
    load_wafer_maps,
    open_wafers,
)


@pytest.fixture(scope="module")
def maps():
    return load_wafer_maps().images[:6]


def rows_of(drawn, **names):
    """The dies of a map, one by one: a naive twin of the reader."""
    return [
        {**names, "x": column - 16, "y": 15 - row, "bin": int(value)}
        for row, line in enumerate(drawn)
        for column, value in enumerate(line)
        if value
    ]


@pytest.fixture(scope="module")
def dies(maps):
    return pd.DataFrame(
        [
            die
            for number, wafer in enumerate(maps)
            for die in rows_of(wafer, lot=f"L{number % 2}", wafer=number)
        ]
    )


NAMES = ["L0/0", "L1/1", "L0/2", "L1/3", "L0/4", "L1/5"]


def test_a_table_becomes_the_maps(dies, maps):
    bunch = load_die_table(dies)
    np.testing.assert_array_equal(bunch.images, maps)
    assert bunch.images.dtype == np.uint8
    assert bunch.wafers.tolist() == NAMES
    assert bunch.grids.tolist() == [[32, 32]] * 6
    assert bunch.target is None
    share = 100 * (maps == 2).sum() / (maps > 0).sum()
    assert f"6 wafers with 32 x 32 dies, {share:.1f} % of which fail" in bunch.DESCR
    fails = load_die_table(dies, fail_map=True).images
    np.testing.assert_array_equal(fails, maps == 2)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_files_of_any_delimiter(dies, maps, tmp_path, delimiter):
    dies.to_csv(tmp_path / "dies.csv", sep=delimiter, index=False)
    bunch = load_die_table(tmp_path / "dies.csv")
    np.testing.assert_array_equal(bunch.images, maps)
    assert bunch.wafers.tolist() == NAMES


def test_parquet(dies, maps, tmp_path):
    pytest.importorskip("pyarrow")
    dies.to_parquet(tmp_path / "dies.parquet")
    np.testing.assert_array_equal(
        load_die_table(tmp_path / "dies.parquet").images, maps
    )


def test_a_folder_with_a_file_for_each_wafer(maps, tmp_path):
    for number, wafer in enumerate(maps):
        table = pd.DataFrame(rows_of(wafer))
        table.to_csv(tmp_path / f"w{number}.csv", index=False)
    bunch = load_die_table(tmp_path)
    np.testing.assert_array_equal(bunch.images, maps)
    assert bunch.wafers.tolist() == [f"w{number}" for number in range(6)]


def test_files_of_one_name_in_two_folders(maps, tmp_path):
    for number, wafer in enumerate(maps):
        folder = tmp_path / f"lot{number}"
        folder.mkdir()
        pd.DataFrame(rows_of(wafer)).to_csv(folder / "w.csv", index=False)
    bunch = load_die_table(tmp_path)
    np.testing.assert_array_equal(bunch.images, maps)
    assert bunch.wafers.tolist() == [f"lot{number}/w" for number in range(6)]


def test_a_folder_with_a_link_to_nothing_holds_no_dies(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "nothing")
    assert open_wafers(tmp_path, Reading()) is None


@pytest.mark.parametrize(
    "names",
    [
        {
            "lot": "LOT_ID",
            "wafer": "Wafer Id",
            "x": "Die_X",
            "y": "Die_Y",
            "bin": "BIN",
        },
        {"wafer": "slot", "x": "col", "y": "row", "bin": "hard_bin"},
        {"wafer": "WaferNumber", "x": "XINDEX", "y": "YINDEX", "bin": "Soft Bin"},
        {"x": "DieX", "y": "DieY", "bin": "Result"},
    ],
)
def test_columns_are_known_by_usual_names(dies, maps, names):
    bunch = load_die_table(dies.rename(columns=names))
    np.testing.assert_array_equal(bunch.images, maps)


def test_columns_can_be_named(dies, maps):
    given = {"x": "a", "y": "b", "bin": "c", "wafer": "d"}
    named = dies.rename(columns=given).assign(x=0, bin=7)
    bunch = load_die_table(named, columns=given)
    np.testing.assert_array_equal(bunch.images, maps)


def test_hard_bins_come_before_soft_ones(dies, maps):
    both = dies.assign(soft_bin=99, hard_bin=dies["bin"]).drop(columns="bin")
    np.testing.assert_array_equal(load_die_table(both).images, maps)


@pytest.mark.parametrize(
    ("bins", "passing"),
    [
        ({1: "P", 2: "F"}, None),
        ({1: "Pass", 2: "FAIL"}, None),
        ({1: "01", 2: "17"}, None),
        ({1: 1.0, 2: 5.0}, None),
        ({1: True, 2: False}, None),
        ({1: 3, 2: 1}, [3, 4]),
        ({1: "A", 2: "B"}, ["a"]),
    ],
)
def test_bins_that_pass(dies, maps, bins, passing):
    table = dies.assign(bin=dies["bin"].map(bins))
    np.testing.assert_array_equal(load_die_table(table, pass_bins=passing).images, maps)


@pytest.mark.parametrize(
    ("width", "height", "noise"), [(5, 7, 0), (3.1, 4.7, 0), (5012.5, 8000.25, 1)]
)
def test_coordinates_may_be_lengths(dies, maps, width, height, noise):
    jitter = np.random.default_rng(0).uniform(-noise, noise, (2, len(dies)))
    table = dies.assign(
        x=dies["x"] * width + 0.3 + jitter[0], y=dies["y"] * height - 9 + jitter[1]
    )
    np.testing.assert_array_equal(load_die_table(table).images, maps)


def test_the_last_test_of_a_die_counts(dies, maps):
    again = pd.concat([dies.assign(bin=2), dies])
    np.testing.assert_array_equal(load_die_table(again).images, maps)


def test_dies_without_a_bin_are_none(dies, maps):
    is_tested = (dies["x"] < 3) | (dies["x"] > 5)
    table = dies.assign(bin=dies["bin"].where(is_tested))
    expected = maps.copy()
    expected[:, :, 19:22] = 0
    np.testing.assert_array_equal(load_die_table(table).images, expected)


def test_a_missing_row_does_not_move_a_wafer(dies, maps):
    cut = dies[(dies["wafer"] != 2) | (dies["y"] < 14)]
    expected = maps.copy()
    expected[2, :2] = 0
    np.testing.assert_array_equal(load_die_table(cut).images, expected)


def test_grids_of_different_sizes_fill_the_map(dies):
    small = pd.DataFrame(
        {
            "lot": "S",
            "wafer": 1,
            "x": [0, 1, 0, 1],
            "y": [0, 0, 1, 1],
            "bin": [1, 9, 1, 1],
        }
    )
    bunch = load_die_table(pd.concat([dies, small]))
    assert bunch.grids[-1].tolist() == [2, 2]
    expected = np.ones((32, 32))
    expected[16:, 16:] = 2  # y points up, so the first row of dies is below
    np.testing.assert_array_equal(bunch.images[-1], expected)


def test_open_wafers_reads_tables_with_the_bins_of_a_reading(dies, maps, tmp_path):
    dies.assign(bin=dies["bin"] + 10).to_csv(tmp_path / "dies.csv", index=False)
    opened = open_wafers(tmp_path / "dies.csv", Reading(size=32, pass_bins=("11",)))
    np.testing.assert_array_equal(opened[:], maps == 2)
    assert opened.names == NAMES


@pytest.mark.parametrize(
    ("change", "options", "text"),
    [
        ({"x": "gauge"}, {}, "no column that is x of a die by its name"),
        ({}, {"columns": {"x": "gauge"}}, "no column 'gauge', which columns names"),
        ({}, {"columns": {"z": "x"}}, "columns names 'z': give columns of lot, wafer"),
        ({}, {"pass_bins": [8]}, r"no die has a bin that passes \(8\); the most freq"),
    ],
)
def test_tables_that_lack_something_are_refused(dies, change, options, text):
    with pytest.raises(ValueError, match=text):
        load_die_table(dies.rename(columns=change), **options)


def test_other_bad_tables_are_refused(dies, tmp_path):
    with pytest.raises(ValueError, match="where a die's coordinate is needed"):
        load_die_table(dies.assign(x="1,5"))
    with pytest.raises(ValueError, match="column 'x' holds 'infinity' where a die's"):
        load_die_table(dies.assign(x=dies["x"].where(dies.index != 4, np.inf)))
    with pytest.raises(ValueError, match=r"1 of .* dies have no wafer in column 'wafe"):
        load_die_table(dies.assign(wafer=dies["wafer"].where(dies.index != 4)))
    with pytest.raises(ValueError, match="coordinates of wafer 'L0/0' are so far from"):
        load_die_table(dies.assign(x=dies["x"].where(dies.index != 4, 99_999)))
    scattered = np.random.default_rng(0).uniform(0, 1, len(dies))
    with pytest.raises(
        ValueError, match="coordinates x of wafer 'L0/0' are on no grid"
    ):
        load_die_table(dies.assign(x=scattered))
    with pytest.raises(ValueError, match="has no rows: give a table"):
        load_die_table(dies.iloc[:0])
    with pytest.raises(TypeError, match="pass_bins='1' is a single text"):
        load_die_table(dies, pass_bins="1")
    with pytest.raises(FileNotFoundError, match="does not exist: give a CSV"):
        load_die_table(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="holds no dies: give a CSV"):
        load_die_table(tmp_path)
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00x,y\n")
    with pytest.raises(ValueError, match="cannot be read as a table"):
        load_die_table(tmp_path / "bad.csv")
