"""Checks on the arguments of the metrics, whose errors say what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


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
