"""Checks of options and arrays; the only import of scikit-learn's private names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.metaestimators import _BaseComposition as Composition

__all__ = [
    "Composition",
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
    """Check that an option has one of the allowed values.

    Parameters
    ----------
    name : str
        Name of the option, for the error message.
    value : object
        Value to check.
    choices : iterable
        Allowed values.

    Raises
    ------
    ValueError
        If the value is not allowed; the message names the option, its value and the
        allowed values.
    """
    allowed = list(choices)
    if value not in allowed:
        raise ValueError(f"{name}={value!r} is unknown: choose one of {allowed}.")


def check_sizes(name: str, sizes: Any) -> tuple[int, ...]:
    """Return the widths of hidden layers as a tuple of int.

    Parameters
    ----------
    name : str
        Name of the option, for the error message.
    sizes : int or sequence of int
        Widths of the layers; a single int is one layer.

    Returns
    -------
    tuple of int
        One or more positive widths.

    Raises
    ------
    ValueError
        If there are no widths, or one is not a positive integer.

    Examples
    --------
    >>> from invariant_cluster.validation import check_sizes
    >>> check_sizes("hidden", [64, 32]), check_sizes("hidden", 16)
    ((64, 32), (16,))
    """
    values = tuple(np.ravel(np.asarray(sizes, dtype=object)))
    are_sizes = all(isinstance(size, Integral) and int(size) >= 1 for size in values)
    if not values or not are_sizes:
        raise ValueError(
            f"{name}={sizes!r} must hold the widths of the hidden layers: give one or "
            "more positive integers, such as (256, 256, 256)."
        )
    return tuple(int(size) for size in values)


def check_labels(labels: ArrayLike, name: str) -> NDArray:
    """Return labels as a 1-D array without missing values.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Labels of any dtype, at least one.
    name : str
        Name of the argument, for the error message.

    Returns
    -------
    ndarray of shape (n,)
        The labels in their own dtype.

    Raises
    ------
    ValueError
        If the labels are not 1-D, are empty, or hold None or NaN.

    See Also
    --------
    check_finite_array : Check an array of real numbers.
    check_same_length : Check that arrays have equally many rows.
    """
    array = np.asarray(labels)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}: expected one label per sample, shape "
            "(n,) with n >= 1. Use ravel() on a column and argmax(axis=1) on "
            "probabilities."
        )
    missing = np.asarray(pd.isna(array))
    if missing.any():
        raise ValueError(
            f"{name} has a missing value, first in row {missing.argmax()}: drop these "
            "samples or give them a separate label."
        )
    return array


def check_finite_array(
    values: ArrayLike, name: str, shape: tuple[int | None, ...]
) -> NDArray:
    """Return an array of real, finite numbers of an expected shape.

    Parameters
    ----------
    values : array-like
        Values of bool, integer or float dtype.
    name : str
        Name of the argument, for the error message.
    shape : tuple of (int or None)
        Expected length of each axis; None allows any length of at least 1.

    Returns
    -------
    ndarray
        The values in their own dtype.

    Raises
    ------
    ValueError
        If the shape or the dtype differs, or a value is NaN or infinite.

    See Also
    --------
    check_labels : Check labels of any dtype.
    check_same_shape : Check that arrays have the same shape.
    """
    array = np.asarray(values)
    fits = array.ndim == len(shape) and all(
        found > 0 if expected is None else found == expected
        for found, expected in zip(array.shape, shape, strict=True)
    )
    if not fits or array.dtype.kind not in "biuf":
        wanted = ", ".join("any" if side is None else str(side) for side in shape)
        raise ValueError(
            f"{name} has shape {array.shape} and dtype {array.dtype}: expected real "
            f"numbers of shape ({wanted}), not empty; reshape or convert the array."
        )
    _check_no_nan(array, name)
    return array


def _check_no_nan(array: NDArray, name: str) -> None:
    """Raise a ValueError that names the first row with NaN or infinity."""
    bad = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    if bad.any():
        raise ValueError(
            f"{name} holds NaN or infinity, first in row {bad.argmax()}: drop or fill "
            "these rows."
        )


def check_same_length(**arrays: NDArray) -> None:
    """Check that arrays have equally many rows.

    Parameters
    ----------
    **arrays : ndarray
        The arrays by their names in the error message.

    Raises
    ------
    ValueError
        If the numbers of rows differ.

    See Also
    --------
    check_same_shape : Check that arrays have the same shape.
    """
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"len({name})={n}" for name, n in lengths.items())
        raise ValueError(
            f"{' and '.join(lengths)} differ in length ({found}): give one entry for "
            "each of the same samples."
        )


def check_same_shape(**arrays: NDArray) -> None:
    """Check that arrays have the same shape.

    Parameters
    ----------
    **arrays : ndarray
        The arrays by their names in the error message.

    Raises
    ------
    ValueError
        If the shapes differ.

    See Also
    --------
    check_same_length : Check only the number of rows.
    """
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
