"""Training curves of fitted estimators."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invariant_cluster.inspection import steps_of
from invariant_cluster.plot._axes import divide, get_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCHES = (4.2, 1.0)  # size of a strip
_MARGIN_INCHES = 0.9
_NO_TERMS = ("stage", "seconds")
_STYLES = ("-", "--", ":")
_HEADROOM = 1.08
_MOST_MARKED = 12  # Longer runs have no marker per epoch.


class TrainingCurvesDisplay:
    """Loss and its terms over the epochs, one column per step and one strip per term.

    Use :meth:`from_estimator` to create the display.

    Parameters
    ----------
    histories : dict of str to DataFrame
        ``history_`` of each step, by title of its column. One row per epoch.

    Attributes
    ----------
    axes_ : dict of str to dict of str to matplotlib Axes
        Strips by step and term, such as ``axes_["IRLINREmbedder"]["loss"]``.
    figure_ : matplotlib Figure
        Figure of the strips.

    See Also
    --------
    ReconstructionDisplay : Plot what the trained embedder reconstructs.
    invariant_cluster.cluster_report : Write curves and clusters to an HTML file.

    Notes
    -----
    Each term has its own vertical axis, since terms differ by orders of magnitude.
    Stages of a clusterer are separated by vertical lines and distinguished by colour
    and line style. The columns "stage" and "seconds" of the history are not drawn.
    """

    axes_: dict[str, dict[str, Axes]]
    figure_: Figure

    def __init__(self, histories: dict[str, pd.DataFrame]) -> None:
        self.histories = histories

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> TrainingCurvesDisplay:
        """Plot the recorded history of an embedder, a clusterer or a Pipeline of them.

        Parameters
        ----------
        estimator : fitted estimator with ``history_``, or Pipeline with such steps
            Model whose history is drawn. Steps without ``history_`` are skipped.
        ax : matplotlib Axes, optional
            Axes whose area is divided among the panels. By default those of a new
            figure.

        Returns
        -------
        TrainingCurvesDisplay
            The display, already drawn.

        Raises
        ------
        TypeError
            If no step has a ``history_``.
        ImportError
            If matplotlib is not installed.
        """
        histories = {
            type(step).__name__: step.history_
            for step in steps_of(estimator)
            if hasattr(step, "history_")
        }
        if not histories:
            raise TypeError(
                f"estimator={type(estimator).__name__} has no history_: fit it first, "
                "and give an estimator that trains by epochs, such as IRLINREmbedder."
            )
        return cls(histories).plot(ax)

    def plot(self, ax: Any = None) -> TrainingCurvesDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes whose area is divided among the panels. By default those of a new
            figure.

        Returns
        -------
        TrainingCurvesDisplay
            The display itself, with ``axes_`` and ``figure_`` set.
        """
        terms = {title: _terms_of(frame) for title, frame in self.histories.items()}
        width, height = _INCHES
        tallest = max(map(len, terms.values()))
        ax = get_axes(ax, (width * len(terms), height * tallest + _MARGIN_INCHES))
        self.figure_ = ax.figure
        columns = divide(ax, 1, len(terms))
        self.axes_ = {
            title: _draw_history(ax, place, self.histories[title], terms[title])
            for place, title in zip(columns, terms, strict=True)
        }
        for title, strips in self.axes_.items():
            strips["loss"].set_title(title, fontsize="medium")
            self.figure_.align_ylabels(list(strips.values()))
        return self


def _terms_of(history: pd.DataFrame) -> list[str]:
    """Return the columns of a history that are terms."""
    return [name for name in history.columns if name not in _NO_TERMS]


def _draw_history(
    ax: Axes, place: Any, history: pd.DataFrame, terms: list[str]
) -> dict[str, Axes]:
    """Draw one strip per term, one above the other; return the strips."""
    figure: Any = ax.figure
    grid = place.subgridspec(len(terms), 1)
    strips = {term: figure.add_subplot(grid[i]) for i, term in enumerate(terms)}
    for term, strip in strips.items():
        _draw_term(strip, history, term)
        strip.tick_params(labelsize="small", labelbottom=term == terms[-1])
    strips[terms[-1]].set_xlabel("epoch")
    if "stage" in history:
        strips["loss"].legend(fontsize="x-small")
    return strips


def _draw_term(ax: Axes, history: pd.DataFrame, term: str) -> None:
    """Draw one term, each stage in its own style, with a line where a stage starts.

    Rounds of one stage share a style, and the legend names the first.
    """
    from matplotlib.ticker import MaxNLocator

    epochs = np.arange(1, len(history) + 1)
    stages = history["stage"] if "stage" in history else pd.Series("", history.index)
    names = stages.unique()
    kinds = [re.sub(r" \d+$", "", name) for name in names]
    styles = list(dict.fromkeys(kinds))
    for i, (stage, kind) in enumerate(zip(names, kinds, strict=True)):
        own = (stages == stage).to_numpy()
        place = styles.index(kind)
        marker = "." if len(epochs) <= _MOST_MARKED or own.sum() == 1 else ""
        ax.plot(
            epochs[own],
            history[term][own],
            _STYLES[place % len(_STYLES)],
            color=f"C{place}",
            marker=marker,
            label=stage if stage == kind else "_nolegend_",
        )
        if i:
            ax.axvline(epochs[own][0] - 0.5, color="0.6", linewidth=1)
    # The same limits in all strips, even if a stage lacks a term.
    ax.set_xlim(0, len(epochs) + 1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if history[term].min() >= 0:
        ax.set_ylim(0, _HEADROOM * history[term].max() or 1)
    ax.set_ylabel(
        term.replace("_", " "), rotation=0, ha="right", va="center", fontsize="small"
    )
