"""The pixel grid, in the units that all geometry here uses."""

from __future__ import annotations

import torch
from torch import Tensor


def pixel_grid(
    height: int, width: int, *, device: torch.device | str | None = None
) -> Tensor:
    """Return the coordinates (x, y) of the pixel centres, shape (h, w, 2)."""
    pixel = 2.0 / max(height, width)
    x = (torch.arange(width, device=device) - (width - 1) / 2) * pixel
    rows = torch.arange(height - 1, -1, -1, device=device)
    y = (rows - (height - 1) / 2) * pixel
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def disc_mask(
    height: int, width: int, *, device: torch.device | str | None = None
) -> Tensor:
    """Return which pixels a rotation never throws away, bool, shape (h, w).

    They lie in the disc about the centre whose radius is half the shorter side.
    """
    radius = min(height, width) / max(height, width)
    return pixel_grid(height, width, device=device).norm(dim=-1) <= radius


def pixels_to_units(height: int, width: int) -> float:
    """Return the length of one pixel in the grid's units."""
    return 2.0 / max(height, width)
