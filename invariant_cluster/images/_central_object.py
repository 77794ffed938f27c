"""The object in the middle of an image, without its neighbours."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from invariant_cluster.geometry import pixel_grid
from invariant_cluster.images._border import edges_of, quantile_of

_GRID = 32  # cells along the longer side, in which objects are told apart
_STEPS = 2 * _GRID
_SURE = 5.0  # standard deviations of the border
_FAINT = 0.1  # of the brightest pixel near the middle
_NEAR = 0.25  # radius of what is near the middle, in grid units
_WITHIN = 0.6827  # of a normal law lies within one standard deviation
_NOWHERE = 9.0  # farther than any cell


def isolate_central(images: Tensor) -> Tensor:
    """Return images of the object nearest the middle, on their own background.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images in any units, float.

    Returns
    -------
    Tensor of the same shape
        Each image inside the connected object nearest its middle and a margin of one
        cell; elsewhere the median of its border. An image in which no object is found
        stays as it is.

    Notes
    -----
    Pixels belong to an object if they differ from the border's median by more than five
    of its standard deviations (what 68 % of the border stay within) and by more than a
    tenth of what the brightest pixel near the middle does. Cells of a grid of at most
    32 x 32 hold an object if one of their pixels does, and are connected with all eight
    around. An object reaches no farther than 64 steps of a cell from where it is
    nearest the middle.
    """
    background, noise = _border_of(images)
    distance = (images - background).abs().amax(dim=1, keepdim=True)
    grid = pixel_grid(*images.shape[-2:], device=images.device)
    is_near = grid.norm(dim=-1) <= _NEAR
    peak = (distance * is_near).amax(dim=(-2, -1), keepdim=True)
    cells, size = _cells_of(distance > torch.maximum(_SURE * noise, _FAINT * peak))
    within = _grow(cells, _nearest_cell(cells))
    kept = _pixels_of(_dilate(within) > 0, size, images.shape[-2:])
    is_blank = within.amax(dim=(-2, -1), keepdim=True) == 0
    return torch.where(kept | is_blank, images, background)


def _border_of(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return median (n, c, 1, 1) and noise (n, 1, 1, 1) of each image's border."""
    border = torch.cat(edges_of(images), dim=-1)
    median = quantile_of(border, 0.5)
    noise = quantile_of((border - median).abs(), _WITHIN).amax(dim=1, keepdim=True)
    return median[..., None], noise[..., None]


def _cells_of(is_object: Tensor) -> tuple[Tensor, int]:
    """Return 1 for cells (n, 1, k, l) that hold a pixel, and their side in pixels."""
    height, width = is_object.shape[-2:]
    size = math.ceil(max(height, width) / _GRID)
    above, left = ((-side % size) // 2 for side in (height, width))
    below, right = -height % size - above, -width % size - left
    padded = F.pad(is_object.float(), (left, right, above, below))
    return F.max_pool2d(padded, size), size


def _pixels_of(cells: Tensor, size: int, shape: torch.Size) -> Tensor:
    """Return the cells' values at each pixel of images of a shape (h, w)."""
    pixels = cells.repeat_interleave(size, dim=-2).repeat_interleave(size, dim=-1)
    above, left = ((-side % size) // 2 for side in shape)
    return pixels[..., above : above + shape[0], left : left + shape[1]]


def _nearest_cell(cells: Tensor) -> Tensor:
    """Return 1 for the cell of each image that is nearest the middle, if there is one.

    Of several, all that are as near.
    """
    grid = pixel_grid(*cells.shape[-2:], device=cells.device)
    distance = torch.where(cells > 0, grid.norm(dim=-1), _NOWHERE)
    nearest = distance.amin(dim=(-2, -1), keepdim=True)
    return cells * (distance <= nearest)


def _grow(cells: Tensor, seed: Tensor) -> Tensor:
    """Return 1 for the cells that are connected with the seed."""
    for _ in range(_STEPS):
        seed = _dilate(seed) * cells
    return seed


def _dilate(cells: Tensor) -> Tensor:
    """Return 1 for cells of which one, or one of the eight around, is positive.

    Two matrix products; a maximum over windows takes several times as long.
    """
    down, across = (_band(side, cells) for side in cells.shape[-2:])
    return (down @ cells @ across).clamp(max=1)


def _band(side: int, like: Tensor) -> Tensor:
    """Return the matrix (side, side) of a sum over three neighbours."""
    index = torch.arange(side, device=like.device)
    return ((index[:, None] - index).abs() <= 1).to(like.dtype)
