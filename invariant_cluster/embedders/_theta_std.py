"""From the certainty of angles to the standard deviations that users get."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LEAST_CERTAINTY = 0.5


def theta_std_of(certainty: NDArray) -> NDArray[np.float32]:
    """Return the standard deviation of angles, NaN for images without a direction.

    Parameters
    ----------
    certainty : ndarray of shape (n,)
        Expected length of the mean of ``e^{i error}``, from 0 to 1.

    Returns
    -------
    ndarray of shape (n,), float32
        ``sqrt(-2 ln R)`` in radians, at most 1.18; NaN if R is below 1/2.
    """
    std = np.full(len(certainty), np.nan, dtype=np.float32)
    sure = certainty >= _LEAST_CERTAINTY
    std[sure] = np.sqrt(-2 * np.log(np.minimum(certainty[sure], 1.0)))
    return std
