"""The options that say how an array holds images: its channels and its shape."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sklearn.pipeline import Pipeline

from invariant_cluster.datasets import StoredImages
from invariant_cluster.images import ImageLayout

_FIRST, _LAST = -3, -1  # axes of one image


class PickedChannels(StoredImages):
    """Some channels of stored images, read when rows of them are taken.

    Parameters
    ----------
    images : StoredImages
        Images (n, h, w, c) or (n, c, h, w).
    axis : int
        Axis of the channels, from the end.
    channels : sequence of int
        Channels to take.

    Attributes
    ----------
    shape : tuple of int
        (n, h, w) with one channel, otherwise (n, h, w, c): channels become the last
        axis.
    dtype : numpy.dtype
        Dtype of the images.
    names : None
        An array has no names.
    """

    def __init__(
        self, images: StoredImages, axis: int, channels: Sequence[int]
    ) -> None:
        self._picking = (images, axis, tuple(channels))
        sides = images.shape[1:3] if axis == _LAST else images.shape[2:]
        deep = (len(channels),) if len(channels) > 1 else ()
        self.shape = (len(images), *sides, *deep)
        self.dtype = images.dtype
        self.names = None

    def __reduce__(self) -> tuple[type[PickedChannels], tuple[Any, ...]]:
        return type(self), self._picking

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def __getitem__(self, key: Any) -> NDArray:
        images, axis, channels = self._picking
        return _taken(images[key], axis, channels)


def parse_numbers(option: str, text: str | None) -> tuple[int, ...] | None:
    """Return the numbers that an option holds.

    Parameters
    ----------
    option : str
        Name of the option, for the error message.
    text : str or None
        Numbers joined by commas, such as "0,1,2".

    Returns
    -------
    tuple of int or None
        The numbers; None without the option.

    Raises
    ------
    ValueError
        If the text is something else.

    Examples
    --------
    >>> from invariant_cluster.cli._arrays import parse_numbers
    >>> parse_numbers("--channels", "0,2")
    (0, 2)
    """
    if text is None:
        return None
    if not re.fullmatch(r"\s*\d+\s*(,\s*\d+\s*)*", text):
        raise ValueError(
            f"{option} {text} is not understood: give whole numbers joined by commas, "
            "such as 0,1,2."
        )
    return tuple(int(number) for number in text.split(","))


def pick_channels(path: Path, images: Any, channels: Sequence[int] | None) -> Any:
    """Return images with the picked channels on the last axis, or without one.

    Parameters
    ----------
    path : Path
        Where they are from, for error messages.
    images : StoredImages or ndarray
        Images (n, h, w, c) or (n, c, h, w): of the first and the last axis of an image,
        the shorter one is that of the channels.
    channels : sequence of int or None
        Channels to take, from 0; None leaves the images as they are.

    Returns
    -------
    StoredImages or ndarray
        Images (n, h, w) or (n, h, w, c); of stored images, nothing is read.

    Raises
    ------
    ValueError
        If the images have no channels, it is ambiguous which axis is theirs, or there
        are not as many.
    """
    if channels is None:
        return images
    axis = _check_channels(path, images, channels)
    if isinstance(images, StoredImages):
        return PickedChannels(images, axis, channels)
    return _taken(images, axis, channels)


def check_sides(path: Path, images: Any, layout: ImageLayout) -> None:
    """Check that images have the channels with which a model was trained.

    Parameters
    ----------
    path : Path
        Where the images are from, for the error message.
    images : array-like of n images
        Images; their values are not read.
    layout : ImageLayout
        Layout of the training images. Images of other sides are left to the model.

    Raises
    ------
    ValueError
        If only the channels differ; the message says how to pick some.
    """
    shape = tuple(images.shape[1:])
    sides = layout.channels_first_shape[1:]
    has_sides = len(shape) == 3 and sides in (shape[:2], shape[1:])
    if has_sides and shape != layout.given_shape:
        raise ValueError(
            f"{path} holds images of shape {shape}, but the model was trained on "
            f"images of shape {layout.given_shape}: pick the same channels as in fit "
            "with --channels."
        )


def set_image_shape(
    pipe: Pipeline, images: Any, given: Sequence[int] | None, *, settled: bool
) -> None:
    """Set the shape of an image on all embedders of a pipeline.

    Parameters
    ----------
    pipe : Pipeline
        Unfitted pipeline; changed in place.
    images : array-like of n images
        Training images.
    given : sequence of int or None
        The user's shape.
    settled : bool
        Whether images of 2 or of 5 and more channels have them on the last axis, so
        that without a given shape that of the images is meant.
    """
    shape = tuple(images.shape[1:]) if given is None and settled else given
    if shape is not None:
        names = [n for n in pipe.get_params() if n.split("__")[-1] == "image_shape"]
        pipe.set_params(**dict.fromkeys(names, tuple(shape)))


def _check_channels(path: Path, images: Any, channels: Sequence[int]) -> int:
    """Return the axis of the channels, from the end; raise if some are missing."""
    shape = tuple(images.shape)
    told = f"--channels {','.join(map(str, channels))} but {path} holds"
    if len(shape) != 4:
        raise ValueError(
            f"{told} an array of shape {shape}, without an axis of channels: omit "
            "--channels, or give an array (n, h, w, c)."
        )
    if shape[_FIRST] == shape[_LAST]:
        raise ValueError(
            f"{told} an array of shape {shape}, whose channels can be the first or the "
            "last axis of an image: give an array (n, h, w, c) with w above c."
        )
    axis = _LAST if shape[_LAST] < shape[_FIRST] else _FIRST
    if max(channels) >= shape[axis]:
        raise ValueError(
            f"{told} an array of shape {shape}, with the channels 0 to "
            f"{shape[axis] - 1}: give some of them."
        )
    return axis


def _taken(images: NDArray, axis: int, channels: Sequence[int]) -> NDArray:
    """Return channels of images, or of one image, on the last axis or without one."""
    if len(channels) == 1:
        return np.take(images, channels[0], axis=axis)
    return np.moveaxis(np.take(images, channels, axis=axis), axis, -1)
