"""Many files are read in parallel, and again from a cache, with equal images."""

import os
import sys
import time

import joblib
import numpy as np
import pytest

from invariant_cluster.datasets import (
    _folder_cache,
    _folder_decoding,
    _parallel_files,
    load_image_folder,
)
from invariant_cluster.readers import UnreadableError

Image = pytest.importorskip("PIL.Image")


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def make_pixels(seed, dtype=np.uint8):
    rng = np.random.default_rng(seed)
    side = (9, 12)[seed % 2]
    return rng.integers(0, 200, (side, 10)).astype(dtype)


def fill(folder, n_files, n_bad=0):
    for number in range(n_files):
        save(folder / f"{number:04d}.png", make_pixels(number))
    for number in range(n_bad):
        (folder / f"{number * 3:04d}.png").write_bytes(b"no image")
    return folder


def assert_same(bunch, other):
    np.testing.assert_array_equal(bunch.images, other.images)
    assert bunch.images.dtype == other.images.dtype
    np.testing.assert_array_equal(bunch.filenames, other.filenames)
    np.testing.assert_array_equal(bunch.sizes, other.sizes)
    assert bunch.skipped.equals(other.skipped)
    assert bunch.reading == other.reading


@pytest.fixture(scope="module")
def hundreds(tmp_path_factory):
    return fill(tmp_path_factory.mktemp("hundreds"), 300, n_bad=30)


@pytest.fixture
def folder(tmp_path):
    return fill(tmp_path / "images", 20)


@pytest.mark.parametrize("n_files", [40, 300])  # threads, and processes if they fork
def test_images_are_those_of_one_job(hundreds, n_files):
    options = {
        "size": 8,
        "on_error": "skip",
        "exclude": [hundreds / f"{number:04d}.png" for number in range(n_files, 300)],
    }
    one = load_image_folder(hundreds, **options)
    assert len(one.images) + len(one.skipped) == n_files
    assert len(one.skipped) == min(30, -(-n_files // 3))
    assert_same(load_image_folder(hundreds, n_jobs=2, **options), one)


@pytest.fixture
def workers(tmp_path, monkeypatch):
    """Folder of files named by the processes that have read something."""
    place, read_square = tmp_path / "workers", _folder_decoding.read_square
    place.mkdir()

    def note(path, reading):
        (place / str(os.getpid())).touch()
        return read_square(path, reading)

    monkeypatch.setattr(_folder_decoding, "read_square", note)
    return place


def pids_in(folder):
    return {int(path.name) for path in folder.iterdir()}


@pytest.mark.skipif(sys.platform != "linux", reason="processes fork on Linux only")
def test_many_files_are_read_by_other_processes(hundreds, workers):
    load_image_folder(hundreds, size=8, on_error="skip", n_jobs=2)
    assert pids_in(workers)
    assert os.getpid() not in pids_in(workers)


def test_few_files_are_read_by_threads(folder, workers):
    load_image_folder(folder, size=8, n_jobs=2)
    assert pids_in(workers) == {os.getpid()}


@pytest.mark.skipif(sys.platform != "linux", reason="processes fork on Linux only")
def test_jobs_are_those_of_joblib(hundreds, monkeypatch):
    asked = []
    fork = _parallel_files._fork
    monkeypatch.setattr(
        _parallel_files, "_fork", lambda jobs: asked.append(jobs) or fork(jobs)
    )
    one = load_image_folder(hundreds, size=8, on_error="skip")
    assert asked == []
    with joblib.parallel_config(n_jobs=2):
        assert_same(load_image_folder(hundreds, size=8, on_error="skip"), one)
    assert asked == [2]
    with pytest.raises(ValueError, match="n_jobs"):
        load_image_folder(hundreds, n_jobs=0)


def test_where_processes_cannot_fork_joblib_reads(hundreds, monkeypatch):
    one = load_image_folder(hundreds, size=8, on_error="skip")
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(_parallel_files, "_FEWEST_TO_START", 1)
    monkeypatch.setattr(_parallel_files, "ThreadPoolExecutor", None)
    with joblib.parallel_config("threading"):
        two = load_image_folder(hundreds, size=8, on_error="skip", n_jobs=2)
    assert_same(two, one)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_all_bad_files_are_named_once(hundreds, n_jobs):
    with pytest.raises(ValueError, match=r"^30 of 300 files") as raised:
        load_image_folder(hundreds, n_jobs=n_jobs)
    assert str(raised.value).count("  0006.png: ") == 1
    assert "and 10 more" in str(raised.value)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_errors_of_parameters_come_through(hundreds, n_jobs):
    with pytest.raises(ValueError, match=r"mask has the shape \(3, 3\), but "):
        load_image_folder(hundreds, mask=np.eye(3), n_jobs=n_jobs)


def test_chunks_of_large_images_are_short():
    assert _parallel_files.files_at_a_time(32) == 256
    assert _parallel_files.files_at_a_time(1024) == 4
    assert _parallel_files.files_at_a_time(20_000) == 1
    chunks = _parallel_files.map_files(len, ["file"] * 300, most=9)
    assert list(chunks) == [9] * 33 + [3]


def test_bar_counts_all_files_of_a_long_reading(tmp_path, capsys, monkeypatch):
    fill(tmp_path, 20, n_bad=1)
    load_image_folder(tmp_path, size=8, on_error="skip", verbose=1)
    assert capsys.readouterr().err == ""  # nobody waits for it
    read_square = _folder_decoding.read_square

    def read_slowly(path, reading):
        time.sleep(0.06)
        return read_square(path, reading)

    monkeypatch.setattr(_folder_decoding, "read_square", read_slowly)
    load_image_folder(tmp_path, size=8, on_error="skip", verbose=1)
    assert "20/20" in capsys.readouterr().err
    load_image_folder(tmp_path, size=8, on_error="skip")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("n_jobs", [0, 1.5, "2", True])
def test_jobs_that_are_none_are_refused(folder, n_jobs):
    with pytest.raises(ValueError, match=r"n_jobs=.* is no number of jobs: give"):
        load_image_folder(folder, n_jobs=n_jobs)


# Cache


@pytest.fixture
def read(monkeypatch):
    """Names of the files that are decoded, for files read by one job."""
    names = []
    read_square = _folder_decoding.read_square

    def count(path, reading):
        names.append(os.path.basename(path))
        return read_square(path, reading)

    monkeypatch.setattr(_folder_decoding, "read_square", count)
    return names


def load_twice(folder, read, **options):
    """Names of files decoded with a cache, after checking that images are the same."""
    expected = load_image_folder(folder, **options)
    read.clear()
    assert_same(
        load_image_folder(folder, cache=folder.parent / "cache", **options), expected
    )
    return sorted(read)


def test_second_run_decodes_nothing(folder, read):
    assert len(load_twice(folder, read, size=8)) == 20
    assert load_twice(folder, read, size=8) == []
    cache = folder.parent / "cache"
    assert sorted(path.suffix for path in cache.iterdir()) == [".cache", ".json"]


def test_only_changed_files_are_decoded(folder, read):
    load_twice(folder, read, size=8)
    save(folder / "0003.png", make_pixels(99))
    save(folder / "new.png", make_pixels(100))
    (folder / "0005.png").unlink()
    assert load_twice(folder, read, size=8) == ["0003.png", "new.png"]
    assert load_twice(folder, read, size=8) == []
    (folder / "new.png").unlink()
    assert load_twice(folder, read, size=8) == []


def test_a_file_of_the_same_size_and_another_time_is_decoded(folder, read):
    load_twice(folder, read, size=8)
    later = time.time() + 10
    os.utime(folder / "0007.png", (later, later))
    assert load_twice(folder, read, size=8) == ["0007.png"]


def test_only_bad_files_are_tried_again(folder, read):
    cache = folder.parent / "cache"
    (folder / "0004.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match="1 of 20 files"):
        load_image_folder(folder, size=8, cache=cache)
    index = next(cache.glob("*.json"))
    written = index.stat().st_mtime_ns
    read.clear()
    with pytest.raises(ValueError, match=r"(?s)1 of 20 files.*0004\.png: "):
        load_image_folder(folder, size=8, cache=cache)
    assert read == ["0004.png"]
    assert load_twice(folder, read, size=8, on_error="skip") == ["0004.png"]
    assert index.stat().st_mtime_ns == written  # nothing new to keep
    save(folder / "0004.png", make_pixels(4))
    assert load_twice(folder, read, size=8) == ["0004.png"]
    assert load_twice(folder, read, size=8) == []


def test_a_file_that_can_be_read_now_is_read(folder, read, monkeypatch):
    """A permission or a package that was missing leaves no trace in the file."""
    counted, cache = _folder_decoding.read_square, folder.parent / "cache"

    def refuse(path, reading):
        if path.endswith("0004.png"):
            raise UnreadableError(path, PermissionError("not allowed"))
        return counted(path, reading)

    with monkeypatch.context() as patch:
        patch.setattr(_folder_decoding, "read_square", refuse)
        bunch = load_image_folder(folder, size=8, cache=cache, on_error="skip")
        assert len(bunch.skipped) == 1
    assert load_twice(folder, read, size=8) == ["0004.png"]


def test_a_cache_may_lie_among_the_images(folder):
    expected = load_image_folder(folder, size=8)
    load_image_folder(folder, size=8, cache=folder / "cache")
    assert_same(load_image_folder(folder, size=8), expected)


@pytest.mark.parametrize("shape", [(20, 7, 7), (19, 8, 8), (20, 8)])
def test_kept_images_of_another_shape_are_not_taken(folder, read, shape):
    load_twice(folder, read, size=8)
    (kept,) = (folder.parent / "cache").glob("*.cache")
    with kept.open("wb") as file:
        np.save(file, np.zeros(shape, dtype=np.uint8))
    assert len(load_twice(folder, read, size=8)) == 20


def test_files_that_another_process_writes_stay(folder, read):
    load_twice(folder, read, size=8)
    index = next((folder.parent / "cache").glob("*.json"))
    written = index.with_name(f"{index.stem}-0.partial")
    written.touch()
    save(folder / "new.png", make_pixels(1))
    load_twice(folder, read, size=8)
    assert written.exists()


def test_a_cache_that_is_no_folder_is_refused(folder):
    (folder.parent / "file").touch()
    with pytest.raises(ValueError, match=r"cache=.*file' cannot be made .*: give the"):
        load_image_folder(folder, cache=folder.parent / "file")


def test_images_are_returned_though_they_cannot_be_kept(folder, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_folder_cache.np, "save", fail)
    cache = folder.parent / "cache"
    with pytest.warns(UserWarning, match=r"cannot be written \(No space left"):
        bunch = load_image_folder(folder, size=8, cache=cache)
    assert len(bunch.images) == 20
    assert list(cache.iterdir()) == []


def test_other_readings_have_their_own_images(folder, read):
    load_twice(folder, read, size=8)
    for options in ({"size": 9}, {"size": 8, "crop": (0, 0, 1, 0)}):
        assert len(load_twice(folder, read, **options)) == 20
        assert load_twice(folder, read, **options) == []
    assert load_twice(folder, read, size=8) == []


def test_scale_follows_the_largest_file(folder, read):
    options = {"size": 8, "keep_scale": True}
    load_twice(folder, read, **options)
    assert load_twice(folder, read, **options) == []
    save(folder / "small.png", np.zeros((4, 4), dtype=np.uint8))
    assert load_twice(folder, read, **options) == ["small.png"]
    save(folder / "large.png", np.zeros((40, 4), dtype=np.uint8))
    assert len(set(load_twice(folder, read, **options))) == 22


def test_dtype_follows_all_files(folder, read):
    options = {"size": 8, "mixed_depth": "widen"}
    load_twice(folder, read, **options)
    save(folder / "wide.png", make_pixels(1, np.uint16))
    assert len(set(load_twice(folder, read, **options))) == 21
    save(folder / "0001.png", make_pixels(50))
    assert load_twice(folder, read, **options) == ["0001.png"]


def test_colors_may_change_altogether(folder, read):
    load_twice(folder, read, size=8)
    for path in folder.iterdir():
        save(path, np.zeros((11, 11, 3), dtype=np.uint8))
    assert len(load_twice(folder, read, size=8)) == 20


@pytest.mark.parametrize("damage", ["cut index", "no pixels", "cut pixels", "text"])
def test_damaged_caches_are_made_anew(folder, read, damage):
    load_twice(folder, read, size=8)
    index, pixels = sorted((folder.parent / "cache").iterdir(), key=lambda p: p.suffix)
    if damage == "cut index":
        index.write_bytes(index.read_bytes()[:100])
    elif damage == "no pixels":
        pixels.unlink()
    elif damage == "cut pixels":
        pixels.write_bytes(pixels.read_bytes()[:200])
    else:
        index.write_text("[]")
    assert len(load_twice(folder, read, size=8)) == 20
    assert load_twice(folder, read, size=8) == []


def test_failed_writing_leaves_the_cache_as_it_was(folder, read, monkeypatch):
    load_twice(folder, read, size=8)
    cache = folder.parent / "cache"
    before = {path: path.read_bytes() for path in cache.iterdir()}
    save(folder / "new.png", make_pixels(3))
    with monkeypatch.context() as patch:
        patch.setattr(np, "save", lambda file, _: file.write(b"half") and 1 / 0)
        with pytest.raises(ZeroDivisionError):
            load_image_folder(folder, size=8, cache=cache)
    assert {path: path.read_bytes() for path in cache.iterdir()} == before


def test_a_cache_in_the_folder_holds_no_images(folder):
    first = load_image_folder(folder, size=8, cache=folder / "kept")
    assert_same(load_image_folder(folder, size=8, cache=folder / "kept"), first)
    assert len(first.images) == 20


def test_notes_come_from_the_cache_too(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    for number in range(2):
        pixels = np.full((9, 9), [np.nan] + [number] * 8, dtype=np.float32)
        tifffile.imwrite(tmp_path / f"{number}.tif", pixels)
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"in 2 of 2 files, such as 0\.tif"):
            load_image_folder(tmp_path, size=9, cache=tmp_path / "cache")
