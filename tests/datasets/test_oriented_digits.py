"""The digits are oriented, in frame and the same for a seed."""

import numpy as np
import pytest

from invariant_cluster.datasets import load_oriented_digits


def test_bunch():
    digits = load_oriented_digits()
    assert digits.images.shape == (1797, 24, 24)
    assert digits.images.dtype == np.uint8
    assert digits.target.shape == (1797,)
    assert digits.target.dtype == np.int64
    assert digits.target_names.tolist() == list("0123456789")
    assert digits.theta.shape == (1797,)
    assert digits.tau.shape == (1797, 2)
    assert "16x16" in digits.DESCR
    assert "24x24" in digits.DESCR


def test_digits_are_mostly_in_frame():
    moved = load_oriented_digits().images.sum(axis=(1, 2), dtype=float)
    still = load_oriented_digits(translation_std=0).images.sum(axis=(1, 2), dtype=float)
    kept = moved / still
    assert np.median(kept) > 0.99
    assert (kept > 0.9).mean() > 0.9


@pytest.mark.parametrize("size", [12, 15, 32])
def test_size(size):
    images, _ = load_oriented_digits(size=size, return_X_y=True)
    assert images.shape == (1797, size, size)


@pytest.mark.parametrize("size", [24, 32])
def test_digits_that_are_not_shifted_fit_at_any_angle(size):
    images = load_oriented_digits(size=size, translation_std=0).images.astype(float)
    assert images.sum() - images[:, 1:-1, 1:-1].sum() < 1e-3 * images.sum()


def test_seed():
    first, second = (load_oriented_digits(random_state=seed) for seed in (0, 1))
    assert not np.array_equal(first.images, second.images)


def test_bad_size():
    with pytest.raises(ValueError, match="size == 11, must be >= 12"):
        load_oriented_digits(size=11)
    with pytest.raises(TypeError, match="size must be an instance of"):
        load_oriented_digits(size=24.0)
