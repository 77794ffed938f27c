"""Images of every kind of storage are read by need, and equal those in memory."""

import pickle
import sys

import numpy as np
import pytest

from invariant_cluster import PolarFourierEmbedder
from invariant_cluster.datasets import (
    StoredImages,
    load_image_folder,
    open_images,
    sample_images,
)

h5py = pytest.importorskip("h5py")
zarr = pytest.importorskip("zarr")
Image = pytest.importorskip("PIL.Image")

KINDS = ["npy", "npy fortran", "h5", "h5 contiguous", "zarr", "zarr group", "folder"]


def store(images, folder, kind):
    """Write images in a kind of storage and return its path."""
    path = folder / f"images.{kind.split()[0]}"
    if kind.startswith("npy"):
        np.save(path, np.asfortranarray(images) if "fortran" in kind else images)
    elif kind.startswith("h5"):
        with h5py.File(path, "w") as file:
            chunks = None if "contiguous" in kind else (7, *images.shape[1:])
            file.create_dataset("images", data=images, chunks=chunks)
            file.create_dataset("labels/of", data=np.zeros(3))
    elif kind == "zarr":
        zarr.save_array(path, images)
    elif kind == "zarr group":
        path = folder / "group"
        group = zarr.open_group(path, mode="w")
        chunks = (7, *images.shape[1:])
        group.create_array("images", shape=images.shape, dtype="u1", chunks=chunks)
        group["images"][:] = images
        group.create_array("labels", shape=(3,), dtype="f8")
    else:
        path.mkdir()
        for row, image in enumerate(images):
            Image.fromarray(image).save(path / f"{row:03d}.png")
    return path


@pytest.fixture(params=KINDS)
def stored(request, images, tmp_path):
    return open_images(store(images, tmp_path, request.param), size=16)


def test_form(stored, images):
    assert stored.shape == images.shape
    assert stored.dtype == images.dtype
    assert stored.ndim == 3
    assert stored.nbytes == images.nbytes
    assert len(stored) == len(images)


@pytest.mark.parametrize(
    "key",
    [
        slice(None),
        slice(3, 9),
        slice(9, 3),
        slice(40, 100),
        slice(None, None, 5),
        slice(None, None, -7),
        5,
        -1,
        np.int64(3),
        [5, 1, 5, -1, 40],
        np.array([8, 9, 10], dtype=np.uint8),
        np.array([], dtype=int),
        np.arange(48) % 3 == 0,
    ],
    ids=str,
)
def test_rows_are_those_of_the_array(stored, images, key):
    taken = stored[key]
    assert isinstance(taken, np.ndarray)
    np.testing.assert_array_equal(taken, images[key])


def test_whole_array(stored, images):
    np.testing.assert_array_equal(np.asarray(stored), images)
    assert np.asarray(stored, dtype=np.float32).dtype == np.float32
    np.testing.assert_array_equal(np.stack(list(stored)), images)
    copied = np.array(stored)
    copied[0] = 0
    assert stored[0].any()


def test_estimators_take_them(stored, images):
    embedder = PolarFourierEmbedder(d=4).fit(stored)
    expected = PolarFourierEmbedder(d=4).fit(images).transform(images)
    np.testing.assert_array_equal(embedder.transform(stored), expected)


def test_a_pickle_holds_the_path_alone(stored, images):
    content = pickle.dumps(stored)
    assert len(content) < 1000
    np.testing.assert_array_equal(pickle.loads(content)[:], images)


def test_npy_files_stay_on_disk(images, tmp_path):
    stored = open_images(store(images, tmp_path, "npy"))
    assert np.shares_memory(np.asarray(stored), np.asarray(stored))
    assert isinstance(stored.__array__(), np.memmap)


@pytest.mark.parametrize("key", ["a", 1.5, (1, 2), [[1, 2]], None])
def test_what_selects_no_rows_is_an_error(stored, key):
    with pytest.raises(
        TypeError, match=r"images\[.*\] selects more than rows|not sele"
    ):
        stored[key]


@pytest.mark.parametrize("key", [48, -49, [0, 48]])
def test_rows_outside_are_an_error(stored, key):
    with pytest.raises(IndexError, match=r"is outside the 48 images: give rows from 0"):
        stored[key]


def test_masks_of_another_length_are_an_error(stored):
    with pytest.raises(IndexError, match=r"mask of shape .3,. does not fit 48 images"):
        stored[[True, False, True]]


def test_each_piece_of_a_file_is_read_once(images, tmp_path, monkeypatch):
    stored = open_images(store(images, tmp_path, "h5"))
    reads = []
    read = stored._source.read
    counted = lambda *rows: reads.append(rows) or read(*rows)  # noqa: E731
    monkeypatch.setattr(stored, "_source", stored._source._replace(read=counted))
    rows = [13, 0, 20, 6, 13, 7]
    np.testing.assert_array_equal(stored[rows], images[rows])
    assert sorted(reads) == [(0, 7), (7, 14), (20, 21)]  # pieces of 7 rows
    reads.clear()
    stored[5:30]
    assert reads == [(5, 30)]


# Folders


def test_only_taken_files_are_decoded(images, tmp_path):
    path = store(images, tmp_path, "folder")
    (path / "005.png").write_bytes(b"no image")
    stored = open_images(path, size=16)
    np.testing.assert_array_equal(stored[6:], images[6:])
    with pytest.raises(
        ValueError, match=r"(?s)^Files of path=.*005\.png: .*on_error='skip'"
    ):
        stored[4:6]


def test_folders_are_resized_as_when_loaded(tmp_path):
    rng = np.random.default_rng(0)
    for name, shape in [("b/1", (20, 30)), ("a/2", (9, 9)), ("a/1", (40, 12))]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        pixels = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    for color in ["auto", "grey"]:
        stored = open_images(tmp_path, size=12, color=color)
        bunch = load_image_folder(tmp_path, size=12, color=color)
        np.testing.assert_array_equal(stored[:], bunch.images)
    assert [name.replace("\\", "/") for name in stored.names] == [
        "a/1.png",
        "a/2.png",
        "b/1.png",
    ]


def test_files_that_differ_from_the_first_are_named(tmp_path):
    Image.fromarray(np.zeros((9, 9), dtype=np.uint8)).save(tmp_path / "1.png")
    Image.fromarray(np.zeros((9, 9, 3), dtype=np.uint8)).save(tmp_path / "2.png")
    stored = open_images(tmp_path, size=9)
    assert stored.shape == (2, 9, 9)
    with pytest.raises(
        ValueError, match=r"differ in colour .*2\.png.*Use color='grey'"
    ):
        stored[:]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_bad_files_are_left_out_if_asked(images, tmp_path, n_jobs):
    path = store(images, tmp_path, "folder")
    for row in (0, 7):
        (path / f"{row:03d}.png").write_bytes(b"no image")
    options = {"size": 16, "on_error": "skip"}
    stored = open_images(path, n_jobs=n_jobs, **options)
    bunch = load_image_folder(path, **options)
    np.testing.assert_array_equal(stored[:], bunch.images)
    assert stored.skipped.equals(bunch.skipped)
    again = pickle.loads(pickle.dumps(stored))
    np.testing.assert_array_equal(again[:], bunch.images)
    with pytest.raises(ValueError, match="on_error='pass' is unknown: choose"):
        open_images(path, on_error="pass")
    assert open_images(path, size=16, exclude=bunch.skipped.file).skipped is None
    for file in path.iterdir():
        file.write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"48 of 48 files of path=.* cannot be read"):
        open_images(path, **options)


def test_bad_links_are_left_out_if_asked(images, tmp_path):
    path = store(images[:3], tmp_path, "folder")
    try:
        (path / "bad.png").symlink_to(tmp_path / "nowhere.png")
    except OSError:
        pytest.skip("no links here")
    for load in (load_image_folder, open_images):
        assert len(load(path, on_error="skip").skipped) == 1
        load(path, exclude=[path / "bad.png"])


# Errors


def test_paths_that_are_not_there_or_unknown(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere' does not exist: give a fol"):
        open_images(tmp_path / "nowhere")
    (tmp_path / "a.odt").write_text("text")
    with pytest.raises(
        ValueError, match=r"unknown kind: give .* \.npy, \.h5, \.hdf5, "
    ):
        open_images(tmp_path / "a.odt")


@pytest.mark.parametrize("suffix", ["npy", "h5"])
def test_damaged_files(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"cannot be read as arrays: .*Give an intact"):
        open_images(path)


def test_damaged_zarr(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(ValueError, match=r"cannot be read as arrays|holds nothing"):
        open_images(tmp_path / "a.zarr")


def test_an_archive_is_no_array(images, tmp_path):
    np.savez(tmp_path / "a.npz", images=images)
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    with pytest.raises(ValueError, match=r"is an archive of arrays: rename it to .npz"):
        open_images(tmp_path / "a.npy")


@pytest.mark.parametrize("kind", ["h5", "zarr group"])
def test_the_array_of_a_group(images, tmp_path, kind):
    path = store(images, tmp_path, kind)
    with pytest.raises(
        ValueError, match=r"holds .*images.*, but not 'maps': name .*data"
    ):
        open_images(path, dataset="maps")
    other = "labels/of" if kind == "h5" else "labels"
    with pytest.raises(
        ValueError, match=r"holds \(3,\), not images: give an array of s"
    ):
        open_images(path, dataset=other)


def test_arrays_of_no_numbers(tmp_path):
    np.save(tmp_path / "a.npy", np.array(["a"] * 9).reshape(1, 3, 3))
    with pytest.raises(
        ValueError, match="values of dtype <U1: give an array of real n"
    ):
        open_images(tmp_path / "a.npy")


@pytest.mark.parametrize(("package", "kind"), [("h5py", "h5"), ("zarr", "zarr")])
def test_packages_that_are_missing(images, tmp_path, monkeypatch, package, kind):
    path = store(images, tmp_path, kind)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f"with {package}, which .*the extra 'scale'"):
        open_images(path)


def test_parameters_are_checked(tmp_path):
    with pytest.raises(ValueError, match="size == 2, must be >= 8"):
        open_images(tmp_path, size=2)
    with pytest.raises(ValueError, match="color='blue' is unknown"):
        open_images(tmp_path, color="blue")


# Samples


def test_sample_is_of_the_images_in_their_order(stored, images):
    sample, rows = sample_images(stored, 10, random_state=0, return_rows=True)
    assert len(set(rows)) == 10
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(sample, images[rows])


def test_sample_follows_its_seed(images):
    first, again, other = (sample_images(images, 10, random_state=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_every_image_is_drawn_as_often():
    images = np.arange(10)[:, None]
    rng = np.random.RandomState(0)
    drawn = [sample_images(images, 3, random_state=rng).ravel() for _ in range(1000)]
    share = np.bincount(np.concatenate(drawn), minlength=10) / 1000
    np.testing.assert_allclose(share, 0.3, atol=0.06)


def test_a_sample_of_more_than_all_is_all(images):
    np.testing.assert_array_equal(sample_images(images, 100), images)


def test_a_sample_of_a_memmap_is_in_memory(images, tmp_path):
    memmap = np.load(store(images, tmp_path, "npy"), mmap_mode="r")
    assert type(sample_images(memmap, 5)) is np.ndarray


@pytest.mark.parametrize("n_images", [0, -1])
def test_a_sample_has_images(images, n_images):
    with pytest.raises(ValueError, match=f"n_images == {n_images}, must be >= 1"):
        sample_images(images, n_images)


def test_it_shows_its_form(stored):
    assert isinstance(stored, StoredImages)
    assert repr(stored) == "StoredImages(shape=(48, 16, 16), dtype=uint8)"
