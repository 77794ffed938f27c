"""The measurement model of the paper, on any images."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from invariant_cluster.datasets._arguments import check_translation_std
from invariant_cluster.datasets._framing import embed_in_frame, frame_background
from invariant_cluster.geometry import move_array
from invariant_cluster.images import CHANNEL_COUNTS, MIN_SIDE, check_finite


def make_oriented(
    images: ArrayLike,
    *,
    rotate: bool = True,
    translation_std: float = 0.1,
    size: int | tuple[int, int] | None = None,
    random_state: int | np.random.RandomState | None = 0,
    return_pose: bool = True,
) -> Any:
    """Turn and shift each image by its own random angle and shift.

    The measurement model of the paper (section 4): theta is uniform on [0, 2 pi),
    tau is normal. The image is first embedded in a frame of ``size``, then turned by
    theta about the centre and then shifted by tau, in one bilinear interpolation.
    MNIST(U) is ``make_oriented(mnist, size=50, translation_std=0.1)``: shifts of 5
    pixels.

    What enters the frame is the background: the median of the border pixels over all
    the images, for each channel.

    Parameters
    ----------
    images : array-like of shape (n, h, w) or (n, h, w, c)
        Bool, integer or real, c one of 1, 3, 4, at least 8 pixels a side.
    rotate : bool, default=True
        If False, theta is 0; the shifts are the same as with True.
    translation_std : float, default=0.1
        Standard deviation of each coordinate of tau, as a fraction of the longer side
        of the frame.
    size : int or (int, int), default=None
        Height and width of the frame; None keeps the images' size.
    random_state : int, RandomState or None, default=0
    return_pose : bool, default=True

    Returns
    -------
    images : ndarray of shape (n, h, w) or (n, h, w, c)
        h and w are those of the frame. Dtype and layout are kept; integers are rounded.
    theta : ndarray of shape (n,)
        Angles in radians in [0, 2 pi), counter-clockwise. With ``return_pose``.
    tau : ndarray of shape (n, 2)
        Shifts in pixels, (x, y), y up. With ``return_pose``.

    Raises
    ------
    ValueError
        If images or a parameter is not as said above.
    TypeError
        If images or a parameter has a type that cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.datasets import make_oriented
    >>> bar = np.zeros((1, 16, 16), dtype=np.uint8)
    >>> bar[:, 4:12, 7:9] = 255
    >>> images, theta, tau = make_oriented(np.repeat(bar, 3, axis=0), size=24)
    >>> images.shape, images.dtype, theta.shape, tau.shape
    ((3, 24, 24), dtype('uint8'), (3,), (3, 2))
    """
    images = _check_images(images)
    translation_std = check_translation_std(translation_std)
    size = _check_size(size, images.shape[1:3])
    background = frame_background(images)
    framed = embed_in_frame(images, size, background)
    std = translation_std * max(size)
    theta, tau = _draw_poses(len(images), std, random_state)
    if not rotate:
        theta = np.zeros_like(theta)
    moved = _move(framed, theta, tau, background)
    return (moved, theta, tau) if return_pose else moved


def _draw_poses(
    n: int, std: float, random_state: int | np.random.RandomState | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return n angles uniform on [0, 2 pi) and n shifts of N(0, std^2), (n, 2)."""
    rng = check_random_state(random_state)
    theta = rng.uniform(0.0, 2 * math.pi, size=n)
    return theta, rng.normal(0.0, std, size=(n, 2))


def _move(
    images: np.ndarray, theta: np.ndarray, tau: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Move images (n, h, w[, c]) by poses in pixels, keeping dtype and layout."""
    # Interpolation needs numbers; rounding makes a mask of them again.
    dtype = np.dtype(np.uint8) if images.dtype == bool else images.dtype
    channels = images.reshape(*images.shape[:3], -1).astype(dtype, copy=False)
    fill = background.reshape(-1, 1, 1)
    moved = move_array(np.moveaxis(channels, -1, 1), theta, tau, fill)
    moved = np.moveaxis(moved, 1, -1).reshape(images.shape)
    return np.ascontiguousarray(moved, dtype=images.dtype)


def _check_images(images: ArrayLike) -> np.ndarray:
    """Return images as an array, or raise an error that says what is wrong."""
    array = _as_array(images)
    if array.dtype != bool and not _is_real(array.dtype):
        raise TypeError(
            f"images has dtype {array.dtype}: convert it to bool, integers or floats."
        )
    if array.ndim not in (3, 4):
        raise ValueError(
            f"images has shape {array.shape}: it must be (n, h, w) or (n, h, w, c). "
            "Reshape flat rows with images.reshape(-1, h, w)."
        )
    _check_shape(array.shape)
    check_finite(array, "images")
    return array


def _as_array(images: ArrayLike) -> np.ndarray:
    try:
        return np.asarray(images)
    except ValueError as error:
        raise ValueError(
            f"images cannot be made one array ({error}): give all images one size."
        ) from error


def _is_real(dtype: np.dtype) -> bool:
    return np.issubdtype(dtype, np.integer) or np.issubdtype(dtype, np.floating)


def _check_shape(shape: tuple[int, ...]) -> None:
    if shape[0] == 0:
        raise ValueError(f"images has shape {shape}: give at least one image.")
    if len(shape) == 4 and shape[3] not in CHANNEL_COUNTS:
        remedy = "the last axis must be the channels, 1, 3 or 4."
        if shape[1] in CHANNEL_COUNTS:
            remedy = "channels come last here, use images.transpose(0, 2, 3, 1)."
        raise ValueError(f"images has shape {shape}: {remedy}")
    if min(shape[1:3]) < MIN_SIDE:
        raise ValueError(
            f"images has shape {shape}, under {MIN_SIDE} pixels a side: enlarge the "
            "images first."
        )


def _check_size(size: Any, image_size: tuple[int, ...]) -> tuple[int, int]:
    """Return the frame's (h, w); it must hold the images."""
    if size is None:
        return image_size[0], image_size[1]
    sides = (size, size) if isinstance(size, Integral) else size
    if not (isinstance(sides, tuple | list) and len(sides) == 2) or not all(
        isinstance(side, Integral) for side in sides
    ):
        raise TypeError(f"size={size!r} must be an int, a pair of ints or None.")
    if sides[0] < image_size[0] or sides[1] < image_size[1]:
        raise ValueError(
            f"size={size!r} is smaller than the images, {image_size[0]} x "
            f"{image_size[1]}: give a larger frame, or shrink the images first."
        )
    return int(sides[0]), int(sides[1])
