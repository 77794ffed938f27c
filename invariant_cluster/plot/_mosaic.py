"""Mosaic of equally large pictures in one Axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.images import Disc
from invariant_cluster.plot._axes import get_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

_GAP = 0.06  # between pictures, as a fraction of their side
_INCHES = 0.8  # longer side of a picture
_TITLE_INCHES, _LETTER_INCHES = 0.4, 0.085  # room of titles, and of each letter
_OUTLINE = "#56b4e9"  # visible on black, grey and white
_COLOURS = (3, 4)


def draw_mosaic(
    rows: Sequence[NDArray],
    *,
    row_titles: Sequence[str],
    column_titles: Sequence[str] = (),
    disc: Disc | None = None,
    ax: Any = None,
    cmap: Any = "gray",
) -> AxesImage:
    """Draw rows of pictures, with row titles at the left and column titles above.

    Parameters
    ----------
    rows : sequence of ndarray of shape (k, h, w) or (k, h, w, c)
        Pictures of each row, with values in [0, 1] and c = 3 or 4. Rows may differ in
        length.
    row_titles : sequence of str
        One title per row.
    column_titles : sequence of str, default=()
        One title per column; empty for none.
    disc : Disc, optional
        Disc to outline on every picture.
    ax : matplotlib Axes, optional
        Axes to draw in. By default those of a new figure of suitable size.
    cmap : str or Colormap, default="gray"
        Colour map of grey pictures.

    Returns
    -------
    AxesImage
        The drawn image; its array is that of :func:`compose_mosaic`.

    See Also
    --------
    compose_mosaic : Compose the array without drawing.
    """
    mosaic = compose_mosaic(rows)
    n_columns = max(map(len, rows))
    longest = max(len(line) for title in row_titles for line in title.split("\n"))
    size = _figure_size(rows[0].shape[1:3], len(rows), n_columns, longest)
    ax = get_axes(ax, size)
    image = ax.imshow(mosaic, cmap=cmap, vmin=0, vmax=1, interpolation="nearest")
    height, width = rows[0].shape[1:3]
    ax.set_yticks(_centres(height, len(rows)), labels=row_titles)
    ax.set_xticks(
        _centres(width, len(column_titles)), labels=column_titles, fontsize="small"
    )
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.set_frame_on(False)
    if disc is not None:
        _outline(ax, rows, disc)
    ax.set_anchor("NW")  # otherwise the layout misjudges the space of the titles
    return image


def compose_mosaic(rows: Sequence[NDArray]) -> NDArray[np.float32]:
    """Return one picture that contains all pictures, transparent elsewhere.

    Parameters
    ----------
    rows : sequence of ndarray of shape (k, h, w) or (k, h, w, c)
        Pictures of each row, with c = 3 or 4. Rows may differ in length.

    Returns
    -------
    ndarray of shape (H, W) or (H, W, 4), float32
        Grey picture with NaN between pictures and after short rows; or red, green, blue
        and opacity, 0 there. Picture j of row i starts at (i (h + gap), j (w + gap)).

    See Also
    --------
    draw_mosaic : Draw the mosaic.
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


def _outline(ax: Axes, rows: Sequence[NDArray], disc: Disc) -> None:
    """Outline the disc of each picture by a thin line."""
    from matplotlib.patches import Ellipse

    height, width = rows[0].shape[1:3]
    x, y = disc.x * width - 0.5, disc.y * height - 0.5
    style: Any = {"fill": False, "edgecolor": _OUTLINE, "linewidth": 0.8}
    for i, row in enumerate(rows):
        for j in range(len(row)):
            centre = x + j * (width + _gap(width)), y + i * (height + _gap(height))
            size = disc.width * width, disc.height * height
            ax.add_patch(Ellipse(centre, *size, **style))


def _empty(shape: tuple[int, int], *, coloured: bool) -> NDArray[np.float32]:
    """Return a transparent array of the given height and width."""
    if coloured:
        return np.zeros((*shape, 4), dtype=np.float32)
    return np.full(shape, np.nan, dtype=np.float32)


def _gap(side: int) -> int:
    """Return the distance in pixels between pictures with the given side."""
    return max(1, round(_GAP * side))


def _centres(side: int, n: int) -> NDArray:
    """Return the centres of n pictures along one side, in pixels of the mosaic."""
    return np.arange(n) * (side + _gap(side)) + (side - 1) / 2


def _figure_size(
    shape: tuple[int, int], n_rows: int, n_columns: int, longest: int
) -> tuple[float, float]:
    """Return (width, height) in inches of a figure that fits mosaic and titles."""
    height, width = (_INCHES * side / max(shape) for side in shape)
    titles = _TITLE_INCHES + _LETTER_INCHES * longest
    return n_columns * width + titles, n_rows * height + _INCHES / 2
