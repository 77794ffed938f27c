"""Checks of the user's images and rows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import validate_data

from invariant_cluster.images._layout import (
    MIN_SIDE,
    ImageLayout,
    infer_layout,
    store_layout,
)
from invariant_cluster.images._masked import fill_masked, has_masked, notice_masked
from invariant_cluster.images._numeric import as_numeric

_CHUNK_BYTES = 2**24


def check_images(
    estimator: Any,
    X: ArrayLike,
    *,
    reset: bool,
    image_shape: Sequence[int] | None = None,
    min_samples: int = 1,
) -> NDArray:
    """Validate images and return them as (n, c, h, w) in their own dtype.

    Parameters
    ----------
    estimator : estimator
        Estimator whose method was called. With ``reset=True`` it gets the attributes
        ``layout_``, ``image_shape_``, ``n_features_in_`` and, for a DataFrame with
        column names, ``feature_names_in_``.
    X : array-like of shape (n, h, w), (n, h, w, c), (n, c, h, w) or (n, n_values)
        Images or flat rows.
    reset : bool
        True in ``fit``. False compares X with the layout and the column names of the
        fit.
    image_shape : tuple of int, optional
        Shape of one image, as in :func:`infer_layout`; ignored with ``reset=False``.
    min_samples : int, default=1
        Minimum number of images.

    Returns
    -------
    ndarray of shape (n, c, h, w)
        The images, if possible a view of X: numeric arrays and memmaps are neither
        copied nor converted, unless flat rows need padding or pixels are masked.
        Masked pixels of a masked array get the background: the estimator's
        ``background_`` with ``reset=False``, else :func:`fill_masked`'s.

    Raises
    ------
    ValueError
        If all of an image is masked, or X has NaN, infinity, complex or non-numeric
        values, is ragged, has fewer than two dimensions or too few images; if a side
        is under 8 pixels, the channel axis is ambiguous, or the shape differs from that
        in ``fit``.
    TypeError
        If X is sparse or its dtype is not numeric.

    Warns
    -----
    UserWarning
        If flat rows are padded to a square image, or pixels are masked, in ``fit``.

    See Also
    --------
    check_rows : Validate rows of an embedding.
    infer_layout : Find the layout of an array.
    """
    masked = has_masked(X)
    array = _as_numeric(np.ma.getdata(X) if masked else X, min_samples)
    if not masked:
        check_finite(array)
    layout = infer_layout(array, image_shape) if reset else estimator.layout_
    if array.ndim == 2:
        validate_data(estimator, X, reset=reset, skip_check_array=True)
    elif reset and hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_
    if reset:
        _warn_if_padded(layout)
        store_layout(estimator, layout)
    else:
        layout.check_same_shape(array, type(estimator).__name__)
    images = layout.to_channels(array)
    return _filled(estimator, images, X, reset) if masked else images


def _filled(estimator: Any, images: NDArray, X: Any, reset: bool) -> NDArray:
    """Return images (n, c, h, w) with background instead of what X has masked."""
    mask = estimator.layout_.to_channels(np.ma.getmaskarray(X))
    check_finite(np.where(mask, np.zeros_like(images[:1]), images))
    background = None if reset else getattr(estimator, "background_", None)
    filled = fill_masked(images, mask, background)
    if reset:
        notice_masked(mask)
    return filled


def _as_numeric(X: ArrayLike, min_samples: int) -> NDArray:
    """Return X as a real array with enough rows, not copied if it is one already."""
    array = as_numeric(X)
    _check_rows_and_columns(array, min_samples)
    return array


def _check_rows_and_columns(array: NDArray, min_samples: int) -> None:
    """Raise unless there are enough rows, with at least one value each."""
    if array.ndim < 2 and array.shape != (0,):
        raise ValueError(
            f"Expected 2D array, got {array.ndim}D array instead: X has shape "
            f"{array.shape}, not rows (n, n_values) or images (n, h, w), (n, h, w, c), "
            "(n, c, h, w). Reshape your data: a single image or row needs X[None]."
        )
    if len(array) < min_samples:
        raise ValueError(
            f"Found array with {len(array)} sample(s) (shape={array.shape}) while a "
            f"minimum of {min_samples} is required: give more images or rows."
        )
    if array.ndim == 2 and array.shape[1] == 0:
        raise ValueError(
            f"X has 0 feature(s) (shape={array.shape}) while a minimum of 1 is "
            "required: give at least one value per row."
        )


def _warn_if_padded(layout: ImageLayout) -> None:
    """Warn if flat rows do not fill a square image."""
    if layout.n_flat is not None and math.prod(layout.shape) > layout.n_flat:
        warnings.warn(
            f"Rows of {layout.n_flat} values do not fill a square image of at least "
            f"{MIN_SIDE} x {MIN_SIDE} pixels; they are zero-padded to {layout.shape}. "
            "Give image_shape=(h, w) if they are images.",
            UserWarning,
            stacklevel=4,
        )


def check_finite(array: NDArray, name: str = "X") -> None:
    """Check that an array is finite in float32.

    Parameters
    ----------
    array : ndarray of shape (n, ...)
        Numeric array; a memmap is read a chunk at a time. Integers are not read.
    name : str, default="X"
        Name of the array in the error message.

    Raises
    ------
    ValueError
        If a value is NaN, infinite, or outside the range of float32. The message names
        the first row with such a value.

    See Also
    --------
    check_images : Validate images completely.
    """
    if array.dtype.kind in "biu" or array.size == 0:
        return
    step = max(1, _CHUNK_BYTES // max(1, array[0].nbytes))
    for start in range(0, len(array), step):
        with np.errstate(over="ignore"):
            chunk = np.asarray(array[start : start + step], dtype=np.float32)
        bad = ~np.isfinite(chunk.reshape(len(chunk), -1)).all(axis=1)
        if bad.any():
            row = start + int(bad.argmax())
            found = "NaN" if np.isnan(array[row]).any() else "infinity (as float32)"
            raise ValueError(
                f"{name} contains {found}, first in row {row}: drop or fill such rows "
                "before fitting (NaN and inf are not images). In images, "
                f"np.ma.masked_invalid({name}) makes such pixels background."
            )


def check_rows(
    estimator: Any, X: ArrayLike, *, reset: bool, min_samples: int = 1
) -> NDArray[np.float32]:
    """Validate rows and return them as a plain float32 array.

    Parameters
    ----------
    estimator : estimator
        Estimator whose method was called; with ``reset=True`` it gets
        ``n_features_in_`` and, for a DataFrame with column names,
        ``feature_names_in_``.
    X : array-like of shape (n, d)
        Rows, such as an embedding.
    reset : bool
        True in ``fit``. False compares X with the columns in ``fit``.
    min_samples : int, default=1
        Minimum number of rows.

    Returns
    -------
    ndarray of shape (n, d), float32
        The rows, without the images of an ``ImageEmbedding``.

    Raises
    ------
    ValueError
        If X is not 2-D, has too few rows, NaN, infinity, complex or non-numeric values,
        or other columns than in ``fit``.
    TypeError
        If X is sparse or its dtype is not numeric.

    See Also
    --------
    check_images : Validate images.
    check_width : Check the columns alone.
    """
    rows = _as_numeric(X, min_samples)
    if rows.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {rows.ndim}D array instead: X has shape "
            f"{rows.shape}, but an embedding has rows (n, d). Reshape your data, or "
            "embed images first."
        )
    check_finite(rows)
    check_width(estimator, X, reset=reset)
    return np.asarray(rows, dtype=np.float32)


def check_width(estimator: Any, X: ArrayLike, *, reset: bool) -> None:
    """Set the number and the names of the columns of X, or compare them with ``fit``.

    Parameters
    ----------
    estimator : estimator
        Estimator whose method was called.
    X : array-like of shape (n, d)
        Rows; their values are not read.
    reset : bool
        Whether to set ``n_features_in_`` and ``feature_names_in_`` instead of
        comparing.

    Raises
    ------
    ValueError
        If the number or the names of the columns differ from those in ``fit``.

    See Also
    --------
    check_rows : Check the values, too.
    """
    validate_data(estimator, X, reset=reset, skip_check_array=True)
