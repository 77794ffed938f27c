"""Images turned, shifted and resampled."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from invariant_cluster.geometry._grid import pixels_to_units
from invariant_cluster.geometry._rotations import rotation_matrix

_CHUNK = 1024


def move_images(
    images: Tensor, theta: Tensor, tau: Tensor, fill: Tensor | float = 0.0
) -> Tensor:
    """Turn each image by its theta about the centre, then shift it by its tau.

    ``J'(x) = J(R(-theta) (x - tau))``, bilinear, in one ``grid_sample``.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
    theta : Tensor of shape (n,), in radians
    tau : Tensor of shape (n, 2), in grid units
    fill : float or Tensor that broadcasts to the images
        What enters the frame from outside.

    Returns
    -------
    Tensor of shape (n, c, h, w)
    """
    inverse = rotation_matrix(-theta)
    offset = -(inverse @ tau[:, :, None]).squeeze(-1)
    return sample_affine(images, inverse, offset, fill)


def canonicalize_images(
    images: Tensor,
    theta: Tensor,
    tau: Tensor,
    fill: Tensor | float = 0.0,
    *,
    side: int | None = None,
) -> Tensor:
    """Undo the pose of each image: ``I_can(x) = J(R(theta) x + tau)``.

    The inverse of :func:`move_images`, with the same parameters.

    Parameters
    ----------
    side : int, optional
        Return only the (n, c, side, side) pixels in the middle.
    """
    return sample_affine(images, rotation_matrix(theta), tau, fill, side=side)


def sample_affine(
    images: Tensor,
    matrix: Tensor,
    offset: Tensor,
    fill: Tensor | float,
    *,
    side: int | None = None,
) -> Tensor:
    """Return ``J(matrix x + offset)`` on J's own grid, shape (n, c, h, w).

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
    matrix : Tensor of shape (n, 2, 2)
    offset : Tensor of shape (n, 2), in grid units
    fill : float or Tensor that broadcasts to the images
    side : int, optional
        Return only the (n, c, side, side) pixels in the middle.
    """
    height, width = images.shape[-2:]
    longer = max(height, width)
    rows, columns = (side, side) if side else (height, width)
    # affine_grid's coordinates span -1 to 1 on both sides, with y down.
    given = images.new_tensor([width / longer, -height / longer])
    asked = images.new_tensor([columns / longer, -rows / longer])
    linear = matrix * asked[None, None, :] / given[None, :, None]
    affine = torch.cat([linear, (offset / given)[:, :, None]], dim=-1)
    shape = [*images.shape[:2], rows, columns]
    grid = F.affine_grid(affine, shape, align_corners=False)
    return _sample(images, grid, fill)


def sample_points(images: Tensor, points: Tensor, fill: Tensor | float) -> Tensor:
    """Return ``J(x)`` at points (n, h, w, 2) in grid units, shape (n, c, h, w)."""
    height, width = images.shape[-2:]
    longer = max(height, width)
    # grid_sample's coordinates span -1 to 1 on both sides, with y down.
    return _sample(
        images, points * points.new_tensor([longer / width, -longer / height]), fill
    )


def _sample(images: Tensor, grid: Tensor, fill: Tensor | float) -> Tensor:
    moved = F.grid_sample(
        images - fill, grid.to(images.dtype), mode="bilinear", align_corners=False
    )
    return moved + fill


def move_array(
    images: np.ndarray, theta: np.ndarray, tau: np.ndarray, fill: np.ndarray | float
) -> np.ndarray:
    """Move NumPy images as :func:`move_images` does, a chunk at a time.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w), any real dtype
    theta : ndarray of shape (n,), in radians
    tau : ndarray of shape (n, 2), in pixels, y up
    fill : float or ndarray that broadcasts to (n, c, h, w)

    Returns
    -------
    ndarray of shape (n, c, h, w)
        Of the images' dtype; integers are rounded and stay within their range, booleans
        are what is above a half.
    """
    moved = np.empty(images.shape, dtype=images.dtype)
    unit = pixels_to_units(*images.shape[-2:])
    background = torch.as_tensor(np.asarray(fill, dtype=np.float32))
    for start in range(0, len(images), _CHUNK):
        rows = slice(start, start + _CHUNK)
        batch = torch.from_numpy(np.asarray(images[rows], dtype=np.float32))
        turn = torch.from_numpy(np.asarray(theta[rows], dtype=np.float32))
        shift = torch.from_numpy(np.asarray(tau[rows], dtype=np.float32)) * unit
        moved[rows] = _cast(move_images(batch, turn, shift, background), images.dtype)
    return moved


def _cast(images: Tensor, dtype: np.dtype) -> np.ndarray:
    """Return the tensor as an array of the dtype, integers rounded and clipped."""
    values = images.numpy()
    if np.issubdtype(dtype, np.bool_):
        return values > 0.5
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    return values.astype(dtype)
