import math

import numpy as np
import pytest

from invariant_cluster.metrics import (
    rotation_correlation,
    rotation_error,
    translation_correlation,
    translation_error,
)

TURN = 2 * math.pi


def naive_rho(a, b):
    """Fisher and Lee's rho_T as printed, a loop over pairs."""
    top = left = right = 0.0
    for i in range(len(a)):
        for j in range(i + 1, len(a)):
            sine_a, sine_b = math.sin(a[i] - a[j]), math.sin(b[i] - b[j])
            top += sine_a * sine_b
            left += sine_a**2
            right += sine_b**2
    return top / math.sqrt(left * right)


@pytest.fixture
def theta():
    return np.random.default_rng(0).uniform(0, TURN, 200)


@pytest.fixture
def noisy(theta):
    return theta + 0.4 * np.random.default_rng(1).normal(size=200)


@pytest.mark.parametrize("spread", [TURN, 1.0])
def test_rotation_correlation_equals_the_naive_twin(spread):
    rng = np.random.default_rng(2)
    a = rng.uniform(0, spread, 40)
    b = a + rng.normal(size=40)
    assert rotation_correlation(a, b) == pytest.approx(naive_rho(a, b))


@pytest.mark.parametrize("offset", [0.0, 1.0, math.pi, -20.0])
def test_an_offset_and_full_turns_change_nothing(theta, noisy, offset):
    moved = (noisy + offset) % TURN + TURN * (np.arange(200) % 3)
    expected = rotation_correlation(theta, noisy)
    assert rotation_correlation(theta, moved) == pytest.approx(expected)
    assert 0.5 < expected < 0.99
    assert rotation_error(theta, moved) == pytest.approx(rotation_error(theta, noisy))


def test_rotation_correlation_at_its_ends(theta):
    assert rotation_correlation(theta, theta + 2) == pytest.approx(1)
    assert rotation_correlation(theta, 2 - theta) == pytest.approx(-1)
    other = np.random.default_rng(3).uniform(0, TURN, 200)
    assert abs(rotation_correlation(theta, other)) < 0.1


def test_for_uniform_angles_it_is_the_squared_resultant():
    theta = np.arange(4000) / 4000 * TURN
    error = 0.5 * np.random.default_rng(0).normal(size=4000)
    found = rotation_correlation(theta, theta + error)
    assert found == pytest.approx(math.exp(-(0.5**2)), abs=0.03)


@pytest.mark.parametrize("value", [0.0, 0.1, 3.0])
def test_rotation_correlation_is_nan_without_spread(theta, value):
    constant = np.full(200, value) + math.pi * (np.arange(200) % 2)
    assert math.isnan(rotation_correlation(theta, constant))
    assert math.isnan(rotation_correlation(constant, theta))


def test_a_small_spread_is_a_spread(theta):
    found = rotation_correlation(1e-5 * theta, 2e-5 * theta + 1)
    assert found == pytest.approx(1, abs=1e-4)


def test_rotation_error_is_the_median_in_degrees():
    theta = np.linspace(0, TURN, 101, endpoint=False)
    error = np.deg2rad(np.linspace(-20, 20, 101))
    assert rotation_error(theta, theta + error + 1.3) == pytest.approx(10, abs=0.5)
    assert rotation_error(theta, theta + 0.5, remove_offset=False) == pytest.approx(
        np.rad2deg(0.5)
    )
    assert rotation_error(theta, theta + 0.5) == pytest.approx(0, abs=1e-9)


def test_wild_errors_do_not_shift_the_offset(theta):
    pred = theta + 1.0
    pred[:60] += math.pi / 2
    assert rotation_error(theta, pred) == pytest.approx(0, abs=1e-9)


def test_translation_correlation_equals_numpy():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(50, 2))
    b = a * [2, -1] + rng.normal(size=(50, 2)) + 9
    found = translation_correlation(a, b)
    assert found.shape == (2,)
    for axis in range(2):
        expected = np.corrcoef(a[:, axis], b[:, axis])[0, 1]
        assert found[axis] == pytest.approx(expected)
    np.testing.assert_allclose(translation_correlation(a, 3 - 2 * a), -1)


def test_translation_correlation_is_nan_where_nothing_varies():
    a = np.random.default_rng(0).normal(size=(50, 2))
    b = np.column_stack([a[:, 0], np.full(50, 0.1)])
    found = translation_correlation(a, b)
    assert found[0] == pytest.approx(1)
    assert np.isnan(found[1])


def test_translation_error_is_the_median_distance():
    a = np.zeros((5, 2))
    b = np.array([[3, 4], [0, 1], [0, 2], [30, 40], [0, 0]])
    assert translation_error(a, b) == 2.0


@pytest.mark.parametrize("score", [rotation_correlation, rotation_error])
def test_bad_angles(score, theta):
    with pytest.raises(ValueError, match=r"len\(theta_true\)=200, len\(theta_pred\)=9"):
        score(theta, theta[:9])
    with pytest.raises(ValueError, match=r"theta_pred holds NaN .* first in row 0"):
        score(theta, theta * np.nan)
    with pytest.raises(ValueError, match=r"theta_true has shape \(200, 1\)"):
        score(theta[:, None], theta)
    with pytest.raises(ValueError, match=r"theta_true has shape \(0,\).*not empty"):
        score([], [])


@pytest.mark.parametrize("score", [translation_correlation, translation_error])
def test_bad_shifts(score):
    tau = np.zeros((7, 2))
    with pytest.raises(ValueError, match=r"tau_pred has shape \(7, 3\).*\(any, 2\)"):
        score(tau, np.zeros((7, 3)))
    with pytest.raises(ValueError, match="tau_true and tau_pred differ in length"):
        score(tau, tau[1:])
