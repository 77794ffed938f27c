"""Where a display draws: in the Axes given, or in those of a new figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
            "install invariant-cluster[plot]."
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
