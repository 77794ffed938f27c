"""The layout of images in the user's array."""

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
    """Layout of images in the user's array, with conversions to (n, c, h, w) and back.

    Attributes
    ----------
    shape : tuple of int
        Shape of one image as given: (h, w), (h, w, c) or (c, h, w).
    order : {"hw", "hwc", "chw"}
        Order of the axes in ``shape``.
    n_flat : int or None, default=None
        Width of the rows if the images are flat rows. Rows narrower than the image are
        padded with zeros at their end.

    See Also
    --------
    infer_layout : Find the layout of an array.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.images import infer_layout
    >>> images = np.zeros((5, 10, 12, 3))
    >>> layout = infer_layout(images)
    >>> layout.order, layout.to_channels(images).shape
    ('hwc', (5, 3, 10, 12))
    """

    shape: tuple[int, ...]
    order: Order
    n_flat: int | None = None

    @property
    def channels_first_shape(self) -> tuple[int, int, int]:
        """Shape (c, h, w) of one image."""
        if self.order == "hw":
            return (1, *self.shape)  # type: ignore[return-value]
        if self.order == "hwc":
            return self.shape[2], self.shape[0], self.shape[1]
        return self.shape  # type: ignore[return-value]

    @property
    def given_shape(self) -> tuple[int, ...]:
        """Shape of one image in the user's array; (n_flat,) for flat rows."""
        return self.shape if self.n_flat is None else (self.n_flat,)

    @property
    def n_values(self) -> int:
        """Number of values of one image in the user's array."""
        return math.prod(self.shape) if self.n_flat is None else self.n_flat

    def to_json(self) -> dict[str, Any]:
        """Return the layout as JSON.

        Returns
        -------
        dict
            "shape", "order" and "n_flat".

        See Also
        --------
        from_json : Return the layout again.
        """
        return {"shape": list(self.shape), "order": self.order, "n_flat": self.n_flat}

    @classmethod
    def from_json(cls, layout: dict[str, Any]) -> ImageLayout:
        """Return the layout that :meth:`to_json` converted.

        Parameters
        ----------
        layout : dict
            "shape", "order" and "n_flat".

        Returns
        -------
        ImageLayout
            An equal layout.
        """
        return cls(tuple(layout["shape"]), layout["order"], layout["n_flat"])

    def check_same_shape(self, X: NDArray, name: str = "the encoder") -> None:
        """Check that an array holds images of this layout.

        Parameters
        ----------
        X : ndarray of n images
            Images or flat rows.
        name : str, default="the encoder"
            Name of the fitted object in the error message.

        Raises
        ------
        ValueError
            If the shape of one image, or the width of the rows, differs.
        """
        expected = self.given_shape
        if X.shape[1:] != expected:
            raise ValueError(
                f"X has shape {X.shape}, but {name} was fitted on arrays of shape "
                f"(n, {', '.join(map(str, expected))}): resize or reshape the images "
                "as they were at fit."
            )

    def to_channels(self, X: NDArray) -> NDArray:
        """Return the user's images with the channels first.

        Parameters
        ----------
        X : ndarray of n images
            Images of this layout.

        Returns
        -------
        ndarray of shape (n, c, h, w)
            A view of a contiguous X, unless flat rows need padding.

        See Also
        --------
        from_channels : Convert images back.
        """
        n = len(X)
        if self.n_flat is not None:
            missing = math.prod(self.shape) - self.n_flat
            X = np.pad(X, ((0, 0), (0, missing))) if missing else X
            X = X.reshape(n, *self.shape)
        if self.order == "hwc":
            return np.moveaxis(X, -1, 1)
        return X.reshape(n, *self.channels_first_shape)

    def from_channels(self, images: NDArray) -> NDArray:
        """Return images in the layout of the user's array.

        Parameters
        ----------
        images : ndarray of shape (n, c, h, w)
            Images with the channels first.

        Returns
        -------
        ndarray of n images
            Images or flat rows; the padding of rows is removed.

        See Also
        --------
        to_channels : Convert the user's images.
        """
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
        Images or flat rows; only the shape is read.
    image_shape : tuple of int, optional
        Shape of one image, (h, w), (h, w, c) or (c, h, w). It gives the shape of flat
        rows and permits images with an ambiguous channel axis.

    Returns
    -------
    ImageLayout
        The layout.

    Raises
    ------
    ValueError
        If the number of axes is not 2, 3 or 4, the channel axis is ambiguous, a side is
        under 8 pixels, or ``image_shape`` does not fit X.

    See Also
    --------
    store_layout : Set the fitted attributes of a layout.

    Notes
    -----
    The channel axis is the first or the last one, if exactly one of them has length 1,
    3 or 4. If both or neither do, the axis is ambiguous; with ``image_shape`` the
    channels are then first if the first axis is shorter than 8 and the last one is not,
    and last otherwise.

    Without ``image_shape``, flat rows are padded to the smallest square image of at
    least 8 x 8 pixels that holds them.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.images import infer_layout
    >>> infer_layout(np.zeros((5, 3, 10, 12))).order
    'chw'
    >>> infer_layout(np.zeros((5, 70))).shape
    (9, 9)
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
    """Return the layout of flat rows of a width."""
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
    """Return the order of the axes; raise a ValueError if it is ambiguous."""
    if len(shape) == 2:
        return "hw"
    first, last = shape[0], shape[2]
    if (first in CHANNEL_COUNTS) != (last in CHANNEL_COUNTS):
        return "chw" if first in CHANNEL_COUNTS else "hwc"
    if settled:
        return "chw" if first < MIN_SIDE <= last else "hwc"
    raise ValueError(
        f"Images of shape {shape} are ambiguous: exactly one of the first and the last "
        f"axis must have one of the lengths {', '.join(map(str, CHANNEL_COUNTS))}. "
        "Move the channels to the last axis and give image_shape=(h, w, c), or pick "
        "channels, X[..., 0] or X[..., :3] (--image-shape and --channels of the "
        "command line)."
    )


def _checked_size(layout: ImageLayout, found: tuple[int, ...]) -> ImageLayout:
    """Return the layout if its images have at least 8 pixels per side."""
    _, height, width = layout.channels_first_shape
    if min(height, width) < MIN_SIDE:
        raise ValueError(
            f"X has shape {found}: images of {height} x {width} pixels are too small, "
            f"at least {MIN_SIDE} x {MIN_SIDE} are needed. Enlarge or pad them; a "
            "single colour image needs X[None]."
        )
    return layout


def store_layout(estimator: Any, layout: ImageLayout) -> None:
    """Set the fitted attributes that describe the layout.

    Parameters
    ----------
    estimator : estimator
        Gets ``layout_``, ``image_shape_`` and ``n_features_in_``, the number of values
        of one image.
    layout : ImageLayout
        Layout of the training images.

    See Also
    --------
    check_images : Validate images and store their layout.
    """
    estimator.layout_ = layout
    estimator.image_shape_ = layout.shape
    estimator.n_features_in_ = layout.n_values
