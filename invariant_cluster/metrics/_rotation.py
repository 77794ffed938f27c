"""Predicted angles against true ones, up to the one offset that nothing fixes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.validation import check_finite_array, check_same_length

_NO_SPREAD = 1e-12


def rotation_correlation(theta_true: ArrayLike, theta_pred: ArrayLike) -> float:
    r"""Return the circular correlation rho_T of two sets of angles.

    ``sum_{i<j} sin(a_i - a_j) sin(b_i - b_j)`` over its largest value,
    ``sqrt(sum_{i<j} sin^2(a_i - a_j) sum_{i<j} sin^2(b_i - b_j))`` (Fisher and Lee,
    *Biometrika* 70, 1983), computed in O(n) by the equal form::

        (|mean e^{i(a-b)}|^2 - |mean e^{i(a+b)}|^2)
        / sqrt((1 - |mean e^{2ia}|^2) (1 - |mean e^{2ib}|^2))

    Only differences of angles enter. So one global offset changes nothing, angles
    are taken modulo 2 pi, and angles that are uniform on the circle are no trouble.
    The coefficient of Jammalamadaka and SenGupta refers to mean directions, which
    uniform angles do not have, and Pearson's breaks at 2 pi. For uniform true angles
    and independent errors of one law, this is about the square of the errors' mean
    resultant length.

    Parameters
    ----------
    theta_true, theta_pred : array-like of shape (n_samples,), in radians

    Returns
    -------
    float
        In [-1, 1]: 1 for ``theta_pred = theta_true + c`` modulo 2 pi (and for no other
        relation once there are three directions that differ modulo pi), -1 for
        ``c - theta_true``, a wrong sign; about 0 if unrelated; NaN where it is not
        defined, because either set has all its angles equal modulo pi.

    Raises
    ------
    ValueError
        Other shapes, unequal lengths, NaN or infinity.
    """
    a, b = _check_angles(theta_true, theta_pred)
    spread_a, spread_b = 1 - _resultant(2 * a) ** 2, 1 - _resultant(2 * b) ** 2
    if min(spread_a, spread_b) < _NO_SPREAD:
        return math.nan
    covariance = _resultant(a - b) ** 2 - _resultant(a + b) ** 2
    rho = covariance / math.sqrt(spread_a * spread_b)
    return float(np.clip(rho, -1, 1))


def rotation_error(
    theta_true: ArrayLike, theta_pred: ArrayLike, *, remove_offset: bool = True
) -> float:
    """Return the median absolute error of angles, in degrees.

    Parameters
    ----------
    theta_true, theta_pred : array-like of shape (n_samples,), in radians
    remove_offset : bool
        Whether one angle common to all images is subtracted first: the median of the
        differences about their circular mean. Leave it on for absolute angles, whose
        zero is the model's own; turn it off for changes of angle under a known move.

    Returns
    -------
    float
        In [0, 180]; about 90 if unrelated.

    Raises
    ------
    ValueError
        Other shapes, unequal lengths, NaN or infinity.
    """
    a, b = _check_angles(theta_true, theta_pred)
    error = _wrap(b - a)
    if remove_offset:
        error = _wrap(error - np.angle(np.exp(1j * error).mean()))
        # Few wild errors shift the mean; the median of the rest is what they share.
        error = _wrap(error - np.median(error))
    return float(np.rad2deg(np.median(np.abs(error))))


def _check_angles(
    theta_true: ArrayLike, theta_pred: ArrayLike
) -> tuple[NDArray, NDArray]:
    a = check_finite_array(theta_true, "theta_true", (None,)).astype(np.float64)
    b = check_finite_array(theta_pred, "theta_pred", (None,)).astype(np.float64)
    check_same_length(theta_true=a, theta_pred=b)
    return a, b


def _resultant(angles: NDArray) -> float:
    """Return the mean resultant length |mean e^{i angle}|, in [0, 1]."""
    return float(np.abs(np.exp(1j * angles).mean()))


def _wrap(angles: NDArray) -> NDArray:
    """Return the angles in [-pi, pi)."""
    return (angles + math.pi) % (2 * math.pi) - math.pi
