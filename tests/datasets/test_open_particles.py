"""Particles of many stacks are read by need, and equal those that mrcfile reads.

Lists over several stacks: ml-struct-bio/cryodrgn#386; .cs and .star: #330 and #101.
"""

import os
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from invariant_cluster import PolarFourierEmbedder
from invariant_cluster.datasets import open_images, sample_images

mrcfile = pytest.importorskip("mrcfile")
starfile = pytest.importorskip("starfile")

COUNTS = {"mic1": 5, "mic2": 3, "sub/mic3": 4}
N_IMAGES = sum(COUNTS.values())


def write(path, array, is_stack=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(array)
        if is_stack:
            file.set_image_stack()
    return path


def patch(path, place, value):
    """Write bytes of a header anew."""
    raw = bytearray(path.read_bytes())
    raw[place : place + len(value)] = value
    path.write_bytes(raw)


def write_star(path, names):
    starfile.write({"particles": pd.DataFrame({"rlnImageName": names})}, path)
    return path


def write_cs(path, names):
    """Write a list of cryoSPARC that names the same particles as a STAR file."""
    parts = [name.split("@") for name in names]
    table = np.zeros(len(names), dtype=[("blob/path", "S40"), ("blob/idx", "u4")])
    table["blob/path"] = [">" + file for _, file in parts]
    table["blob/idx"] = [int(number) - 1 for number, _ in parts]
    with path.open("wb") as file:
        np.save(file, table)
    return path


@pytest.fixture
def project(tmp_path):
    """The folder of a project with stacks below job042."""
    rng = np.random.default_rng(0)
    for name, count in COUNTS.items():
        images = rng.normal(size=(count, 24, 22)).astype(np.float32)
        write(tmp_path / "job042" / f"{name}.mrcs", images)
    return tmp_path


@pytest.fixture
def names():
    return [
        f"{row + 1:06d}@job042/{name}.mrcs"
        for name, count in COUNTS.items()
        for row in range(count)
    ]


def read_naively(project, names):
    """A twin: one image after the other, by mrcfile."""
    parts = [name.split("@") for name in names]
    return np.stack(
        [mrcfile.read(project / file)[int(number) - 1] for number, file in parts]
    )


def make(project, names, kind):
    """Return the path of a kind of list of the named particles."""
    if kind == "star":
        return write_star(project / "a.star", names)
    if kind == "cs":
        return write_cs(project / "a.cs", names)
    if kind == "txt":
        files = dict.fromkeys(name.split("@")[1] for name in names)
        (project / "a.txt").write_text("\n".join(files))
        return project / "a.txt"
    return project


@pytest.mark.parametrize("kind", ["folder", "star", "cs", "txt"])
def test_many_stacks_are_one_array(project, names, kind):
    stored = open_images(make(project, names, kind))
    expected = read_naively(project, names)
    assert stored.names == names
    assert stored.shape == expected.shape
    assert stored.dtype == expected.dtype
    np.testing.assert_array_equal(np.asarray(stored), expected)
    for rows in (slice(3, 9), slice(9, 3), [11, 0, 5, 5, -1], np.arange(12) % 3 == 0):
        np.testing.assert_array_equal(stored[rows], expected[rows])
    np.testing.assert_array_equal(stored[7], expected[7])


@pytest.mark.parametrize("kind", ["star", "cs"])
def test_lists_may_be_in_any_order_and_leave_out(project, names, kind):
    order = np.random.default_rng(1).permutation(N_IMAGES)[:9]
    chosen = [names[row] for row in order]
    stored = open_images(make(project, chosen, kind))
    np.testing.assert_array_equal(stored[:], read_naively(project, chosen))
    np.testing.assert_array_equal(stored[2:7], read_naively(project, chosen[2:7]))
    sample, rows = sample_images(stored, 4, random_state=0, return_rows=True)
    np.testing.assert_array_equal(sample, stored[:][rows])


def test_lists_lie_anywhere_in_the_project(project, names):
    place = project / "Select" / "job050"
    place.mkdir(parents=True)
    stored = open_images(write_star(place / "particles.star", names))
    np.testing.assert_array_equal(stored[:], read_naively(project, names))


def test_text_files_name_stacks_as_they_write_them(project):
    place = project / "Select"
    place.mkdir()
    absolute = str(project / "job042" / "mic2.mrcs")
    (place / "a.txt").write_text(f"job042/mic1.mrcs\n{absolute}\n")
    stored = open_images(place / "a.txt")
    assert stored.names[4:6] == ["000005@job042/mic1.mrcs", f"000001@{absolute}"]
    np.testing.assert_array_equal(stored[:], read_naively(project, stored.names))


def test_folders_are_named_from_themselves(project, names):
    stored = open_images(project / "job042")
    assert stored.names == [name.replace("job042/", "") for name in names]


def test_a_single_stack_stays_on_disk(project):
    path = project / "job042" / "mic1.mrcs"
    stored = open_images(path)
    assert stored.names is None
    assert isinstance(stored.__array__(), np.memmap)
    np.testing.assert_array_equal(np.asarray(stored), mrcfile.read(path))
    np.testing.assert_array_equal(stored[1:3], mrcfile.read(path)[1:3])


@pytest.mark.parametrize("dtype", ["i1", "i2", "u2", "f2", "f4", ">f4", ">i2"])
def test_estimators_take_every_mode(tmp_path, dtype):
    images = np.random.default_rng(0).normal(30, 20, (9, 16, 16)).clip(0, 99)
    images = images.astype(dtype)
    stored = open_images(write(tmp_path / "a.mrcs", images))
    assert stored.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(np.asarray(stored), images)
    embedder = PolarFourierEmbedder(d=2).fit(stored)
    expected = PolarFourierEmbedder(d=2).fit(images.astype("f4")).transform(images)
    np.testing.assert_allclose(embedder.transform(stored), expected, atol=1e-3)


def test_byte_orders_mix(tmp_path):
    images = np.random.default_rng(0).normal(size=(4, 9, 9)).astype("f4")
    write(tmp_path / "a.mrcs", images[:2])
    write(tmp_path / "b.mrcs", images[2:].astype(">f4"))
    np.testing.assert_array_equal(open_images(tmp_path)[:], images)


def test_micrographs_of_a_folder_are_its_images(tmp_path):
    images = np.random.default_rng(0).normal(size=(4, 9, 9)).astype("f4")
    for row, image in enumerate(images):
        write(tmp_path / f"{row}.mrc", image, is_stack=False)
    np.testing.assert_array_equal(open_images(tmp_path)[:], images)


def test_a_pickle_holds_the_path_alone(project, names):
    stored = open_images(write_star(project / "a.star", names))
    content = pickle.dumps(stored)
    assert len(content) < 1000
    np.testing.assert_array_equal(pickle.loads(content)[:], stored[:])


def test_relative_paths(project, names, monkeypatch):
    write_star(project / "a.star", names)
    monkeypatch.chdir(project)
    stored = open_images("a.star")
    monkeypatch.chdir(project.parent)
    np.testing.assert_array_equal(stored[:], read_naively(project, names))


def test_runs_of_rows_are_read_at_once(project, names, monkeypatch):
    """Each run of rows of one stack is one read of its file."""
    reads = []
    fromfile = np.fromfile
    monkeypatch.setattr(
        np, "fromfile", lambda *a, **k: reads.append(k["count"]) or fromfile(*a, **k)
    )
    open_images(write_star(project / "a.star", names))[2:10]
    assert reads == [3 * 24 * 22, 3 * 24 * 22, 2 * 24 * 22]


def test_no_stack_stays_open(tmp_path):
    """More stacks than a process may have open files."""
    resource = pytest.importorskip("resource")
    for number in range(60):
        write(tmp_path / f"{number}.mrcs", np.full((2, 8, 8), number, dtype="i2"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    n_open = len(list_open())
    resource.setrlimit(resource.RLIMIT_NOFILE, (n_open + 20, hard))
    try:
        stored = open_images(tmp_path)
        numbers = stored[:][:, 0, 0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert sorted(numbers[::2]) == list(range(60))


def list_open():
    """Return the descriptors that this process has open, where the system tells."""
    folder = Path("/dev/fd")
    return os.listdir(folder) if folder.is_dir() else pytest.skip("no /dev/fd")


# Volumes


def test_a_volume_is_refused(tmp_path):
    cube = np.random.default_rng(0).normal(size=(12, 12, 12)).astype("f4")
    path = write(tmp_path / "map.mrc", cube, is_stack=False)
    for place in (path, tmp_path):
        with pytest.raises(
            ValueError,
            match=r"map\.mrc is a volume of 12 x 12 x 12 \(a reconstruction, not a st"
            r".*If it is a stack, rename it to \.mrcs or set the space group",
        ):
            open_images(place)
    path.rename(tmp_path / "map.mrcs")
    np.testing.assert_array_equal(open_images(tmp_path / "map.mrcs")[:], cube)


def test_what_a_list_names_is_a_stack(tmp_path):
    cube = np.random.default_rng(0).normal(size=(12, 12, 12)).astype("f4")
    write(tmp_path / "a.mrc", cube, is_stack=False)
    stored = open_images(write_star(tmp_path / "a.star", ["000003@a.mrc"]))
    np.testing.assert_array_equal(stored[:], cube[2:3])


def test_a_cube_in_space_group_0_is_told(tmp_path):
    cube = np.random.default_rng(0).normal(size=(12, 12, 12)).astype("f4")
    patch(write(tmp_path / "a.mrc", cube, is_stack=False), 88, bytes(4))
    with pytest.warns(UserWarning, match="has a cube whose cell is that of a volume"):
        stored = open_images(tmp_path / "a.mrc")
    np.testing.assert_array_equal(stored[:], cube)


# Warnings and errors


def test_odd_headers_are_told_once(project):
    for name in ("mic2", "sub/mic3"):
        patch(project / "job042" / f"{name}.mrcs", 208, bytes(8))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        open_images(project)[:]
        open_images(project / "job042" / "mic2.mrcs")
    odd = "mic2.mrcs has no mark MAP, machine stamp 00 00 00 00. It was read all the s"
    of_folder, of_file = [str(warning.message) for warning in told]
    assert {warning.category for warning in told} == {UserWarning}
    assert of_folder.startswith(f"2 of the 3 stacks of {project} have unusual headers:")
    assert odd in of_folder
    assert odd in of_file
    assert of_file.startswith(str(project))


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_linked_folders_are_entered_once(tmp_path):
    stack = np.arange(2 * 64, dtype=np.float32).reshape(2, 8, 8)
    write(tmp_path / "elsewhere" / "mic.mrcs", stack)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "job").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "project")
    stored = open_images(tmp_path / "project")
    assert stored.names == ["000001@job/mic.mrcs", "000002@job/mic.mrcs"]
    np.testing.assert_array_equal(stored[:], stack)


def test_pictures_among_stacks_are_told(project):
    (project / "job042" / "b.png").touch()
    (project / "a.tif").touch()
    with pytest.warns(UserWarning, match=r"and 2 other images, .* such as .*a\.tif: k"):
        assert len(open_images(project)) == N_IMAGES


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (np.zeros((2, 20, 20), dtype="f4"), "20 x 20 float32"),
        (np.zeros((2, 24, 22), dtype="i2"), "24 x 22 int16"),
    ],
)
@pytest.mark.parametrize("listed", [False, True])
def test_stacks_that_differ_are_both_named(project, names, other, kind, listed):
    write(project / "job042" / "mic2.mrcs", other)
    path = write_star(project / "a.star", names[:7]) if listed else project
    with pytest.raises(
        ValueError,
        match=rf"mic1\.mrcs has images of 24 x 22 float32, .*mic2\.mrcs of {kind}\. Ex",
    ):
        open_images(path)


@pytest.mark.parametrize("write_list", [write_star, write_cs])
def test_images_that_a_stack_has_not(project, names, write_list):
    path = project / ("a.star" if write_list is write_star else "a.cs")
    write_list(path, [*names, "000006@job042/mic1.mrcs", "000009@job042/mic1.mrcs"])
    with pytest.raises(
        ValueError,
        match=r"names 000006@job042/mic1\.mrcs, but that stack has 5 images \(2 such",
    ):
        open_images(path)


def test_a_name_without_a_number_is_of_one_image(project):
    image = np.random.default_rng(0).normal(size=(24, 22)).astype("f4")
    write(project / "one.mrc", image, is_stack=False)
    stored = open_images(write_star(project / "a.star", ["one.mrc"]))
    np.testing.assert_array_equal(stored[:], image[None])
    names = ["one.mrc", "job042/mic1.mrcs"]
    with pytest.raises(
        ValueError,
        match=r"names job042/mic1\.mrcs without the number of an image, and this file "
        r"has 5: a volume or a whole stack is no particle\. Give a list of particles",
    ):
        open_images(write_star(project / "a.star", names))


def test_missing_stacks(project, names):
    (project / "job042" / "mic2.mrcs").unlink()
    with pytest.raises(FileNotFoundError, match=r"1 are missing, first job042/mic2\.m"):
        open_images(write_star(project / "a.star", names))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_is_told_by_name_when_it_is_read(project, names, value):
    path = project / "job042" / "mic2.mrcs"
    images = mrcfile.read(path)
    images[1, 3, 4] = value
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # mrcfile's, of its statistics
        write(path, images)
    stored = open_images(write_star(project / "a.star", names))
    np.testing.assert_array_equal(stored[:6], read_naively(project, names[:6]))
    with pytest.raises(
        ValueError, match=r"^000002@job042/mic2\.mrcs contains NaN or infinity: take it"
    ):
        stored[3:9]


def test_damaged_stacks_are_named_at_once(project, names):
    path = project / "job042" / "mic2.mrcs"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"mic2\.mrcs is cut off: .*Copy it again"):
        open_images(project)


def test_a_text_file_of_something_else(tmp_path):
    (tmp_path / "a.txt").write_text("a text\n")
    with pytest.raises(ValueError, match="lists no stacks: it holds the line 'a text'"):
        open_images(tmp_path / "a.txt")
