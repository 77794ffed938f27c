"""Lists of particles are read to the stacks and rows that they name."""

import sys

import numpy as np
import pandas as pd
import pytest

from invariant_cluster.readers import (
    find_pictures,
    find_stacks,
    holds_particles,
    locate_stacks,
    name_particle,
    read_particle_list,
    read_stack_list,
)

starfile = pytest.importorskip("starfile")

NAMES = ["000002@job/b.mrcs", "000001@job/a.mrcs", "000007@job/b.mrcs"]
OPTICS = pd.DataFrame({"rlnOpticsGroup": [1], "rlnImageSize": [24]})
PARTICLES = pd.DataFrame({"rlnAngleRot": [0.5, 1, 2], "rlnImageName": NAMES})
BLOCKS = {
    "RELION 3.1": {"optics": OPTICS, "particles": PARTICLES},
    "RELION 3.0": {"images": PARTICLES},
    "RELION 2": {"": PARTICLES},
}


def write_cs(path, files, rows, form="S40"):
    """Write a table as cryoSPARC does: with .npy's format under another name."""
    kind = [("uid", "u8"), ("blob/path", form), ("blob/idx", "u4")]
    table = np.zeros(len(files), dtype=kind)
    table["blob/path"], table["blob/idx"] = files, rows
    with path.open("wb") as file:
        np.save(file, table)
    return path


def check_list(listed):
    """A naive twin: each particle's number and stack, from its name."""
    for name, stack, row in zip(listed.names, listed.stack, listed.row, strict=True):
        number, _, file = name.partition("@")
        assert row == int(number) - 1
        assert listed.stacks[stack] == file


@pytest.mark.parametrize("blocks", BLOCKS.values(), ids=BLOCKS)
def test_star_files_of_each_version(tmp_path, blocks):
    starfile.write(blocks, tmp_path / "a.star")
    listed = read_particle_list(tmp_path / "a.star")
    assert listed.names == NAMES
    assert listed.stacks == ["job/b.mrcs", "job/a.mrcs"]
    check_list(listed)


def test_a_name_without_a_number_is_the_first_image(tmp_path):
    starfile.write(pd.DataFrame({"rlnImageName": ["a.mrc"]}), tmp_path / "a.star")
    listed = read_particle_list(tmp_path / "a.star")
    assert (listed.names, listed.stacks, listed.row.tolist()) == (
        ["a.mrc"],
        ["a.mrc"],
        [0],
    )


@pytest.mark.parametrize("form", ["S40", "U40"])
def test_cs_files(tmp_path, form):
    files = [">job/b.mrc", "job/a.mrc", ">job/b.mrc"]
    listed = read_particle_list(write_cs(tmp_path / "a.cs", files, [1, 0, 6], form))
    assert listed.names == [
        "000002@job/b.mrc",
        "000001@job/a.mrc",
        "000007@job/b.mrc",
    ]
    check_list(listed)


def test_names_count_from_one():
    assert name_particle(0, "a.mrcs") == "000001@a.mrcs"
    assert name_particle(1_234_567, "a.mrcs") == "1234568@a.mrcs"


def test_lists_of_stacks(tmp_path):
    (tmp_path / "a.txt").write_text("# stacks\njob/a.mrcs\n\n  job/b b.MRC \n")
    assert read_stack_list(tmp_path / "a.txt") == ["job/a.mrcs", "job/b b.MRC"]


# Errors


@pytest.mark.parametrize("name", ["x@a.mrcs", "000000@a.mrcs", "-1@a.mrcs", "000001@"])
def test_names_without_a_number_or_a_stack(tmp_path, name):
    starfile.write(pd.DataFrame({"rlnImageName": [name]}), tmp_path / "a.star")
    with pytest.raises(ValueError, match=f"names the particle '{name}': write the num"):
        read_particle_list(tmp_path / "a.star")


def test_star_files_without_particles(tmp_path):
    path = tmp_path / "a.star"
    starfile.write({"micrographs": pd.DataFrame({"rlnMicrographName": ["a"]})}, path)
    with pytest.raises(
        ValueError,
        match=r"no column _rlnImageName, only rlnMicrographName\. Give the STAR file",
    ):
        read_particle_list(path)
    path.write_text("nothing of the kind\n")
    with pytest.raises(ValueError, match=r"no column _rlnImageName, only no column"):
        read_particle_list(path)
    path.write_text("data_particles\n\nloop_\n_rlnImageName #1\n")
    with pytest.raises(ValueError, match=r"lists no particles: give a list of at l"):
        read_particle_list(path)


def test_a_repaired_star_file_is_read_anew(tmp_path):
    path = tmp_path / "a.star"
    path.write_text("data_particles\n\nloop_\n_rlnImageName #1\n000001@a.mrcs more\n")
    with pytest.raises(ValueError, match=r"cannot be read as a STAR file: .*intact"):
        read_particle_list(path)
    path.write_text("data_particles\n\nloop_\n_rlnImageName #1\n000001@a.mrcs\n")
    assert read_particle_list(path).names == ["000001@a.mrcs"]


def test_cs_files_without_stacks(tmp_path):
    path = write_cs(tmp_path / "a.cs", [">a.mrc", b""], [0, 0])
    with pytest.raises(
        ValueError, match=r"names no stack for its row 1: blob/path is empty\. Export"
    ):
        read_particle_list(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(2, dtype=[("uid", "u8"), ("blob/idx", "u4")]))
    with pytest.raises(
        ValueError, match=r"it has no blob/path. Give the .cs file of p"
    ):
        read_particle_list(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(2))
    with pytest.raises(ValueError, match="it has no blob/idx and no blob/path"):
        read_particle_list(path)
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(2))
    with pytest.raises(ValueError, match=r"is an archive of arrays: give a .cs file"):
        read_particle_list(path)


@pytest.mark.parametrize("content", [b"", b"no table", np.array([{}], dtype=object)])
def test_damaged_cs_files(tmp_path, content):
    path = tmp_path / "a.cs"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with path.open("wb") as file:
            np.save(file, content)
    with pytest.raises(ValueError, match=r"cannot be read as a CS file: .*Give an int"):
        read_particle_list(path)


@pytest.mark.parametrize(
    ("content", "found"),
    [("a.mrcs\na text\n", "the line 'a text'"), ("# a.mrcs\n", "no line")],
)
def test_text_files_that_list_no_stacks(tmp_path, content, found):
    (tmp_path / "a.txt").write_text(content)
    with pytest.raises(ValueError, match=f"lists no stacks: it holds {found}. A .txt"):
        read_stack_list(tmp_path / "a.txt")


def test_starfile_is_asked_for(tmp_path, monkeypatch):
    (tmp_path / "a.star").write_text("data_\n")
    monkeypatch.setitem(sys.modules, "starfile", None)
    with pytest.raises(ImportError, match=r"with starfile, which .* extra 'particles'"):
        read_particle_list(tmp_path / "a.star")


# Places


@pytest.fixture
def project(tmp_path):
    for name in ["job/a.mrcs", "job/deep/b.MRC", ".old/c.mrcs", "job/.d.mrcs"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "job" / "view.PNG").touch()
    (tmp_path / "job" / "run.out").touch()
    return tmp_path


def test_stacks_of_a_folder(project):
    expected = [project / "job" / "a.mrcs", project / "job" / "deep" / "b.MRC"]
    assert find_stacks(project) == expected
    (project / "sky.fits").touch()
    assert find_pictures(project) == [
        project / "job" / "view.PNG",
        project / "sky.fits",
    ]
    assert holds_particles(project)
    assert not holds_particles(project / ".old" / "nowhere")
    (project / "empty").mkdir()
    assert not holds_particles(project / "empty")


@pytest.mark.parametrize("place", ["a.star", "job/a.star", "Select/job9/a.star"])
def test_stacks_are_found_from_the_folder_of_the_project(project, place):
    names = ["job/a.mrcs", "job/deep/b.MRC", str(project / "job" / "a.mrcs")]
    assert locate_stacks(names, project / place) == [project / name for name in names]


def test_the_nearest_stack_is_taken(project):
    (project / "job" / "job").mkdir()
    nearest = project / "job" / "job" / "a.mrcs"
    nearest.touch()
    assert locate_stacks(["job/a.mrcs"], project / "job" / "a.star") == [nearest]


def test_lists_may_be_links(project, tmp_path_factory):
    link = tmp_path_factory.mktemp("elsewhere") / "a.star"
    (project / "job" / "a.star").touch()
    link.symlink_to(project / "job" / "a.star")
    found = locate_stacks(["job/a.mrcs"], link)
    assert [path.resolve() for path in found] == [
        (project / "job" / "a.mrcs").resolve()
    ]


def test_missing_stacks_are_counted(project):
    with pytest.raises(
        FileNotFoundError,
        match=r"a\.star names 3 stacks, of which 2 are missing, first job/x\.mrcs: "
        "looked in .* and the folders above it. Move the list into the folder",
    ):
        locate_stacks(["job/a.mrcs", "job/x.mrcs", "y.mrcs"], project / "a.star")
