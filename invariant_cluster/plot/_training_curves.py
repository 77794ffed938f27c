"""How training went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invariant_cluster.plot._axes import get_axes
from invariant_cluster.plot._fitted_parts import steps_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCHES = (5.0, 3.6)
_NO_TERMS = ("stage", "seconds")
_MARKERS = "osD^vPX*<>"


class TrainingCurvesDisplay:
    """Loss and its terms in each epoch, one panel a trained step.

    The stages of a clusterer are parted by lines.

    Make it by :meth:`from_estimator`.

    Parameters
    ----------
    histories : dict of str to DataFrame
        ``history_`` of each step, by the panel's title: one row an epoch.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        One a step.
    figure_ : matplotlib Figure
    """

    axes_: list[Axes]
    figure_: Figure

    def __init__(self, histories: dict[str, pd.DataFrame]) -> None:
        self.histories = histories

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> TrainingCurvesDisplay:
        """Show what an embedder, a clusterer or a Pipeline of them recorded.

        Parameters
        ----------
        estimator : fitted estimator with ``history_``, or Pipeline with such steps
        ax : matplotlib Axes, optional
            Divided if there are several panels; by default those of a new figure.

        Raises
        ------
        TypeError
            When no step has a ``history_``.
        """
        histories = {
            type(step).__name__: step.history_
            for step in steps_of(estimator)
            if hasattr(step, "history_")
        }
        if not histories:
            raise TypeError(
                f"estimator={type(estimator).__name__} has no history_: fit it first, "
                "and give an estimator that trains, such as IRLINREmbedder."
            )
        return cls(histories).plot(ax)

    def plot(self, ax: Any = None) -> TrainingCurvesDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Divided if there are several panels; by default those of a new figure.

        Returns
        -------
        self
        """
        width, height = _INCHES
        ax = get_axes(ax, (width * len(self.histories), height))
        self.figure_ = ax.figure
        self.axes_ = _divide(ax, len(self.histories))
        for panel, (title, history) in zip(
            self.axes_, self.histories.items(), strict=True
        ):
            _draw_history(panel, history)
            panel.set_title(title, fontsize="medium")
        return self


def _divide(ax: Axes, n: int) -> list[Axes]:
    """Return n panels side by side in place of the Axes; these alone, if n is 1."""
    if n == 1:
        return [ax]
    ax.set_axis_off()
    place = ax.get_subplotspec()
    if place is None:
        box = ax.get_position()
        sides = {"left": box.x0, "right": box.x1, "bottom": box.y0, "top": box.y1}
        grid: Any = ax.figure.add_gridspec(1, n, wspace=0.3, **sides)
    else:
        grid = place.subgridspec(1, n)
    return [ax.figure.add_subplot(grid[i]) for i in range(n)]


def _draw_history(ax: Axes, history: pd.DataFrame) -> None:
    terms = [name for name in history.columns if name not in _NO_TERMS]
    epochs = np.arange(1, len(history) + 1)
    every = max(1, len(epochs) // 10)
    for term, marker in zip(terms, _MARKERS, strict=False):
        ax.plot(
            epochs,
            history[term],
            label=term.replace("_", " "),
            marker=marker,
            markevery=every,
            markersize=4,
            linewidth=1.2,
        )
    # Terms differ by orders of magnitude; SCAN's loss is negative.
    if (history[terms].min() > 0).all():
        ax.set_yscale("log")
    if "stage" in history:
        _mark_stages(ax, history["stage"])
    ax.set_xlabel("epoch")
    ax.legend(fontsize="small")


def _mark_stages(ax: Axes, stages: pd.Series) -> None:
    """Part the stages by lines and write their names at the top."""
    starts = np.flatnonzero(stages != stages.shift())
    for start in starts:
        if start:
            ax.axvline(start + 0.5, color="0.6", linewidth=1)
        ax.text(
            start + 0.6,
            1.0,
            str(stages.iloc[start]),
            transform=ax.get_xaxis_transform(),
            va="bottom",
            fontsize="small",
        )
