"""Projections keep their pose in our convention, and get the noise that is asked."""

import math

import numpy as np
import pytest

from invariant_cluster.datasets import load_projections, make_oriented
from invariant_cluster.geometry import move_array

FILE = "cryo_sim70s.npz"


def make_arrays(**changes):
    """Return the arrays of an archive of moved L shapes, and their theta and tau."""
    still = np.zeros((60, 24, 24), dtype=np.uint8)
    still[:, 8:16, 9:11] = 200
    still[:, 14:16, 9:15] = 100
    images, theta, tau = make_oriented(still, translation_std=0.05)
    arrays = {
        "images": images,
        "labels": np.arange(60) % 3,
        "class_names": np.array(["view0", "view1", "view2"]),
        "theta": ((theta + math.pi) % (2 * math.pi) - math.pi).astype(np.float32),
        "shift_yx": np.stack([-tau[:, 1], tau[:, 0]], axis=1).astype(np.float32),
    }
    return arrays | changes, theta, tau


@pytest.fixture
def data_home(tmp_path):
    np.savez(tmp_path / FILE, **make_arrays()[0])
    return tmp_path


@pytest.fixture
def truth():
    return make_arrays()


def test_bunch(data_home, truth):
    arrays, theta, tau = truth
    bunch = load_projections(data_home=data_home)
    assert bunch.images.dtype == np.float32
    np.testing.assert_array_equal(bunch.images, arrays["images"])
    np.testing.assert_array_equal(bunch.target, arrays["labels"])
    np.testing.assert_array_equal(bunch.view, bunch.target)
    assert bunch.target_names.tolist() == ["view0", "view1", "view2"]
    np.testing.assert_allclose(bunch.theta, theta, atol=1e-6)
    np.testing.assert_allclose(bunch.tau, tau, atol=1e-5)
    assert 0 <= bunch.theta.min() <= bunch.theta.max() < 2 * math.pi
    assert "without noise" in bunch.DESCR
    assert max(map(len, bunch.DESCR.splitlines())) <= 88


@pytest.mark.usefixtures("generators_unchanged")
@pytest.mark.parametrize("noise", [1, 0.1, 0.03])
def test_noise_has_the_ratio(data_home, truth, noise):
    clean = truth[0]["images"].astype(float)
    bunch = load_projections(noise, data_home=data_home, random_state=0)
    added = bunch.images - clean
    row, column = np.indices((24, 24)) - 11.5
    inside = np.hypot(row, column) <= 12
    signal = np.mean([image[inside].var() for image in clean])
    assert bunch.images.dtype == np.float32
    assert signal / added.var() == pytest.approx(noise, rel=0.03)
    assert abs(added.mean()) < 0.02 * added.std()
    corners = added[:, ~inside]
    assert corners.std() == pytest.approx(added.std(), rel=0.05)
    neighbours = np.corrcoef(added[:, :, 1:].ravel(), added[:, :, :-1].ravel())[0, 1]
    assert abs(neighbours) < 0.02
    assert f"signal-to-noise ratio of {noise:g}" in " ".join(bunch.DESCR.split())
    assert max(map(len, bunch.DESCR.splitlines())) <= 88


def test_seed(data_home):
    first, again, other = (
        load_projections(0.1, data_home=data_home, random_state=seed).images
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_environment_and_pair(data_home, monkeypatch):
    monkeypatch.setenv("INVARIANT_CLUSTER_DATA", str(data_home))
    images, target = load_projections(return_X_y=True)
    assert len(images) == len(target) == 60


def test_missing_file_says_what_it_holds(tmp_path):
    message = r"looked for .*cryo_sim70s\.npz.*shift_yx \(n, 2\) in pixels, y down"
    with pytest.raises(FileNotFoundError, match=message):
        load_projections(data_home=tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"theta": np.zeros(59)},
        {"theta": np.array(["a"] * 60)},
        {"shift_yx": np.zeros((60, 3))},
        {"images": np.zeros((60, 24, 24, 3), dtype=np.uint8)},
    ],
)
def test_foreign_content(tmp_path, changes):
    np.savez(tmp_path / FILE, **make_arrays(**changes)[0])
    with pytest.raises(ValueError, match=r"cryo_sim70s\.npz holds images .*theta \(n,"):
        load_projections(data_home=tmp_path)


def test_foreign_file(tmp_path):
    np.savez(tmp_path / FILE, images=np.zeros((3, 8, 8), dtype=np.uint8))
    with pytest.raises(ValueError, match="no 'labels' among its keys"):
        load_projections(data_home=tmp_path)


@pytest.mark.parametrize("noise", [0, -0.1, np.nan, np.inf])
def test_bad_noise(data_home, noise):
    with pytest.raises(ValueError, match=r"noise=.* must be positive and finite"):
        load_projections(noise, data_home=data_home)


def test_noise_is_a_number(data_home):
    with pytest.raises(TypeError, match="noise must be an instance of"):
        load_projections("0.1", data_home=data_home)


def test_real_archive(real_archive):
    real_archive(FILE)
    bunch = load_projections()
    assert bunch.images.shape == (3000, 64, 64)
    assert set(bunch.target) == set(range(10))
    # Moved back by their poses, the images of a view are all alike.
    rows = np.flatnonzero(bunch.view == 0)[:20]
    theta, tau = bunch.theta[rows], bunch.tau[rows]
    fill = np.full((1, 1, 1), 89.0)
    shifted = move_array(bunch.images[rows, None], np.zeros(20), -tau, fill)
    turned = move_array(shifted, -theta, np.zeros((20, 2)), fill)[:, 0, 16:48, 16:48]
    assert np.corrcoef(turned.reshape(20, -1)).min() > 0.99
