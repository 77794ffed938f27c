"""KLARF files are read back as the maps that they were written from."""

import numpy as np
import pytest

from invariant_cluster.datasets import (
    Reading,
    load_klarf,
    load_wafer_maps,
    open_wafers,
)

SPEC = (
    "DefectRecordSpec 9 DEFECTID XREL YREL XINDEX YINDEX DEFECTAREA CLASSNUMBER "
    "IMAGECOUNT IMAGELIST ;"
)


@pytest.fixture(scope="module")
def maps():
    return load_wafer_maps().images[:3]


def places_of(wafer, values):
    """Column and row of dies, from the middle, y up."""
    return [
        (column - 16, 15 - row)
        for row, line in enumerate(wafer)
        for column, value in enumerate(line)
        if value in values
    ]


def plan_of(wafer):
    places = places_of(wafer, (1, 2))
    lines = "\n".join(f"  {x} {y}" for x, y in places)
    return f"SampleTestPlan {len(places)}\n{lines};"


def defects_of(wafer):
    """Each failing die has a defect; every third one has pictures and a second one."""
    lines = []
    for number, (x, y) in enumerate(places_of(wafer, (2,))):
        record = f"{number} 12.5 1e3 {x} {y} 0.25 17"
        if number % 3:
            lines.append(f"{record} 0 0")
        else:
            lines += [f"{record} 2", "1 0", "2 0", f"{record} 0 0"]
    return "DefectList\n" + "\n".join(lines) + ";"


def text_of(wafers, start=1):
    """One file; the lot is named once."""
    blocks = [
        f'WaferID "{number:02d}";\nSlot {number};\n{plan_of(wafer)}\n{SPEC}\n'
        f"{defects_of(wafer)}\nSummarySpec 2 TESTNO NDEFECT ;\nSummaryList\n1 0 ;"
        for number, wafer in enumerate(wafers, start)
    ]
    head = 'FileVersion 1 2;\nFileTimestamp 01-02-24 10:11:12;\nLotID "A;7";'
    return "\n".join([head, *blocks, "EndOfFile;"])


def test_a_file_of_many_wafers(maps, tmp_path):
    path = tmp_path / "lot.001"
    path.write_text(text_of(maps))
    bunch = load_klarf(path)
    np.testing.assert_array_equal(bunch.images, maps)
    assert bunch.wafers.tolist() == ["A;7/01", "A;7/02", "A;7/03"]
    np.testing.assert_array_equal(load_klarf(path, fail_map=True).images, maps == 2)
    opened = open_wafers(path, Reading(size=32))
    np.testing.assert_array_equal(opened[:], maps == 2)


def test_a_folder_of_files(maps, tmp_path):
    for number, wafer in enumerate(maps):
        text = text_of([wafer], number).replace("\n", "\r\n")
        (tmp_path / f"{number}.klarf").write_bytes(text.encode())
    bunch = load_klarf(tmp_path)
    np.testing.assert_array_equal(bunch.images, maps)
    assert open_wafers(tmp_path, Reading(size=32)).names == bunch.wafers.tolist()


def test_files_of_one_name_in_two_folders(maps, tmp_path):
    for number, wafer in enumerate(maps[:2]):
        folder = tmp_path / f"lot{number}"
        folder.mkdir()
        text = text_of([wafer]).replace('LotID "A;7";', "")
        (folder / "w.csv").write_text(text)  # KLARF by its content
    bunch = load_klarf(tmp_path)
    np.testing.assert_array_equal(bunch.images, maps[:2])
    assert bunch.wafers.tolist() == ["lot0/w/01", "lot1/w/01"]


def test_tables_beside_klarf_are_refused(maps, tmp_path):
    (tmp_path / "a.klarf").write_text(text_of(maps[:1]))
    (tmp_path / "b.csv").write_text("wafer,x,y,bin\n1,0,0,1\n")
    with pytest.raises(ValueError, match="tables of dies and KLARF files: put them"):
        open_wafers(tmp_path, Reading(size=32))


def test_a_plan_is_that_of_the_wafers_after_it(maps, tmp_path):
    first, *others = text_of([maps[0]] * 3).split("SampleTestPlan")
    kept = [other.partition(";")[2] for other in others[1:]]
    path = tmp_path / "lot.kla"
    path.write_text("".join([first, "SampleTestPlan", others[0], *kept]))
    np.testing.assert_array_equal(load_klarf(path).images, maps[[0, 0, 0]])


def test_a_wafer_without_defects_passes(maps, tmp_path):
    path = tmp_path / "good.klarf"
    good = np.minimum(maps[:1], 1)
    path.write_text(text_of(good))
    np.testing.assert_array_equal(load_klarf(path).images, good)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("FileVersion 1 2;", "Record FileRecord {", "is KLARF 1.8, which is not read"),
        ("FileVersion 1 2;", "Version;", "is no KLARF file: it does not start"),
        ("EndOfFile;", "", "is cut off: it has no EndOfFile"),
        ("SampleTestPlan", "OtherPlan", "wafer '01' has no SampleTestPlan"),
        ("SampleTestPlan ", "SampleTestPlan 9", "dies and lists"),
        ("XINDEX", "COLUMN", "lacks XINDEX or YINDEX"),
        ("IMAGECOUNT IMAGELIST", "A B", "DefectList has a line of 8 values, but"),
        ("12.5 1e3 ", "12.5 1e3 ?", "DefectList holds something else than whole"),
        ("1e3 -", "1e3 nan -", "DefectList holds something else than whole"),
    ],
)
def test_bad_files_are_refused(maps, tmp_path, old, new, text):
    written = text_of(maps[:1])
    assert old in written
    path = tmp_path / "bad.klarf"
    path.write_text(written.replace(old, new))
    with pytest.raises(ValueError, match=text):
        load_klarf(path)
