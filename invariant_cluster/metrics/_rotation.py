"""Comparison of predicted with true angles."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.geometry import signed_angle
from invariant_cluster.validation import check_finite_array, check_same_length

_NO_SPREAD = 1e-12


def rotation_correlation(theta_true: ArrayLike, theta_pred: ArrayLike) -> float:
    """Return the circular correlation of two sets of angles.

    Parameters
    ----------
    theta_true : array-like of shape (n_samples,)
        True angles in radians.
    theta_pred : array-like of shape (n_samples,)
        Predicted angles in radians, in the same order.

    Returns
    -------
    float
        In [-1, 1]:

        - 1 for ``theta_pred = theta_true + c`` modulo 2 pi, and for no other relation
          once three directions differ modulo pi;
        - -1 for ``theta_pred = c - theta_true``, the wrong sign;
        - about 0 for unrelated angles;
        - NaN if either set has all its angles equal modulo pi, where the coefficient is
          not defined.

    Raises
    ------
    ValueError
        If the shapes are not (n_samples,), the lengths differ, or a value is NaN or
        infinite.

    See Also
    --------
    rotation_error : Median error in degrees.
    translation_correlation : The same for shifts.
    invariant_cluster.plot.PoseDisplay : Plot predicted against true angles.

    Notes
    -----
    The coefficient rho_T is ``sum_{i<j} sin(a_i - a_j) sin(b_i - b_j)`` divided by its
    largest value, ``sqrt(sum_{i<j} sin^2(a_i - a_j) sum_{i<j} sin^2(b_i - b_j))``. The
    sums are computed in O(n) by the equivalent form::

        (|mean e^{i(a-b)}|^2 - |mean e^{i(a+b)}|^2)
        / sqrt((1 - |mean e^{2ia}|^2) (1 - |mean e^{2ib}|^2))

    Only differences of angles enter: one global offset changes nothing, angles count
    modulo 2 pi, and angles that are uniform on the circle are allowed. The coefficient
    of Jammalamadaka and SenGupta needs mean directions, which uniform angles do not
    have. Pearson's coefficient breaks at 2 pi.

    For uniform true angles and independent errors of one distribution, rho_T is about
    the square of the mean resultant length of the errors.

    References
    ----------
    N. I. Fisher and A. J. Lee, "A correlation coefficient for circular data",
    Biometrika 70, 1983.

    Examples
    --------
    >>> from invariant_cluster.metrics import rotation_correlation
    >>> round(rotation_correlation([0.1, 2.0, 4.0], [1.1, 3.0, 5.0]), 2)
    1.0
    >>> round(rotation_correlation([0.1, 2.0, 4.0], [-0.1, -2.0, -4.0]), 2)
    -1.0
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
    theta_true : array-like of shape (n_samples,)
        True angles in radians.
    theta_pred : array-like of shape (n_samples,)
        Predicted angles in radians, in the same order.
    remove_offset : bool, default=True
        Whether to subtract one angle common to all images first. Leave it True for
        absolute angles, whose zero the model chooses. Use False for changes of angle
        under a known rotation.

    Returns
    -------
    float
        In [0, 180]; about 90 for unrelated angles.

    Raises
    ------
    ValueError
        If the shapes are not (n_samples,), the lengths differ, or a value is NaN or
        infinite.

    See Also
    --------
    rotation_correlation : Circular correlation.
    translation_error : The same for shifts.

    Notes
    -----
    The common angle is the median of the differences about their circular mean.

    Examples
    --------
    >>> from invariant_cluster.metrics import rotation_error
    >>> theta = [0.1, 2.0, 4.0]
    >>> rotation_error(theta, [1.1, 3.0, 5.0])
    0.0
    >>> round(rotation_error(theta, [1.1, 3.0, 5.0], remove_offset=False), 1)
    57.3
    """
    a, b = _check_angles(theta_true, theta_pred)
    error = signed_angle(b - a)
    if remove_offset:
        error = signed_angle(error - np.angle(np.exp(1j * error).mean()))
        # Outliers shift the circular mean; the median of the rest corrects for it.
        error = signed_angle(error - np.median(error))
    return float(np.rad2deg(np.median(np.abs(error))))


def _check_angles(
    theta_true: ArrayLike, theta_pred: ArrayLike
) -> tuple[NDArray, NDArray]:
    """Return both arrays as float64 (n,) if they are finite and equally long."""
    a = check_finite_array(theta_true, "theta_true", (None,)).astype(np.float64)
    b = check_finite_array(theta_pred, "theta_pred", (None,)).astype(np.float64)
    check_same_length(theta_true=a, theta_pred=b)
    return a, b


def _resultant(angles: NDArray) -> float:
    """Return the mean resultant length |mean e^{i angle}|, in [0, 1]."""
    return float(np.abs(np.exp(1j * angles).mean()))
