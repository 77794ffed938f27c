"""Pictures of one size in rows and columns, with titles, in one Axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.plot._axes import get_axes

if TYPE_CHECKING:
    from matplotlib.image import AxesImage

_GAP = 0.06  # between pictures, of their side
_INCHES = 0.8  # of a picture's longer side
_TITLE_INCHES = 1.6
_COLOURS = (3, 4)


def draw_mosaic(
    rows: Sequence[NDArray],
    *,
    row_titles: Sequence[str],
    column_titles: Sequence[str] = (),
    ax: Any = None,
    cmap: Any = "gray",
) -> AxesImage:
    """Draw pictures in rows: titles to the left of them and, if any, above.

    Parameters
    ----------
    rows : sequence of ndarray of shape (k, h, w) or (k, h, w, c)
        With values in [0, 1]; c is 3 or 4. Rows may differ in length.
    row_titles, column_titles : sequence of str
    ax : matplotlib Axes, optional
        By default those of a new figure that fits.
    cmap : str or Colormap
        Of grey pictures.

    Returns
    -------
    AxesImage
        Its array is that of :func:`compose_mosaic`.
    """
    mosaic = compose_mosaic(rows)
    n_columns = max(map(len, rows))
    ax = get_axes(ax, _figure_size(rows[0].shape[1:3], len(rows), n_columns))
    image = ax.imshow(mosaic, cmap=cmap, vmin=0, vmax=1, interpolation="nearest")
    height, width = rows[0].shape[1:3]
    ax.set_yticks(_centres(height, len(rows)), labels=row_titles)
    ax.set_xticks(
        _centres(width, len(column_titles)), labels=column_titles, fontsize="small"
    )
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.set_frame_on(False)
    ax.set_anchor("NW")  # else the layout misjudges the titles' room
    return image


def compose_mosaic(rows: Sequence[NDArray]) -> NDArray[np.float32]:
    """Return one picture of all, transparent between them and where rows end early.

    Parameters
    ----------
    rows : sequence of ndarray of shape (k, h, w) or (k, h, w, c), c = 3 or 4

    Returns
    -------
    ndarray of shape (H, W), NaN where there is nothing, or (H, W, 4), red, green, blue
    and opacity; picture j of row i starts at (i (h + gap), j (w + gap)).
    """
    height, width, *colours = rows[0].shape[1:]
    down, right = height + _gap(height), width + _gap(width)
    shape = (len(rows) * down, max(map(len, rows)) * right)
    mosaic = _empty(shape, coloured=bool(colours))
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            place = mosaic[i * down :, j * right :][:height, :width]
            place[..., : picture.shape[-1] if colours else None] = picture
            if colours and colours[0] == _COLOURS[0]:
                place[..., -1] = 1.0
    return mosaic[: -_gap(height), : -_gap(width)]


def _empty(shape: tuple[int, int], *, coloured: bool) -> NDArray[np.float32]:
    if coloured:
        return np.zeros((*shape, 4), dtype=np.float32)
    return np.full(shape, np.nan, dtype=np.float32)


def _gap(side: int) -> int:
    return max(1, round(_GAP * side))


def _centres(side: int, n: int) -> NDArray:
    """Return where the middles of n pictures lie, in pixels of the mosaic."""
    return np.arange(n) * (side + _gap(side)) + (side - 1) / 2


def _figure_size(
    shape: tuple[int, int], n_rows: int, n_columns: int
) -> tuple[float, float]:
    """Return (width, height) in inches of a figure that fits the mosaic."""
    height, width = (_INCHES * side / max(shape) for side in shape)
    return n_columns * width + _TITLE_INCHES, n_rows * height + _INCHES / 2
