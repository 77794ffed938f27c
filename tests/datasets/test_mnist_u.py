"""MNIST(U) is made from small look-alikes of mnist.npz."""

import numpy as np
import pytest

from invariant_cluster.datasets import fetch_mnist_u


def make_arrays(names=("{}_images", "{}_labels"), shape=(28, 28)):
    rng = np.random.default_rng(0)
    arrays = {}
    for part, n in (("train", 30), ("test", 20)):
        images = np.zeros((n, *shape), dtype=np.uint8)
        images[:, 6:-6, 10:-10] = rng.integers(50, 256, (n, 1, 1))
        arrays[names[0].format(part)] = images
        arrays[names[1].format(part)] = (np.arange(n) % 10).astype(np.uint8)
    return arrays


@pytest.fixture
def data_home(tmp_path):
    np.savez(tmp_path / "mnist.npz", **make_arrays())
    return tmp_path


@pytest.mark.parametrize(("subset", "n"), [("train", 30), ("test", 20), ("all", 50)])
def test_bunch(data_home, subset, n):
    digits = fetch_mnist_u(data_home=data_home, subset=subset)
    assert digits.images.shape == (n, 50, 50)
    assert digits.images.dtype == np.uint8
    assert digits.target.dtype == np.int64
    assert digits.target[:12].tolist() == [*range(10), 0, 1]
    assert digits.target_names.tolist() == list("0123456789")
    assert digits.theta.shape == (n,)
    assert digits.tau.shape == (n, 2)
    assert f'part "{subset}", {n}' in digits.DESCR


def test_environment_names_the_folder(data_home, monkeypatch):
    monkeypatch.setenv("INVARIANT_CLUSTER_DATA", str(data_home))
    images, target = fetch_mnist_u(return_X_y=True)
    assert len(images) == len(target) == 30


def test_small_sizes_show_the_same_scenes(data_home):
    large = fetch_mnist_u(data_home=data_home)
    small = fetch_mnist_u(data_home=data_home, size=25)
    assert small.images.shape == (30, 25, 25)
    means = large.images.reshape(30, 25, 2, 25, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(small.images, means, atol=0.51)
    np.testing.assert_array_equal(small.theta, large.theta)
    np.testing.assert_allclose(small.tau, large.tau / 2)
    assert "shrunk to 25x25" in small.DESCR
    assert "shrunk" not in large.DESCR


def test_large_sizes_are_larger_frames(data_home):
    digits = fetch_mnist_u(data_home=data_home, size=64, translation_std=0)
    assert digits.images.shape == (30, 64, 64)
    assert not digits.tau.any()
    assert not digits.images[:, :12].any()


def test_n_samples_takes_the_first(data_home):
    digits = fetch_mnist_u(data_home=data_home, n_samples=7)
    assert digits.target.tolist() == list(range(7))
    with pytest.raises(ValueError, match="n_samples=31 exceeds the 30 images"):
        fetch_mnist_u(data_home=data_home, n_samples=31)
    with pytest.raises(ValueError, match="n_samples == 0, must be >= 1"):
        fetch_mnist_u(data_home=data_home, n_samples=0)


def test_reads_the_archive_of_keras(tmp_path):
    np.savez(tmp_path / "mnist.npz", **make_arrays(("x_{}", "y_{}")))
    digits = fetch_mnist_u(data_home=tmp_path, subset="all")
    assert digits.images.shape == (50, 50, 50)


@pytest.mark.usefixtures("generators_unchanged")
def test_seed(data_home):
    first, second = (fetch_mnist_u(data_home=data_home).images for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_missing_file_says_how_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"looked for .*mnist\.npz.*OpenML"):
        fetch_mnist_u(data_home=tmp_path)


def test_foreign_files(tmp_path):
    path = tmp_path / "mnist.npz"
    np.savez(path, **make_arrays(shape=(32, 32)))
    with pytest.raises(ValueError, match=r"mnist\.npz: train_images has shape.*28, 28"):
        fetch_mnist_u(data_home=tmp_path)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(ValueError, match=r"mnist\.npz.*no 'train_images' among"):
        fetch_mnist_u(data_home=tmp_path)
    path.write_bytes(b"<html>")
    with pytest.raises(ValueError, match=r"mnist\.npz is not a readable \.npz archive"):
        fetch_mnist_u(data_home=tmp_path)


def test_bad_parameters(data_home):
    with pytest.raises(ValueError, match="subset='valid' is unknown"):
        fetch_mnist_u(data_home=data_home, subset="valid")
    with pytest.raises(ValueError, match="size == 7, must be >= 8"):
        fetch_mnist_u(data_home=data_home, size=7)
