"""Checks of options and arrays; the only door to scikit-learn's private names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval, Options, StrOptions

__all__ = [
    "Interval",
    "Options",
    "StrOptions",
    "check_choice",
    "check_finite_array",
    "check_labels",
    "check_same_length",
    "check_same_shape",
    "check_sizes",
    "unchanged_on_error",
]


def check_choice(name: str, value: object, choices: Iterable[object]) -> None:
    """Raise a ValueError that names the option, its value and what is allowed."""
    allowed = list(choices)
    if value not in allowed:
        raise ValueError(f"{name}={value!r} is unknown: choose one of {allowed}.")


def check_sizes(name: str, sizes: Any) -> tuple[int, ...]:
    """Return widths of hidden layers as a tuple: positive integers, at least one."""
    values = tuple(np.ravel(np.asarray(sizes, dtype=object)))
    are_sizes = all(isinstance(size, Integral) and int(size) >= 1 for size in values)
    if not values or not are_sizes:
        raise ValueError(
            f"{name}={sizes!r} must hold the widths of the hidden layers: give one or "
            "more positive integers, such as (256, 256, 256)."
        )
    return tuple(int(size) for size in values)


def check_labels(labels: ArrayLike, name: str) -> NDArray:
    """Return labels as an array (n,) without missing values, of their own dtype."""
    array = np.asarray(labels)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}: expected one label a sample, shape (n,) "
            "with n >= 1. Ravel a column; take argmax(axis=1) of probabilities."
        )
    missing = np.asarray(pd.isna(array))
    if missing.any():
        raise ValueError(
            f"{name} has a missing value, first in row {missing.argmax()}: drop such "
            "samples or give them a label of their own."
        )
    return array


def check_finite_array(
    values: ArrayLike, name: str, shape: tuple[int | None, ...]
) -> NDArray:
    """Return real, finite numbers of a shape in which ``None`` is any length >= 1."""
    array = np.asarray(values)
    fits = array.ndim == len(shape) and all(
        found > 0 if expected is None else found == expected
        for found, expected in zip(array.shape, shape, strict=True)
    )
    if not fits or array.dtype.kind not in "biuf":
        wanted = ", ".join("any" if side is None else str(side) for side in shape)
        raise ValueError(
            f"{name} has shape {array.shape} and dtype {array.dtype}: expected real "
            f"numbers of shape ({wanted}), not empty; reshape or convert it."
        )
    _check_no_nan(array, name)
    return array


def _check_no_nan(array: NDArray, name: str) -> None:
    bad = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    if bad.any():
        raise ValueError(
            f"{name} holds NaN or infinity, first in row {bad.argmax()}: drop or fill "
            "such rows."
        )


def check_same_length(**arrays: NDArray) -> None:
    """Raise when the named arrays differ in their number of rows."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"len({name})={n}" for name, n in lengths.items())
        raise ValueError(
            f"{' and '.join(lengths)} differ in length ({found}): give one entry for "
            "each of the same samples."
        )


def check_same_shape(**arrays: NDArray) -> None:
    """Raise when the named arrays differ in shape."""
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) > 1:
        found = ", ".join(f"{name}: {shape}" for name, shape in shapes.items())
        raise ValueError(
            f"{' and '.join(shapes)} differ in shape ({found}): give one row for each "
            "of the same images, from one embedder."
        )


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Give an estimator its attributes back if the block raises.

    A refit that fails in its checks so leaves the earlier fit as it was. Attributes are
    restored by reference: the block must not change them in place.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
