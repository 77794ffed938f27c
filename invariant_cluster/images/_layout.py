"""How a user's array holds its images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

MIN_SIDE = 8
CHANNEL_COUNTS = (1, 3, 4)
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


def store_layout(estimator: Any, layout: ImageLayout) -> None:
    """Set the fitted attributes that say how images are given."""
    estimator.layout_ = layout
    estimator.image_shape_ = layout.shape
    estimator.n_features_in_ = layout.n_values
