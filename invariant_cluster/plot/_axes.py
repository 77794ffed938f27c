"""Axes in which a display draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def import_pyplot() -> Any:
    """Return ``matplotlib.pyplot``.

    Returns
    -------
    module
        The imported module.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "invariant_cluster.plot needs matplotlib, which is not installed: run "
            "'pip install matplotlib'."
        ) from error
    return plt


def get_axes(ax: Any, figsize: tuple[float, float]) -> Axes:
    """Return the given Axes, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes or None
        Axes to return; None creates a figure.
    figsize : (width, height)
        Size of the new figure in inches.

    Returns
    -------
    matplotlib Axes
        Axes to draw in.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If ``ax`` is neither Axes nor None.

    See Also
    --------
    divide : Divide Axes into a grid.
    """
    plt = import_pyplot()
    if ax is None:
        return plt.subplots(figsize=figsize, layout="constrained")[1]
    if not hasattr(ax, "imshow"):
        raise TypeError(
            f"ax={ax!r} is not a matplotlib Axes: give one from plt.subplots(), such "
            "as axes[0], or None for a new figure."
        )
    return ax


def divide(ax: Axes, n_rows: int, n_columns: int) -> list[Any]:
    """Hide the Axes and return the cells of a grid in their place.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes whose area is divided.
    n_rows, n_columns : int
        Size of the grid.

    Returns
    -------
    list of SubplotSpec
        The cells, row by row.
    """
    ax.set_axis_off()
    place = ax.get_subplotspec()
    if place is not None:
        grid: Any = place.subgridspec(n_rows, n_columns)
    else:
        box, figure = ax.get_position(), cast("Figure", ax.figure)
        sides = {"left": box.x0, "right": box.x1, "bottom": box.y0, "top": box.y1}
        grid = figure.add_gridspec(n_rows, n_columns, wspace=0.4, hspace=0.4, **sides)
    return [grid[row, column] for row in range(n_rows) for column in range(n_columns)]
