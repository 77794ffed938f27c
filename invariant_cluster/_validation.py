"""Checks on images and options; the only importer of scikit-learn's private names."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import check_array, validate_data

__all__ = [
    "ImageLayout",
    "Interval",
    "Options",
    "StrOptions",
    "check_choice",
    "check_finite",
    "check_images",
    "check_rows",
    "check_sizes",
    "infer_layout",
]

MIN_SIDE = 8
CHANNEL_COUNTS = (1, 3, 4)
_CHUNK_BYTES = 2**24

Order = Literal["hw", "hwc", "chw"]


@dataclass(frozen=True)
class ImageLayout:
    """How a user's array holds its images, and the way to (n, c, h, w) and back.

    Attributes
    ----------
    shape : tuple of int
        One image as given: (h, w), (h, w, c) or (c, h, w).
    order : {"hw", "hwc", "chw"}
    n_flat : int or None
        The width of the rows if the images came as flat rows. Rows narrower than the
        image are zero-padded at their end.
    """

    shape: tuple[int, ...]
    order: Order
    n_flat: int | None = None

    @property
    def channels_first_shape(self) -> tuple[int, int, int]:
        """(c, h, w) of one image."""
        if self.order == "hw":
            return (1, *self.shape)  # type: ignore[return-value]
        if self.order == "hwc":
            return self.shape[2], self.shape[0], self.shape[1]
        return self.shape  # type: ignore[return-value]

    @property
    def n_values(self) -> int:
        """How many values one image has in the user's array."""
        return math.prod(self.shape) if self.n_flat is None else self.n_flat

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` takes."""
        return {"shape": list(self.shape), "order": self.order, "n_flat": self.n_flat}

    @classmethod
    def from_json(cls, layout: dict[str, Any]) -> ImageLayout:
        """Return the layout that ``to_json`` was called of."""
        return cls(tuple(layout["shape"]), layout["order"], layout["n_flat"])

    def check_same_shape(self, X: NDArray, name: str = "the encoder") -> None:
        """Raise a ValueError unless X holds images of this layout."""
        expected = self.shape if self.n_flat is None else (self.n_flat,)
        if X.shape[1:] != expected:
            raise ValueError(
                f"X has shape {X.shape}, but {name} was fitted on arrays of shape "
                f"(n, {', '.join(map(str, expected))}): resize or reshape the images "
                "as they were at fit."
            )

    def to_channels(self, X: NDArray) -> NDArray:
        """Return X as (n, c, h, w): a view, unless flat rows have to be padded."""
        n = len(X)
        if self.n_flat is not None:
            missing = math.prod(self.shape) - self.n_flat
            X = np.pad(X, ((0, 0), (0, missing))) if missing else X
            X = X.reshape(n, *self.shape)
        if self.order == "hwc":
            return np.moveaxis(X, -1, 1)
        return X.reshape(n, *self.channels_first_shape)

    def from_channels(self, images: NDArray) -> NDArray:
        """Return (n, c, h, w) images in the layout of the user's array."""
        n = len(images)
        if self.order == "hwc":
            images = np.moveaxis(images, 1, -1)
        if self.n_flat is not None:
            return images.reshape(n, -1)[:, : self.n_flat]
        return images.reshape(n, *self.shape)


def infer_layout(X: ArrayLike, image_shape: Sequence[int] | None = None) -> ImageLayout:
    """Return the layout of an array of images.

    Parameters
    ----------
    X : array-like of shape (n, h, w), (n, h, w, c), (n, c, h, w) or (n, n_values)
    image_shape : tuple of int, optional
        One image's shape, (h, w), (h, w, c) or (c, h, w): folds flat rows, and says
        that the channels are last when neither axis alone has 1, 3 or 4 entries
        (first, if that axis alone has under 8).

    Raises
    ------
    ValueError
        When the axis of the channels is ambiguous, a side is under 8 pixels, or
        ``image_shape`` does not fit X.
    """
    shape = np.shape(X)
    if len(shape) not in (2, 3, 4):
        raise ValueError(
            f"X has shape {shape}: expected images (n, h, w), (n, h, w, c) or "
            "(n, c, h, w), or flat rows (n, n_values). A single image needs X[None]; "
            "Reshape your data."
        )
    if len(shape) == 2:
        return _flat_layout(shape[1], image_shape)
    if image_shape is not None and tuple(image_shape) != shape[1:]:
        raise ValueError(
            f"image_shape={tuple(image_shape)} but the images of X have shape "
            f"{shape[1:]}: give that shape, or leave image_shape=None."
        )
    order = _channel_order(shape[1:], settled=image_shape is not None)
    return _checked_size(ImageLayout(shape[1:], order), shape)


def _flat_layout(width: int, image_shape: Sequence[int] | None) -> ImageLayout:
    if image_shape is None:
        side = max(MIN_SIDE, math.isqrt(max(width - 1, 0)) + 1)
        return ImageLayout((side, side), "hw", n_flat=width)
    shape = tuple(int(side) for side in image_shape)
    if len(shape) not in (2, 3) or math.prod(shape) != width:
        raise ValueError(
            f"image_shape={shape} holds {math.prod(shape)} values but the rows of X "
            f"have {width} features: give (h, w), (h, w, c) or (c, h, w) with that "
            "product."
        )
    layout = ImageLayout(shape, _channel_order(shape, settled=True), n_flat=width)
    return _checked_size(layout, (width,))


def _channel_order(shape: tuple[int, ...], *, settled: bool) -> Order:
    """Tell (h, w), (h, w, c) and (c, h, w) apart; never guess."""
    if len(shape) == 2:
        return "hw"
    first, last = shape[0], shape[2]
    if (first in CHANNEL_COUNTS) != (last in CHANNEL_COUNTS):
        return "chw" if first in CHANNEL_COUNTS else "hwc"
    if settled:
        return "chw" if first < MIN_SIDE <= last else "hwc"
    raise ValueError(
        f"Images of shape {shape} are ambiguous: neither the first nor the last axis "
        f"alone has {', '.join(map(str, CHANNEL_COUNTS))} channels. Move the channels "
        "to the last axis and give image_shape=(h, w, c)."
    )


def _checked_size(layout: ImageLayout, found: tuple[int, ...]) -> ImageLayout:
    _, height, width = layout.channels_first_shape
    if min(height, width) < MIN_SIDE:
        raise ValueError(
            f"X has shape {found}: images of {height} x {width} pixels are too small, "
            f"at least {MIN_SIDE} x {MIN_SIDE} are needed. Enlarge or pad them; a "
            "single colour image needs X[None]."
        )
    return layout


def check_images(
    estimator: Any,
    X: ArrayLike,
    *,
    reset: bool,
    image_shape: Sequence[int] | None = None,
    min_samples: int = 1,
) -> NDArray:
    """Validate images and return them as (n, c, h, w) in their own dtype.

    Neither uint8 nor a memmap is copied or converted; only flat rows that have to be
    padded are. With ``reset`` the estimator's ``layout_``, ``image_shape_``,
    ``n_features_in_`` and ``feature_names_in_`` are set, otherwise X is held to them.

    Raises
    ------
    ValueError
        NaN or infinity (with the first row that holds it), complex values, ragged
        lists, 1-D input, too few rows, images under 8 pixels a side, an ambiguous
        channel axis, another image shape than at fit.
    TypeError
        Sparse matrices.
    """
    array = _as_numeric(X, min_samples)
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
    return layout.to_channels(array)


def _as_numeric(X: ArrayLike, min_samples: int) -> NDArray:
    """Return X as a real array with enough rows, not copied if it is one already."""
    if not hasattr(X, "shape"):
        X = _stacked(X)
    if getattr(getattr(X, "dtype", None), "kind", "") == "c":
        raise ValueError(
            "Complex data not supported: X is complex; give its magnitude, np.abs(X)."
        )
    try:
        array = _checked_array(X)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"X holds values that are no numbers: {error}. Give a numeric array."
            if np.ndim(X) and np.asarray(X).dtype.kind == "O"
            else f"X is no array of numbers: {error}"
        ) from error
    if array.dtype.kind not in "biuf":
        raise TypeError(f"X has dtype {array.dtype}: give an array of real numbers.")
    _check_rows_and_columns(array, min_samples)
    return array


def _check_rows_and_columns(array: NDArray, min_samples: int) -> None:
    """Raise unless there are enough rows, with at least one value each."""
    if array.ndim < 2:
        raise ValueError(
            f"Expected 2D array, got {array.ndim}D array instead: X has shape "
            f"{array.shape}, not rows (n, n_values) or images (n, h, w), (n, h, w, c), "
            "(n, c, h, w). Reshape your data: a single image or row needs X[None]."
        )
    if len(array) < min_samples:
        raise ValueError(
            f"Found array with {len(array)} sample(s) (shape={array.shape}) while a "
            f"minimum of {min_samples} is required: X needs more images or rows."
        )
    if array.ndim == 2 and array.shape[1] == 0:
        raise ValueError(
            f"X has 0 feature(s) (shape={array.shape}) while a minimum of 1 is "
            "required: give at least one value a row."
        )


def _checked_array(X: Any) -> NDArray:
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


def _stacked(X: Any) -> Any:
    """Return a list of images as one array."""
    try:
        return np.asarray(X)
    except ValueError as error:
        raise ValueError(
            "X is a ragged list: its images differ in shape. Pad or resize them to one "
            "shape first (load_image_folder does)."
        ) from error


def _warn_if_padded(layout: ImageLayout) -> None:
    if layout.n_flat is not None and math.prod(layout.shape) > layout.n_flat:
        warnings.warn(
            f"Rows of {layout.n_flat} values fill no square image of at least "
            f"{MIN_SIDE} x {MIN_SIDE} pixels and were zero-padded to {layout.shape}. "
            "Give image_shape=(h, w) if they are images.",
            UserWarning,
            stacklevel=4,
        )


def store_layout(estimator: Any, layout: ImageLayout) -> None:
    """Set the fitted attributes that say how images are given."""
    estimator.layout_ = layout
    estimator.image_shape_ = layout.shape
    estimator.n_features_in_ = layout.n_values


def check_finite(array: NDArray, name: str = "X") -> None:
    """Raise for the first row with NaN, infinity or a value beyond float32.

    The array is read a chunk at a time, so that a memmap stays on disk.
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
                "before fitting (NaN and inf are not images)."
            )


def check_choice(name: str, value: object, choices: Iterable[object]) -> None:
    """Raise a ValueError that names the option, its value and what is allowed."""
    allowed = list(choices)
    if value not in allowed:
        raise ValueError(f"{name}={value!r} is unknown: choose one of {allowed}.")


def check_rows(
    estimator: Any, X: ArrayLike, *, reset: bool, min_samples: int = 1
) -> NDArray[np.float32]:
    """Validate rows (n, d) and return them as a plain float32 array.

    Raises
    ------
    ValueError
        NaN or infinity (with the first row that holds it), anything but 2-D, another
        width than at fit.
    """
    rows = _as_numeric(X, min_samples)
    if rows.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {rows.ndim}D array instead: X has shape "
            f"{rows.shape}, but an embedding has rows (n, d). Reshape your data, or "
            "embed images first."
        )
    check_finite(rows)
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    return np.asarray(rows, dtype=np.float32)


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
