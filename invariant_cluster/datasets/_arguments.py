"""Checks of the loaders' arguments, with errors that name value and remedy."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_scalar

from invariant_cluster.images import MIN_SIDE


def check_option(name: str, value: object, options: Iterable[str]) -> None:
    """Raise ValueError unless the value is one of the options."""
    allowed = list(options)
    if not (isinstance(value, str) and value in allowed):
        raise ValueError(f"{name}={value!r} is unknown: choose one of {allowed}.")


def check_side(name: str, value: object, minimum: int = MIN_SIDE) -> int:
    """Return the side of a square image in pixels as an int.

    Raises TypeError if it is no integer, ValueError if it is below the minimum.
    """
    check_scalar(value, name, Integral, min_val=minimum)
    return int(value)  # type: ignore[call-overload]


def check_translation_std(value: object) -> float:
    """Return translation_std as a float; it must be finite and not negative."""
    check_scalar(value, "translation_std", Real)
    number = float(value)  # type: ignore[arg-type]
    if not (np.isfinite(number) and number >= 0):
        raise ValueError(
            f"translation_std={value!r} must be finite and at least 0: it is the "
            "standard deviation of the shift as a fraction of the longer side."
        )
    return number
