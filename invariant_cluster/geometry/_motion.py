"""Rotation, translation and resampling of images."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from invariant_cluster.geometry._grid import homogeneous_grid, pixels_to_units
from invariant_cluster.geometry._kept import kept
from invariant_cluster.geometry._rotations import rotation_matrix

# Images that move_array converts to float32 at a time.
_CHUNK = 1024


def move_images(
    images: Tensor,
    theta: Tensor,
    tau: Tensor,
    fill: Tensor | float = 0.0,
    *,
    mode: str = "bilinear",
) -> Tensor:
    """Rotate each image by theta about the centre, then shift it by tau.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images, floating point.
    theta : Tensor of shape (n,)
        Angle of each image, in radians, counter-clockwise.
    tau : Tensor of shape (n, 2)
        Shift (x, y) of each image, in grid units, y up.
    fill : float or Tensor that broadcasts to the images, default=0
        Value of pixels that enter the frame from outside.
    mode : {"bilinear", "bicubic"}, default="bilinear"
        Interpolation.

    Returns
    -------
    Tensor of shape (n, c, h, w)
        The moved images, in the dtype of the input.

    See Also
    --------
    canonicalize_images : Undo such a motion.
    move_array : Move NumPy images, with shifts in pixels.

    Notes
    -----
    ``J'(x) = J(R(-theta) (x - tau))``. Both motions take one interpolation.
    """
    inverse = rotation_matrix(-theta)
    offset = -(inverse @ tau[:, :, None]).squeeze(-1)
    return sample_affine(images, inverse, offset, fill, mode=mode)


def canonicalize_images(
    images: Tensor,
    theta: Tensor,
    tau: Tensor,
    fill: Tensor | float = 0.0,
    *,
    side: int | None = None,
    scale: Tensor | None = None,
) -> Tensor:
    """Move each image back from its pose to the canonical orientation.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images, floating point.
    theta : Tensor of shape (n,)
        Angle of each image's pose, in radians, counter-clockwise.
    tau : Tensor of shape (n, 2)
        Shift (x, y) of each image's pose, in grid units, y up.
    fill : float or Tensor that broadcasts to the images, default=0
        Value of pixels that enter the frame from outside.
    side : int, optional
        Side in pixels of the square to return, centred in the frame; by default the
        whole frame.
    scale : Tensor of shape (n,), optional
        Size of each object as a multiple of its canonical size; 1 by default.

    Returns
    -------
    Tensor of shape (n, c, h, w) or (n, c, side, side)
        Images in canonical orientation and, with a scale, of canonical size.

    See Also
    --------
    move_images : Move images; the inverse, up to interpolation and cropping.

    Notes
    -----
    ``I_can(x) = J(s R(theta) x + tau)``, with bilinear interpolation.
    """
    matrix = rotation_matrix(theta)
    if scale is not None:
        matrix = scale[:, None, None] * matrix
    return sample_affine(images, matrix, tau, fill, side=side)


def sample_affine(
    images: Tensor,
    matrix: Tensor,
    offset: Tensor,
    fill: Tensor | float,
    *,
    side: int | None = None,
    mode: str = "bilinear",
) -> Tensor:
    """Resample each image under an affine map of the coordinates.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images, floating point.
    matrix : Tensor of shape (n, 2, 2)
        Linear part of the map from output to input coordinates.
    offset : Tensor of shape (n, 2)
        Constant part of the map, in grid units.
    fill : float or Tensor that broadcasts to the images
        Value of points outside the frame.
    side : int, optional
        Side in pixels of the square to return, centred in the frame; by default the
        whole frame.
    mode : {"bilinear", "bicubic"}, default="bilinear"
        Interpolation.

    Returns
    -------
    Tensor of shape (n, c, h, w) or (n, c, side, side)
        ``J(matrix x + offset)``, with x on the pixel grid of the input.

    See Also
    --------
    sample_points : Read images at arbitrary points.
    """
    rows, columns = (side, side) if side else images.shape[-2:]
    longer = max(images.shape[-2:])
    frame = homogeneous_grid(rows, columns, longer, matrix.dtype, matrix.device)
    affine = torch.cat([matrix, offset[:, :, None]], dim=2)
    points = (frame @ affine.mT).unflatten(1, (rows, columns))
    return sample_points(images, points, fill, mode=mode)


def sample_points(
    images: Tensor, points: Tensor, fill: Tensor | float, *, mode: str = "bilinear"
) -> Tensor:
    """Return the values of each image at arbitrary points.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images, floating point.
    points : Tensor of shape (n, rows, columns, 2)
        Points (x, y) of each image, in grid units, y up.
    fill : float or Tensor that broadcasts to the images
        Value of points outside the frame.
    mode : {"bilinear", "bicubic"}, default="bilinear"
        Interpolation. Cubic exceeds the values of the images near edges.

    Returns
    -------
    Tensor of shape (n, c, rows, columns)
        Interpolation of the images.

    See Also
    --------
    sample_affine : Resample images under an affine map.
    """
    height, width = images.shape[-2:]
    grid = points * _frame_scale(height, width, points.dtype, points.device)
    moved = F.grid_sample(
        images - fill, grid.to(images.dtype), mode=mode, align_corners=False
    )
    return moved + fill


@kept
def _frame_scale(
    height: int, width: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Return what grid units are multiplied by for ``grid_sample``, (2,).

    Its coordinates run from -1 to 1 along both sides, with y down.
    """
    longer = max(height, width)
    scale = [longer / width, -longer / height]
    return torch.tensor(scale, dtype=dtype, device=device)


def move_array(
    images: np.ndarray, theta: np.ndarray, tau: np.ndarray, fill: np.ndarray | float
) -> np.ndarray:
    """Rotate and shift NumPy images, a chunk at a time.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype.
    theta : ndarray of shape (n,)
        Angle of each image, in radians, counter-clockwise.
    tau : ndarray of shape (n, 2)
        Shift (x, y) of each image, in pixels, y up.
    fill : float or ndarray that broadcasts to (n, c, h, w)
        Value of pixels that enter the frame from outside.

    Returns
    -------
    ndarray of shape (n, c, h, w)
        The moved images, in the dtype of the input. Integers are rounded and clipped to
        the range of their dtype; booleans are True where the interpolation exceeds 0.5.

    See Also
    --------
    move_images : Move tensors, with shifts in grid units.

    Notes
    -----
    1,024 images are converted to float32 at a time, so a memmap is not loaded whole.
    """
    moved = np.empty(images.shape, dtype=images.dtype)
    unit = pixels_to_units(*images.shape[-2:])
    background = torch.as_tensor(np.asarray(fill, dtype=np.float32))
    differs = background.ndim == 4 and len(background) > 1  # from image to image
    for start in range(0, len(images), _CHUNK):
        rows = slice(start, start + _CHUNK)
        batch = torch.from_numpy(np.asarray(images[rows], dtype=np.float32))
        turn = torch.from_numpy(np.asarray(theta[rows], dtype=np.float32))
        shift = torch.from_numpy(np.asarray(tau[rows], dtype=np.float32)) * unit
        here = background[rows] if differs else background
        moved[rows] = _cast(move_images(batch, turn, shift, here), images.dtype)
    return moved


def _cast(images: Tensor, dtype: np.dtype) -> np.ndarray:
    """Return the tensor as an array of the dtype; integers are rounded and clipped."""
    values = images.numpy()
    if np.issubdtype(dtype, np.bool_):
        return values > 0.5
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    return values.astype(dtype)
