"""What is in a folder beside its images does not get in their way."""

import os

import numpy as np
import pytest

from invariant_cluster.datasets import load_image_folder, open_images

Image = pytest.importorskip("PIL.Image")


def fill(folder, n=4):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(n):
        pixels = np.full((16, 16), 40 * number, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"im{number}.png")


def make_run(folder):
    fill(folder, 1)
    for name in ("model.safetensors", "labels.csv", "report.html"):
        (folder / name).write_text("of a run")


def add_tables(folder):
    for suffix in ("csv", "tsv", "txt", "xml", "html"):
        (folder / f"labels.{suffix}").write_text("file,cluster\n")


def add_unpacked(folder):
    (folder / "__MACOSX" / "imgs").mkdir(parents=True)
    (folder / "__MACOSX" / "imgs" / "._im0.png").write_bytes(b"\0\5\26\7")
    (folder / "._im0.png").write_bytes(b"\0\5\26\7")


def add_system_files(folder):
    icon = [] if os.name == "nt" else ["Icon\r"]
    for name in ["Thumbs.db", "desktop.ini", ".DS_Store", *icon]:
        (folder / name).write_bytes(b"no image")


def add_empty(folder):
    (folder / "2025" / "june").mkdir(parents=True)


BESIDE = [add_tables, add_unpacked, add_system_files, add_empty]


@pytest.mark.parametrize("add", BESIDE)
@pytest.mark.parametrize("classes", [True, False])
def test_what_is_no_image_is_left_out(tmp_path, add, classes):
    names = ["copepod", "diatom"] if classes else ["."]
    for name in names:
        fill(tmp_path / name)
    add(tmp_path)
    bunch = load_image_folder(tmp_path, size=16)
    assert len(bunch.images) == 4 * len(names)
    assert bunch.target_names.tolist() == (names if classes else [])
    assert len(open_images(tmp_path, size=16)) == len(bunch.images)


def test_earlier_runs_are_left_out_and_told(tmp_path):
    fill(tmp_path / "a")
    fill(tmp_path / "b")
    make_run(tmp_path / "run")
    with pytest.warns(
        UserWarning, match=r"of earlier runs were left out \(1, such as run\)"
    ):
        bunch = load_image_folder(tmp_path, size=16)
    assert bunch.target_names.tolist() == ["a", "b"]
    make_run(tmp_path)  # a run in the given folder itself does not hide its images
    with (
        pytest.warns(UserWarning, match=r"earlier runs"),
        pytest.warns(UserWarning, match=r"beside the class folders"),
    ):
        assert len(load_image_folder(tmp_path, size=16).images) == 9


def test_files_and_folders_are_excluded(tmp_path, monkeypatch):
    for name in ("a", "b", "out"):
        fill(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    options = {"size": 16, "exclude": ["out", tmp_path / "a" / "im0.png"]}
    bunch = load_image_folder(".", **options)
    assert bunch.target.tolist() == [0] * 3 + [1] * 4
    stored = open_images(tmp_path, **options)
    np.testing.assert_array_equal(stored[:], bunch.images)


def test_excluding_all_is_an_error(tmp_path):
    fill(tmp_path)
    with pytest.raises(ValueError, match="holds no image files: give a folder of"):
        load_image_folder(tmp_path, exclude=tmp_path.glob("*.png"))


def test_order_is_that_of_the_names(tmp_path):
    for name in ("b", "a/z", "a", "a-", "B"):
        fill(tmp_path / name, 2)
    names = open_images(tmp_path, size=16).names
    parts = [tuple(name.replace("\\", "/").split("/")) for name in names]
    assert len(parts) == 10
    assert parts == sorted(parts)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_that_lead_nowhere_do_not_stop_the_others(tmp_path):
    fill(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "back").symlink_to(tmp_path)
    with pytest.raises(ValueError, match=r"(?s)1 of 5 files .*  loop: .*Replace"):
        load_image_folder(tmp_path, size=16)
    assert len(load_image_folder(tmp_path, size=16, on_error="skip").images) == 4


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_pipes_are_not_waited_for(tmp_path):
    fill(tmp_path / "images")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "images" / "link.png").symlink_to(tmp_path / "pipe")
    assert len(load_image_folder(tmp_path / "images", size=16).images) == 4


@pytest.mark.parametrize("read", [load_image_folder, open_images])
@pytest.mark.parametrize("kind", [str, os.fspath, lambda path: path])
def test_exclude_is_a_list(tmp_path, read, kind):
    fill(tmp_path)
    with pytest.raises(TypeError, match=r"exclude=.* is a single path: give a list"):
        read(tmp_path, exclude=kind(tmp_path / "im0.png"))


@pytest.mark.skipif(os.name == "nt", reason="no such names on Windows")
def test_a_file_is_one_line_of_the_list_whatever_its_name(tmp_path):
    fill(tmp_path)
    for name in (b"two\nlines.png", b"no text \xff.png"):
        try:
            (tmp_path / os.fsdecode(name)).write_bytes(b"no image")
        except OSError:
            pytest.skip("the file system takes text alone")
    with pytest.raises(ValueError, match="2 of 6 files") as error:
        load_image_folder(tmp_path)
    named = [line for line in str(error.value).splitlines() if line.startswith("  ")]
    assert [line.split(":")[0] for line in named] == [
        "  no text \ufffd.png",
        "  two lines.png",
    ]
