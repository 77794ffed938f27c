"""Conversion of what the user gives as X to an array of real numbers."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.utils.validation import check_array

# By the letter of numpy's kinds of dtype; what is left are real numbers and objects.
_TEXT = ("S", "T", "U")
_KINDS = {
    "c": "Complex data not supported: X is complex; give its magnitude, np.abs(X).",
    "U": "X holds strings ({dtype}): Convert your data to numeric values, such as with "
    "X.astype(float).",
    "M": "X holds dates ({dtype}): give an array of real numbers.",
    "m": "X holds durations ({dtype}): give an array of real numbers.",
    "V": "X has fields or raw bytes ({dtype}): give numbers, such as one field of it, "
    "X[{field!r}].",
}
# Of torch.Tensor: RuntimeError. Of integers of any length: OverflowError.
_ERRORS = (TypeError, ValueError, RuntimeError, OverflowError)
_MOST_LETTERS = 200


def as_numeric(X: ArrayLike) -> NDArray:
    """Return X as an array of real numbers, not copied if it is one already.

    Parameters
    ----------
    X : array-like
        Array, list of arrays, DataFrame, tensor on the CPU, ...

    Returns
    -------
    ndarray
        X, of bool, integers or floats; of one axis or more.

    Raises
    ------
    ValueError
        If X is complex, text, ragged, an array of arrays or a single value.
    TypeError
        If X is sparse, no array at all, or of dates.

    Notes
    -----
    Each message is one line that says what X is and what to give.

    See Also
    --------
    check_images : Check images completely.
    check_rows : Check rows completely.
    """
    _refuse_other_things(X)
    array = X if hasattr(X, "shape") else _stacked(X)
    _refuse_dtype(array)
    _refuse_array_of_arrays(array)
    try:
        numbers: NDArray = _checked(array)
    except _ERRORS as error:
        raise _explained(array, error) from error
    if numbers.dtype.kind not in "biuf":
        raise TypeError(f"X has dtype {numbers.dtype}: give an array of real numbers.")
    return numbers


def _refuse_other_things(X: Any) -> None:
    """Raise if X is not array-like, or sparse."""
    if isinstance(X, str | bytes | os.PathLike):
        raise TypeError(
            f"X is {X!r}, not an array: read images with load_image_folder or "
            "open_images first. Convert your data to numeric values."
        )
    if sparse.issparse(X):
        raise TypeError(
            f"X is sparse ({type(X).__name__}): give a dense array, X.toarray()."
        )
    if hasattr(X, "shape") or hasattr(X, "__array__") or hasattr(X, "__len__"):
        if not isinstance(X, dict | set | frozenset):
            return
    elif np.isscalar(X):
        return
    raise TypeError(
        f"X is of type {type(X).__name__}: give an array, or a list of arrays."
    )


def _stacked(X: Any) -> Any:
    """Return a list of images as one array."""
    try:
        return np.asarray(X)
    except ValueError as error:
        raise ValueError(
            "X is a ragged list: its images differ in shape. Pad or resize them to one "
            "shape first (load_image_folder does)."
        ) from error
    except _ERRORS as error:
        raise _explained(X, error) from error


def _refuse_dtype(array: Any) -> None:
    """Raise if the dtype is none of numbers or objects."""
    dtype = getattr(array, "dtype", None)
    kind = getattr(dtype, "kind", "")
    kind = "U" if kind in _TEXT else kind
    if isinstance(dtype, np.dtype) and kind in _KINDS:
        field = (dtype.names or ("name",))[0]
        told = _KINDS[kind].format(dtype=f"dtype {dtype}", field=field)
        raise TypeError(told) if kind in "mM" else ValueError(told)


def _refuse_array_of_arrays(array: Any) -> None:
    """Raise if X is one axis of arrays, as numpy makes it of what it cannot stack."""
    if getattr(array, "ndim", 0) != 1 or getattr(array.dtype, "kind", "") != "O":
        return
    shapes = {np.shape(item) for item in array if np.ndim(item)}
    if len(shapes) == 1:
        raise ValueError(
            f"X is an array of {len(array)} arrays: stack them to one, np.stack(X)."
        )
    if shapes:
        raise ValueError(
            f"X is an array of {len(array)} arrays of {len(shapes)} shapes: Pad or "
            "resize them to one shape and stack them, np.stack(X)."
        )


def _checked(X: Any) -> Any:
    """Return X as an array, with no checks but those of the type."""
    return check_array(
        X,
        dtype="numeric",
        allow_nd=True,
        ensure_2d=False,
        ensure_all_finite=False,
        ensure_min_samples=0,
        ensure_min_features=0,
        input_name="X",
    )


def _explained(X: Any, error: Exception) -> Exception:
    """Return an error of one line that says why X is no numeric array."""
    told = " ".join(str(error).split())
    detail = told if len(told) <= _MOST_LETTERS else f"{told[:_MOST_LETTERS]}..."
    cause = detail.rstrip(".")
    kind = TypeError if isinstance(error, TypeError) else ValueError
    if told.startswith("Complex"):  # of torch, whose dtypes are not numpy's
        return kind(_KINDS["c"])
    if "setting an array element with a sequence" in told:
        return kind(
            f"X holds values that are not numbers: {type(X).__name__} with arrays in "
            "its cells. Stack them to one array, np.stack(X['column']); wafer maps of "
            "several sizes are read by load_wm811k(X)."
        )
    if getattr(getattr(X, "dtype", None), "kind", "") == "O" or hasattr(X, "columns"):
        return kind(
            f"X holds values that are not numbers: {cause}. Give a numeric array."
        )
    return kind(
        f"X, of type {type(X).__name__}, is not a numeric array: {cause}. Give a "
        "numeric array."
    )
