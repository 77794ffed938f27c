"""The pixel grid and the disc, in grid units."""

from __future__ import annotations

import torch
from torch import Tensor

from invariant_cluster.geometry._kept import kept


def pixel_grid(
    height: int, width: int, *, device: torch.device | str | None = None
) -> Tensor:
    """Return the coordinates (x, y) of the pixel centres.

    The origin is the image's centre, y points up, and one pixel is ``2 / max(h, w)``
    long, so the edges of the longer side lie at -1 and 1.

    Parameters
    ----------
    height : int
        Number of pixel rows.
    width : int
        Number of pixel columns.
    device : torch.device or str, optional
        Device of the result; torch's default device if not given.

    Returns
    -------
    Tensor of shape (height, width, 2), float32
        The pair (x, y) of each pixel, in grid units. Row 0 is the top of the image.

    See Also
    --------
    disc_mask : Return the pixels inside the inscribed disc.
    pixels_to_units : Return the length of one pixel in grid units.

    Examples
    --------
    >>> from invariant_cluster.geometry import pixel_grid
    >>> pixel_grid(2, 4)[0].tolist()
    [[-0.75, 0.25], [-0.25, 0.25], [0.25, 0.25], [0.75, 0.25]]
    """
    pixel = 2.0 / max(height, width)
    x = (torch.arange(width, device=device) - (width - 1) / 2) * pixel
    rows = torch.arange(height - 1, -1, -1, device=device)
    y = (rows - (height - 1) / 2) * pixel
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def disc_mask(
    height: int, width: int, *, device: torch.device | str | None = None
) -> Tensor:
    """Return the pixels inside the disc that every rotation keeps in the frame.

    The disc lies about the image's centre; its radius is half the shorter side. Masses
    and losses leave out the pixels outside of it.

    Parameters
    ----------
    height : int
        Number of pixel rows.
    width : int
        Number of pixel columns.
    device : torch.device or str, optional
        Device of the result; torch's default device if not given.

    Returns
    -------
    Tensor of shape (height, width), bool
        True for pixels whose centre lies in the disc.

    See Also
    --------
    pixel_grid : Return the coordinates of the pixel centres.
    image_mass : Return the mass of images inside the disc.
    """
    radius = min(height, width) / max(height, width)
    return pixel_grid(height, width, device=device).norm(dim=-1) <= radius


@kept
def kept_disc(
    height: int, width: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Return 1 for the pixels inside the disc and 0 outside, kept.

    Parameters
    ----------
    height : int
        Number of pixel rows.
    width : int
        Number of pixel columns.
    dtype : torch.dtype
        Dtype of the result.
    device : torch.device
        Device of the result.

    Returns
    -------
    Tensor of shape (height, width)
        The mask as numbers.

    See Also
    --------
    disc_mask : Return the mask anew.
    """
    return disc_mask(height, width, device=device).to(dtype)


@kept
def disc_points(height: int, width: int, device: torch.device) -> Tensor:
    """Return the flat indices of the pixels inside the disc, kept.

    Parameters
    ----------
    height : int
        Number of pixel rows.
    width : int
        Number of pixel columns.
    device : torch.device
        Device of the result.

    Returns
    -------
    Tensor of shape (p,), int64
        Indices ``row * width + column``, ascending.

    See Also
    --------
    disc_mask : Return the mask.
    """
    return disc_mask(height, width, device=device).flatten().nonzero().squeeze(1)


@kept
def homogeneous_grid(
    rows: int,
    columns: int,
    longer: int,
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    """Return the pixel centres of a centred frame as rows (x, y, 1), kept.

    Parameters
    ----------
    rows : int
        Number of pixel rows of the frame.
    columns : int
        Number of pixel columns of the frame.
    longer : int
        Longer side in pixels of the image in whose grid units the points are.
    dtype : torch.dtype
        Dtype of the result.
    device : torch.device
        Device of the result.

    Returns
    -------
    Tensor of shape (rows * columns, 3)
        Homogeneous coordinates, so that an affine map is one matrix product.

    See Also
    --------
    pixel_grid : Return the coordinates of an image's own pixels.
    """
    grid = pixel_grid(rows, columns, device=device).double().reshape(-1, 2)
    points = grid * (max(rows, columns) / longer)
    return torch.cat([points, torch.ones_like(points[:, :1])], dim=1).to(dtype)


def pixels_to_units(height: int, width: int) -> float:
    """Return the length of one pixel in grid units.

    Parameters
    ----------
    height : int
        Number of pixel rows.
    width : int
        Number of pixel columns.

    Returns
    -------
    float
        ``2 / max(height, width)``, the factor from pixels to grid units.

    See Also
    --------
    pixel_grid : Return the coordinates of the pixel centres.
    """
    return 2.0 / max(height, width)
