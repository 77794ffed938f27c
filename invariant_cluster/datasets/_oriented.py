"""The measurement model of the IRL-INR paper, for any images."""

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
    """Rotate and shift each image by its own random angle and shift.

    Parameters
    ----------
    images : array-like of shape (n, h, w) or (n, h, w, c)
        Images of bool, integers or floats, with 1, 3 or 4 channels and at least 8
        pixels per side.
    rotate : bool, default=True
        Whether to rotate. If False, theta is 0 and the shifts are the same as with
        True.
    translation_std : float, default=0.1
        Standard deviation of each coordinate of tau, as a fraction of the longer side
        of the frame.
    size : int or (int, int), default=None
        Height and width of the frame, at least those of the images; None keeps the size
        of the images.
    random_state : int, RandomState or None, default=0
        Seed of the rotations and shifts; None draws new ones at each call.
    return_pose : bool, default=True
        Whether to return theta and tau too.

    Returns
    -------
    images : ndarray of shape (n, h, w) or (n, h, w, c)
        Moved images, of the frame's height and width. Dtype and layout are kept;
        integers are rounded.
    theta : ndarray of shape (n,)
        Angles in radians, in [0, 2 pi), counter-clockwise. Only with ``return_pose``.
    tau : ndarray of shape (n, 2)
        Shifts (x, y) in pixels, y up. Only with ``return_pose``.

    Raises
    ------
    TypeError
        If images or a parameter has an unsuitable type.
    ValueError
        If images have another shape or hold NaN, or a parameter is out of range.

    See Also
    --------
    fetch_mnist_u : Return MNIST(U), made by this function.
    load_oriented_digits : Return scikit-learn's digits, made by this function.
    make_dsprites : Generate images of known shape and pose.

    Notes
    -----
    This is the measurement model of the paper: theta is uniform on [0, 2 pi), tau is
    normal. The image is embedded in the frame, rotated by theta about the centre and
    then shifted by tau, in one bilinear interpolation. Pixels that enter
    the frame have the background: the median of the border pixels over all images, for
    each channel.

    MNIST(U) is ``make_oriented(mnist, size=50, translation_std=0.1)``, with shifts of 5
    pixels.

    References
    ----------
    S. Kwon, J. Y. Choi and E. K. Ryu, "Rotation and translation invariant
    representation learning with implicit neural representations", ICML 2023, section
    3.1.

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
    """Return n angles uniform on [0, 2 pi) and n shifts from N(0, std^2), (n, 2)."""
    rng = check_random_state(random_state)
    theta = rng.uniform(0.0, 2 * math.pi, size=n)
    return theta, rng.normal(0.0, std, size=(n, 2))


def _move(
    images: np.ndarray, theta: np.ndarray, tau: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Move images (n, h, w[, c]) by poses in pixels, keeping dtype and layout."""
    # Interpolation needs numbers; rounding then restores a mask.
    dtype = np.dtype(np.uint8) if images.dtype == bool else images.dtype
    channels = images.reshape(*images.shape[:3], -1).astype(dtype, copy=False)
    fill = background.reshape(-1, 1, 1)
    moved = move_array(np.moveaxis(channels, -1, 1), theta, tau, fill)
    moved = np.moveaxis(moved, 1, -1).reshape(images.shape)
    return np.ascontiguousarray(moved, dtype=images.dtype)


def _check_images(images: ArrayLike) -> np.ndarray:
    """Return images as an array; raise an error if they cannot be moved."""
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
    """Return images as an array, or raise an error if they differ in size."""
    try:
        return np.asarray(images)
    except ValueError as error:
        raise ValueError(
            f"images cannot be stacked into one array ({error}): resize all images to "
            "one size."
        ) from error


def _is_real(dtype: np.dtype) -> bool:
    """Return whether a dtype holds integers or floats."""
    return np.issubdtype(dtype, np.integer) or np.issubdtype(dtype, np.floating)


def _check_shape(shape: tuple[int, ...]) -> None:
    """Raise a ValueError unless the shape is one of images that can be moved."""
    if shape[0] == 0:
        raise ValueError(f"images has shape {shape}: give at least one image.")
    if len(shape) == 4 and shape[3] not in CHANNEL_COUNTS:
        remedy = "the last axis must hold 1, 3 or 4 channels."
        if shape[1] in CHANNEL_COUNTS:
            remedy = "channels must come last, use images.transpose(0, 2, 3, 1)."
        raise ValueError(f"images has shape {shape}: {remedy}")
    if min(shape[1:3]) < MIN_SIDE:
        raise ValueError(
            f"images has shape {shape}, below {MIN_SIDE} pixels per side: enlarge the "
            "images first."
        )


def _check_size(size: Any, image_size: tuple[int, ...]) -> tuple[int, int]:
    """Return the frame's (h, w); it must not be smaller than the images."""
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
            f"{image_size[1]}: give a larger size or shrink the images first."
        )
    return int(sides[0]), int(sides[1])
