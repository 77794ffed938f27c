"""Predicted shifts against true ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.validation import check_finite_array, check_same_length


def translation_correlation(
    tau_true: ArrayLike, tau_pred: ArrayLike
) -> NDArray[np.float64]:
    """Return Pearson's correlation of true and predicted shifts, for each axis.

    As in table 1 of the paper.

    Parameters
    ----------
    tau_true, tau_pred : array-like of shape (n_samples, 2)
        (x, y), in any unit.

    Returns
    -------
    ndarray of shape (2,)
        For x and y, in [-1, 1]; NaN on an axis on which either does not vary.

    Raises
    ------
    ValueError
        Other shapes, unequal lengths, NaN or infinity.
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

    No offset is removed: give changes of tau under a known move, or shifts that are
    measured from the same point.

    Parameters
    ----------
    tau_true, tau_pred : array-like of shape (n_samples, 2)
        (x, y), in one unit; ``predict_pose`` gives pixels.

    Returns
    -------
    float
        In the unit of the input.

    Raises
    ------
    ValueError
        Other shapes, unequal lengths, NaN or infinity.
    """
    a, b = _check_shifts(tau_true, tau_pred)
    return float(np.median(np.linalg.norm(a - b, axis=1)))


def _check_shifts(tau_true: ArrayLike, tau_pred: ArrayLike) -> tuple[NDArray, NDArray]:
    a = check_finite_array(tau_true, "tau_true", (None, 2)).astype(np.float64)
    b = check_finite_array(tau_pred, "tau_pred", (None, 2)).astype(np.float64)
    check_same_length(tau_true=a, tau_pred=b)
    return a, b
