"""Checks of the loaders' arguments; errors name the value and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_scalar

from invariant_cluster.images import MIN_SIDE


def check_option(name: str, value: object, options: Iterable[str]) -> None:
    """Check that a value is one of the options.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    value : object
        Value to check.
    options : iterable of str
        Allowed values.

    Raises
    ------
    ValueError
        If the value is not one of the options.
    """
    allowed = list(options)
    if not (isinstance(value, str) and value in allowed):
        raise ValueError(f"{name}={value!r} is unknown: choose one of {allowed}.")


def check_side(name: str, value: object, minimum: int = MIN_SIDE) -> int:
    """Return the side of a square image as an int.

    Parameters
    ----------
    name : str
        Name of the argument, for the error message.
    value : object
        Side in pixels.
    minimum : int, default=8
        Smallest side allowed.

    Returns
    -------
    int
        The side.

    Raises
    ------
    TypeError
        If the value is not an integer.
    ValueError
        If the value is below the minimum.
    """
    check_scalar(value, name, Integral, min_val=minimum)
    return int(value)  # type: ignore[call-overload]


def check_translation_std(value: object) -> float:
    """Return translation_std as a float.

    Parameters
    ----------
    value : object
        Standard deviation of the shift, as a fraction of the longer side.

    Returns
    -------
    float
        The value, finite and not negative.

    Raises
    ------
    TypeError
        If the value is not a real number.
    ValueError
        If the value is negative, infinite or NaN.
    """
    check_scalar(value, "translation_std", Real)
    number = float(value)  # type: ignore[arg-type]
    if not (np.isfinite(number) and number >= 0):
        raise ValueError(
            f"translation_std={value!r} must be finite and at least 0: it is the "
            "standard deviation of the shift as a fraction of the longer side."
        )
    return number
