"""How training went."""

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

_INCHES = (4.2, 1.0)  # of a strip
_MARGIN_INCHES = 0.9
_NO_TERMS = ("stage", "seconds")
_STYLES = ("-", "--", ":")
_MOST_MARKED = 12  # epochs


class TrainingCurvesDisplay:
    """Loss and its terms in each epoch: one column a trained step, one strip a term.

    Terms differ by orders of magnitude, so each has an axis of its own. The stages of a
    clusterer are parted by lines and told apart by colour and dashes.

    Make it by :meth:`from_estimator`.

    Parameters
    ----------
    histories : dict of str to DataFrame
        ``history_`` of each step, by the column's title: one row an epoch.

    Attributes
    ----------
    axes_ : dict of str to dict of str to matplotlib Axes
        By step and term, ``axes_["IRLINREmbedder"]["loss"]``.
    figure_ : matplotlib Figure
    """

    axes_: dict[str, dict[str, Axes]]
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
            Is divided; by default those of a new figure.

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
            Is divided; by default those of a new figure.

        Returns
        -------
        self
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
    return [name for name in history.columns if name not in _NO_TERMS]


def _draw_history(
    ax: Axes, place: Any, history: pd.DataFrame, terms: list[str]
) -> dict[str, Axes]:
    """Draw one strip a term, below each other; return them."""
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
    """Draw one term, each stage in its style, with a line where the next one starts.

    Rounds of one stage look alike, and the legend names the first.
    """
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
    # Of all strips alike, also where a stage has not every term.
    ax.set_xlim(0, len(epochs) + 1)
    ax.set_ylabel(
        term.replace("_", " "), rotation=0, ha="right", va="center", fontsize="small"
    )
