"""Archives are read without unpickling, and what is wrong in one is named."""

import numpy as np
import pytest

from invariant_cluster.datasets._archives import find_archive, read_split


def make_arrays(n=6, shape=(10, 12)):
    rng = np.random.default_rng(0)
    return {
        "images": rng.integers(0, 3, (n, *shape), dtype=np.uint8),
        "labels": np.arange(n, dtype=np.int64) % 2,
    }


def make_archive(**changes):
    """Return the arrays of an archive of two parts, some changed or (None) left out."""
    arrays = {
        f"{part}_{kind}": array
        for part, n in (("train", 6), ("test", 4))
        for kind, array in make_arrays(n).items()
    }
    arrays["class_names"] = np.array(["a", "b"])
    arrays.update(changes)
    return {key: array for key, array in arrays.items() if array is not None}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.npz"


@pytest.mark.parametrize(("subset", "n"), [("train", 6), ("test", 4), ("all", 10)])
def test_reads_parts(path, subset, n):
    arrays = make_archive()
    np.savez(path, **arrays)
    images, labels, names = read_split(path, subset)
    assert images.shape == (n, 10, 12)
    assert labels.shape == (n,)
    assert names.tolist() == ["a", "b"]
    first = "test" if subset == "test" else "train"
    np.testing.assert_array_equal(images[:4], arrays[f"{first}_images"][:4])


@pytest.mark.parametrize("shape", [(10, 12), (8, 8, 3)])
def test_reads_archives_without_parts(path, shape):
    arrays = make_arrays(shape=shape)
    np.savez(path, **arrays, class_names=np.array(["a", "b"]))
    images, labels, _ = read_split(path, None)
    np.testing.assert_array_equal(images, arrays["images"])
    np.testing.assert_array_equal(labels, arrays["labels"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_labels": None}, "some.npz.*no 'train_labels' among its keys"),
        ({"class_names": None}, "some.npz.*no 'class_names' among its keys"),
        ({"train_images": np.zeros((6, 9))}, "train_images is float64 of shape"),
        ({"train_images": np.zeros((6, 9), np.uint8)}, r"uint8 of shape \(6, 9\)"),
        ({"train_images": np.zeros((0, 9, 9), np.uint8)}, r"of shape \(0, 9, 9\)"),
        ({"train_labels": np.zeros(5, int)}, "an integer for each of the 6 images"),
        ({"train_labels": np.zeros(6)}, "train_labels is float64"),
        ({"train_labels": np.full(6, 2)}, "runs from 2 to 2, but there are 2 classes"),
        ({"train_labels": np.full(6, -1)}, "train_labels runs from -1"),
    ],
)
def test_foreign_content(path, changes, message):
    np.savez(path, **make_archive(**changes))
    with pytest.raises(ValueError, match=message):
        read_split(path, "train")


def test_object_arrays_are_refused(path):
    np.savez(path, **make_archive(train_images=np.array([{}, []], dtype=object)))
    with pytest.raises(ValueError, match=r"some\.npz is not a readable .*allow_pickle"):
        read_split(path, "train")


@pytest.mark.parametrize("kept", [0, 20, 500, -10])
def test_cut_off_file(path, kept):
    np.savez(path, **make_archive())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"some\.npz is not a readable \.npz archive"):
        read_split(path, "train")


def test_damaged_file(path):
    np.savez_compressed(path, **make_archive())
    content = bytearray(path.read_bytes())
    content[80:200] = bytes(120)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"some\.npz is not a readable \.npz archive"):
        read_split(path, "train")


def test_missing_file(path):
    with pytest.raises(FileNotFoundError, match=r"some\.npz"):
        read_split(path, "train")


def test_single_array(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match=r"some\.npz.*holds a single array"):
        read_split(path, "train")


def test_find_archive_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.delenv("INVARIANT_CLUSTER_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match=r"data_home is None.*is not set.*Ask"):
        find_archive(None, "some.npz", "Ask for it.")
    with pytest.raises(FileNotFoundError, match=r"looked for .*some\.npz.*Ask for it"):
        find_archive(tmp_path, "some.npz", "Ask for it.")
    (tmp_path / "some.npz").touch()
    assert find_archive(tmp_path, "some.npz", "") == tmp_path / "some.npz"
    monkeypatch.setenv("INVARIANT_CLUSTER_DATA", str(tmp_path))
    assert find_archive(None, "some.npz", "") == tmp_path / "some.npz"
