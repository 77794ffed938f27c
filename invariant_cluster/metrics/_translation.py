"""Comparison of predicted with true shifts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.validation import check_finite_array, check_same_length


def translation_correlation(
    tau_true: ArrayLike, tau_pred: ArrayLike
) -> NDArray[np.float64]:
    """Return Pearson's correlation of true and predicted shifts, for each axis.

    Parameters
    ----------
    tau_true : array-like of shape (n_samples, 2)
        True shifts (x, y), in any unit.
    tau_pred : array-like of shape (n_samples, 2)
        Predicted shifts (x, y), in any unit and in the same order.

    Returns
    -------
    ndarray of shape (2,)
        Correlation along x and y, in [-1, 1]. NaN for an axis along which either set
        does not vary.

    Raises
    ------
    ValueError
        If the shapes are not (n_samples, 2), the lengths differ, or a value is NaN or
        infinite.

    See Also
    --------
    translation_error : Median error in the unit of the shifts.
    rotation_correlation : The same for angles.

    Notes
    -----
    The score of table 1 of the paper (Kwon, Choi and Ryu, ICML 2023).

    Examples
    --------
    >>> from invariant_cluster.metrics import translation_correlation
    >>> translation_correlation([[0, 0], [1, 2], [2, 4]], [[0, 0], [2, -2], [4, -4]])
    array([ 1., -1.])
    """
    a, b = _check_shifts(tau_true, tau_pred)
    varies = (np.ptp(a, axis=0) > 0) & (np.ptp(b, axis=0) > 0)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    spread = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    covariance = (a * b).sum(axis=0)
    rho = np.divide(covariance, spread, out=np.full(2, np.nan), where=varies)
    return np.clip(rho, -1, 1)


def translation_error(tau_true: ArrayLike, tau_pred: ArrayLike) -> float:
    """Return the median distance between true and predicted shifts.

    Parameters
    ----------
    tau_true : array-like of shape (n_samples, 2)
        True shifts (x, y).
    tau_pred : array-like of shape (n_samples, 2)
        Predicted shifts (x, y), in the same unit and order. ``predict_pose`` returns
        pixels.

    Returns
    -------
    float
        Median Euclidean distance, in the unit of the input.

    Raises
    ------
    ValueError
        If the shapes are not (n_samples, 2), the lengths differ, or a value is NaN or
        infinite.

    See Also
    --------
    translation_correlation : Pearson's correlation along each axis.
    rotation_error : The same for angles.

    Notes
    -----
    No offset is removed. Compare changes of tau under a known shift, or shifts that are
    measured from the same point.

    Examples
    --------
    >>> from invariant_cluster.metrics import translation_error
    >>> translation_error([[0, 0], [1, 2]], [[0, 1], [1, 5]])
    2.0
    """
    a, b = _check_shifts(tau_true, tau_pred)
    return float(np.median(np.linalg.norm(a - b, axis=1)))


def _check_shifts(tau_true: ArrayLike, tau_pred: ArrayLike) -> tuple[NDArray, NDArray]:
    """Return both arrays as float64 (n, 2) if they are finite and equally long."""
    a = check_finite_array(tau_true, "tau_true", (None, 2)).astype(np.float64)
    b = check_finite_array(tau_pred, "tau_pred", (None, 2)).astype(np.float64)
    check_same_length(tau_true=a, tau_pred=b)
    return a, b
