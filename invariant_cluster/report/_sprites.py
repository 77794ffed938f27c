"""Sprite sheets: many small pictures in one PNG."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray


@dataclass(frozen=True)
class SpriteSheet:
    """Tiles of equal size in one picture, row by row.

    Attributes
    ----------
    uri : str
        The picture as ``data:image/png;base64,...``.
    columns, rows : int
        Number of tiles along each side.
    width, height : int
        Size of a tile as shown, in CSS pixels. It is a whole multiple of the tile's own
        size, so that neighbouring tiles do not bleed in.
    """

    uri: str
    columns: int
    rows: int
    width: int
    height: int

    def place(self, index: int) -> str:
        """Return the CSS that moves a tile into view.

        Parameters
        ----------
        index : int
            Index of the tile: tile i is the i-th picture.

        Returns
        -------
        str
            CSS property ``background-position``.
        """
        row, column = divmod(index, self.columns)
        return f"background-position:{-column * self.width}px {-row * self.height}px"


def make_sheet(
    pictures: NDArray, *, shown: int, largest: int, palette: bool = False
) -> SpriteSheet:
    """Return pictures as one sprite sheet.

    Parameters
    ----------
    pictures : ndarray of shape (n, h, w) or (n, h, w, c)
        Pictures with values in [0, 1].
    shown : int
        Approximate length of the longer side on the screen, in CSS pixels.
    largest : int
        Pictures with a longer side are shrunk to this many pixels.
    palette : bool, default=False
        Whether to reduce colours to 256, which takes a third of the bytes.

    Returns
    -------
    SpriteSheet
        Sheet with one tile per picture.
    """
    tiles = _shrink(pictures, largest)
    height, width = tiles.shape[1:3]
    scale = max(1, round(shown / max(height, width)))
    columns = math.ceil(math.sqrt(len(tiles)))
    rows = math.ceil(len(tiles) / columns)
    uri = _encode(_tile(tiles, columns, rows), palette)
    return SpriteSheet(uri, columns, rows, width * scale, height * scale)


def _shrink(pictures: NDArray, largest: int) -> NDArray[np.uint8]:
    """Return pictures as bytes (n, h, w, c), shrunk by averaging areas."""
    height, width = pictures.shape[1:3]
    factor = min(1.0, largest / max(height, width))
    size = (max(1, round(height * factor)), max(1, round(width * factor)))
    channels = torch.from_numpy(
        np.ascontiguousarray(
            pictures.reshape(*pictures.shape[:3], -1).transpose(0, 3, 1, 2)
        )
    )
    small = F.interpolate(channels, size=size, mode="area") if factor < 1 else channels
    return (small.permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)


def _tile(tiles: NDArray, columns: int, rows: int) -> NDArray:
    """Arrange tiles (n, h, w, c) as (rows * h, columns * w, c), black at the end."""
    _, height, width, n_channels = tiles.shape
    missing = rows * columns - len(tiles)
    filled = np.pad(tiles, ((0, missing), (0, 0), (0, 0), (0, 0)))
    grid = filled.reshape(rows, columns, height, width, n_channels)
    return grid.swapaxes(1, 2).reshape(rows * height, columns * width, n_channels)


def _encode(pixels: NDArray[np.uint8], palette: bool) -> str:
    """Return pixels as the data URI of a PNG."""
    from PIL import Image

    picture: Any = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    if palette and pixels.shape[-1] == 3:
        picture = picture.quantize(256)
    stream = io.BytesIO()
    picture.save(stream, format="PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
