"""Where a display draws: in the Axes given, or in those of a new figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def import_pyplot() -> Any:
    """Return ``matplotlib.pyplot``.

    Raises
    ------
    ImportError
        Without matplotlib.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "invariant_cluster.plot draws with matplotlib, which is not installed: pip "
            "install 'invariant-cluster[plot]'."
        ) from error
    return plt


def get_axes(ax: Any, figsize: tuple[float, float]) -> Axes:
    """Return the Axes given, or those of a new figure of so many inches.

    Raises
    ------
    ImportError
        Without matplotlib.
    TypeError
        When ``ax`` is something else.
    """
    plt = import_pyplot()
    if ax is None:
        return plt.subplots(figsize=figsize, layout="constrained")[1]
    if not hasattr(ax, "imshow"):
        raise TypeError(
            f"ax={ax!r} is no matplotlib Axes: give one of plt.subplots(), such as "
            "axes[0], or None for a new figure."
        )
    return ax


def divide(ax: Axes, n_rows: int, n_columns: int) -> list[Any]:
    """Return the places of a grid in place of the Axes, row by row."""
    ax.set_axis_off()
    place = ax.get_subplotspec()
    if place is not None:
        grid: Any = place.subgridspec(n_rows, n_columns)
    else:
        box, figure = ax.get_position(), cast("Figure", ax.figure)
        sides = {"left": box.x0, "right": box.x1, "bottom": box.y0, "top": box.y1}
        grid = figure.add_gridspec(n_rows, n_columns, wspace=0.4, hspace=0.4, **sides)
    return [grid[row, column] for row in range(n_rows) for column in range(n_columns)]
