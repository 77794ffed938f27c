"""Square, ellipse and heart of unit area, and how a moved sprite is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

ELLIPSE_RATIO = 1.6
# Of the curve (u^2 + v^2 - 1)^3 = u^2 v^3: its area, and v of its centre of mass.
_HEART_AREA = 3.661973
_HEART_CENTER = 0.293481
# No point of the three shapes lies further from the centre of mass: the long half-axis
# of the ellipse is sqrt(1.6 / pi) = 0.714.
_RADIUS = 0.72
_CHUNK = 1024
_N_SUBPIXELS = 4  # per side of a pixel, with antialias


def is_in_square(x: Floats, y: Floats) -> Mask:
    """Return whether points lie in the square: ``|x|, |y| <= 1/2``.

    Parameters
    ----------
    x, y : ndarray of any shape
        Coordinates from the centre of mass, y up, in units of the root of the area.

    Returns
    -------
    ndarray of bool
        Whether each point lies inside.

    See Also
    --------
    is_in_ellipse, is_in_heart : The same of the other shapes.
    """
    return (np.abs(x) <= 0.5) & (np.abs(y) <= 0.5)


def is_in_ellipse(x: Floats, y: Floats) -> Mask:
    """Return whether points lie in the ellipse: ``pi (x^2 / q + q y^2) <= 1``.

    Parameters
    ----------
    x, y : ndarray of any shape
        Coordinates from the centre of mass, y up, in units of the root of the area.

    Returns
    -------
    ndarray of bool
        Whether each point lies inside. The axes have the ratio q = 1.6, the longer one
        along x.

    See Also
    --------
    is_in_square, is_in_heart : The same of the other shapes.
    """
    return x**2 / ELLIPSE_RATIO + ELLIPSE_RATIO * y**2 <= 1 / math.pi


def is_in_heart(x: Floats, y: Floats) -> Mask:
    """Return whether points lie in the heart: ``(u^2 + v^2 - 1)^3 <= u^2 v^3``.

    Parameters
    ----------
    x, y : ndarray of any shape
        Coordinates from the centre of mass, y up, in units of the root of the area.

    Returns
    -------
    ndarray of bool
        Whether each point lies inside. The tip points down.

    See Also
    --------
    is_in_square, is_in_ellipse : The same of the other shapes.

    Notes
    -----
    u = k x and v = k y + c, where k^2 is the area of the curve and c the height of its
    centre of mass.
    """
    root = math.sqrt(_HEART_AREA)
    u_squared, v = (root * x) ** 2, root * y + _HEART_CENTER
    v_squared = v**2
    excess = u_squared + v_squared - 1
    return excess * excess * excess <= u_squared * v_squared * v


SHAPES: Mapping[str, Callable[[Floats, Floats], Mask]] = {
    "square": is_in_square,
    "ellipse": is_in_ellipse,
    "heart": is_in_heart,
}


def draw_sprites(
    shapes: Sequence[str],
    codes: NDArray[np.int64],
    size: NDArray[np.float64],
    theta: NDArray[np.float64],
    tau: NDArray[np.float64],
    *,
    side: int,
    antialias: bool,
) -> NDArray[np.uint8]:
    """Draw one white shape per image on black.

    Parameters
    ----------
    shapes : sequence of str
        Names in ``SHAPES``.
    codes : ndarray of shape (n,), int
        Index into ``shapes`` of each image.
    size : ndarray of shape (n,)
        Root of the area of each shape, in pixels.
    theta : ndarray of shape (n,)
        Rotation of each shape in radians, counter-clockwise.
    tau : ndarray of shape (n, 2)
        Centre of mass (x, y) in pixels from the image's centre, y up.
    side : int
        Side of the images in pixels.
    antialias : bool
        Whether a pixel is the share of its 4 x 4 points that lie inside, instead of its
        centre alone.

    Returns
    -------
    ndarray of shape (n, side, side), uint8
        0 outside, 255 inside; values between them only with ``antialias``.
    """
    images = np.zeros((len(codes), side, side), dtype=np.uint8)
    n_points = _N_SUBPIXELS if antialias else 1
    reach = 2 * math.ceil(_RADIUS * size.max(initial=0.0)) + 2
    width = min(side, reach)
    for start in range(0, len(codes), _CHUNK):
        rows = slice(start, start + _CHUNK)
        _draw_chunk(
            images[rows],
            [SHAPES[name] for name in shapes],
            codes[rows],
            (size[rows], theta[rows], tau[rows]),
            width,
            n_points,
        )
    return images


def _draw_chunk(
    images: NDArray[np.uint8],
    tests: Sequence[Callable[[Floats, Floats], Mask]],
    codes: NDArray[np.int64],
    pose: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    width: int,
    n_points: int,
) -> None:
    """Draw into images (m, side, side), each in a window of the given width.

    The window holds the whole shape, so that pixels outside need no test.
    """
    size, theta, tau = pose
    # Pixel i covers [i, i + 1] here; rows count downwards.
    center = images.shape[1] / 2 + tau * [1, -1]
    first = np.clip(np.floor(center - width / 2), 0, images.shape[1] - width)
    first = first.astype(np.intp)
    points = (np.arange(width * n_points) + 0.5) / n_points
    offset = (first - center)[:, :, None] + points
    x, y = _turn_back(offset[:, 0], -offset[:, 1], theta, size)
    inside = np.empty(x.shape, dtype=bool)
    for code, is_inside in enumerate(tests):
        rows = codes == code
        inside[rows] = is_inside(x[rows], y[rows])
    pixels = np.arange(width)
    images[
        np.arange(len(images))[:, None, None],
        (first[:, 1:] + pixels)[:, :, None],
        (first[:, :1] + pixels)[:, None, :],
    ] = _fill(inside, n_points)


def _turn_back(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    theta: NDArray[np.float64],
    size: NDArray[np.float64],
) -> tuple[Floats, Floats]:
    """Return R(-theta) (x, y) / size at each pair of x and y (m, k): (m, k, k)."""
    cos, sin = (np.cos(theta) / size)[:, None], (np.sin(theta) / size)[:, None]
    cos_x, cos_y = (cos * x).astype(np.float32), (cos * y).astype(np.float32)
    sin_x, sin_y = (sin * x).astype(np.float32), (sin * y).astype(np.float32)
    across = cos_x[:, None, :] + sin_y[:, :, None]
    return across, cos_y[:, :, None] - sin_x[:, None, :]


def _fill(inside: Mask, n_points: int) -> NDArray[np.uint8]:
    """Return pixel values of points (m, w k, w k): (m, w, w), 255 where all lie in."""
    if n_points == 1:
        return inside.astype(np.uint8) * np.uint8(255)
    m, width = len(inside), inside.shape[1] // n_points
    share = inside.reshape(m, width, n_points, width, n_points).mean(axis=(2, 4))
    return np.rint(255 * share).astype(np.uint8)
