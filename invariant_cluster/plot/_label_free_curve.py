"""Curves of label-free criteria over a parameter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from invariant_cluster.model_selection import (
    CRITERIA,
    Choice,
    label_free_curve,
    propose_value,
    suggest_value,
)
from invariant_cluster.plot._axes import divide, get_axes, import_pyplot
from invariant_cluster.validation import check_choice

_COLOR = "#0072B2"  # Okabe and Ito: distinct from orange without colour vision too.
_BEST_COLOR = "#D55E00"
_INCHES = (4.8, 3.2)  # size of a panel
_DEFAULT = "valley_contrast"


class LabelFreeCurveDisplay:
    """Curves of label-free criteria over the values of a parameter.

    Use :meth:`from_estimator` or :meth:`from_table` to create the display.

    Parameters
    ----------
    table : DataFrame
        Result of :func:`~invariant_cluster.model_selection.label_free_curve`.

    Attributes
    ----------
    table : DataFrame
        The table given.
    best_ : Choice
        The one value that is proposed, with the range that is as good and the reason,
        by :func:`~invariant_cluster.model_selection.propose_value`: by the valley
        contrast, or by the first criterion of a table that lacks it.
    suggestions_ : dict of str to object
        Value at which each criterion is highest, by
        :func:`~invariant_cluster.model_selection.suggest_value`.
    axes_ : dict of str to matplotlib Axes
        Panel of each criterion.
    figure_ : matplotlib Figure
        Figure of the panels.
    lines_ : dict of str to Line2D
        Curve of each criterion.

    See Also
    --------
    invariant_cluster.model_selection.label_free_curve : Compute the table.
    invariant_cluster.model_selection.propose_value : Return the proposal.

    Notes
    -----
    In each panel the line is the mean over the repetitions and the band is one standard
    deviation. The dashed line is the mean on data without clusters. The ring marks the
    value at which the criterion of the panel is highest, relative to the dashed line if
    there is one. The vertical line, the same in all panels, marks the value that is
    proposed, and the strip the range that is as good. Axes include 0, the chance level.

    The data do not determine the value if the criteria disagree, or if the band is
    wider than the peak is high.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import pandas as pd
    >>> from invariant_cluster.plot import LabelFreeCurveDisplay
    >>> index = pd.Index([2, 3, 4], name="n_clusters")
    >>> table = pd.DataFrame(
    ...     {"silhouette": [0.2, 0.6, 0.4], "silhouette_std": [0.1, 0.1, 0.1]}, index
    ... )
    >>> display = LabelFreeCurveDisplay.from_table(table)
    >>> display.best_.value, display.suggestions_
    (3, {'silhouette': 3})
    >>> plt.close(display.figure_)
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        param_name: str,
        param_range: Iterable[Any],
        n_repeats: int = 3,
        heads_only: bool = True,
        refit: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        ax: Any = None,
    ) -> LabelFreeCurveDisplay:
        """Compute the criteria for each value of a parameter and plot them.

        Parameters
        ----------
        estimator : Pipeline that ends in a clusterer, or clusterer of rows
            Model whose parameter varies. The clusterer needs ``predict``. The estimator
            itself does not change: clones are fitted. But steps before the clusterer
            that are fitted embed X as they are, if the parameter is one of the
            clusterer.
        X : array-like of n_samples images or rows, or ImageEmbedding
            Input of the estimator. An ``ImageEmbedding`` is the input of the clusterer,
            also of a Pipeline.
        param_name : str
            Name of the parameter as in ``set_params``, such as ``cluster__n_clusters``.
        param_range : iterable
            Values of the parameter.
        n_repeats : int, default=3
            Number of repetitions, each with another seed and other halves.
        heads_only : bool, default=True
            Whether clusterers that have a parameter ``fine_tune`` train their heads
            only.
        refit : bool, default=False
            Whether to fit a clone of the steps before the clusterer even if they are
            fitted.
        random_state : int, RandomState instance or None, default=None
            Seed of the repetitions.
        verbose : int, default=0
            1 shows a progress bar with the time left.
        ax : matplotlib Axes, optional
            Axes whose area is divided among the panels. By default those of a new
            figure.

        Returns
        -------
        LabelFreeCurveDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If the estimator has no such parameter, ``param_range`` is empty,
            ``n_repeats`` is below 1, or X is an ``ImageEmbedding`` and the parameter is
            the embedder's.
        TypeError
            If the clusterer has no ``predict``, or ``param_range`` is a string or not
            iterable.
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        LabelFreeCurveDisplay.from_table : Plot a table that is already computed.
        """
        import_pyplot()  # Fail before minutes of training.
        table = label_free_curve(
            estimator,
            X,
            param_name=param_name,
            param_range=param_range,
            n_repeats=n_repeats,
            heads_only=heads_only,
            refit=refit,
            random_state=random_state,
            verbose=verbose,
        )
        return cls(table).plot(ax)

    @classmethod
    def from_table(
        cls, table: pd.DataFrame, *, ax: Any = None
    ) -> LabelFreeCurveDisplay:
        """Plot a table of criteria that is already computed.

        Parameters
        ----------
        table : DataFrame
            Result of :func:`~invariant_cluster.model_selection.label_free_curve`.
        ax : matplotlib Axes, optional
            Axes whose area is divided among the panels. By default those of a new
            figure.

        Returns
        -------
        LabelFreeCurveDisplay
            The display, already drawn.

        Raises
        ------
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        LabelFreeCurveDisplay.from_estimator : Compute the table first.
        """
        return cls(table).plot(ax)

    @property
    def best_(self) -> Choice:
        """The value that is proposed, its range and the reason."""
        names = self._criteria
        return propose_value(self.table, _DEFAULT if _DEFAULT in names else names[0])

    @property
    def suggestions_(self) -> dict[str, Any]:
        """Value at which each criterion is highest, by criterion."""
        return {name: suggest_value(self.table, name) for name in self._criteria}

    def plot(
        self, ax: Any = None, *, criteria: Iterable[str] | None = None
    ) -> LabelFreeCurveDisplay:
        """Draw one panel per criterion.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes whose area is divided among the panels. By default those of a new
            figure.
        criteria : iterable of str, optional
            Criteria to draw, in this order. By default all criteria of the table.

        Returns
        -------
        LabelFreeCurveDisplay
            The display itself, with ``axes_``, ``lines_`` and ``figure_`` set.

        Raises
        ------
        ValueError
            If the table does not have one of the criteria.
        ImportError
            If matplotlib is not installed.
        """
        chosen = self._criteria if criteria is None else list(criteria)
        for name in chosen:
            check_choice("criteria", name, self._criteria)
        n_rows, n_columns = (len(chosen) + 1) // 2, min(len(chosen), 2)
        width, height = _INCHES
        ax = get_axes(ax, (width * n_columns, height * n_rows))
        self.figure_ = ax.figure
        places = divide(ax, n_rows, n_columns)
        self.axes_ = {
            name: self.figure_.add_subplot(place)
            for name, place in zip(chosen, places, strict=False)
        }
        best = self.best_
        self.lines_ = {}
        for name, own in self.axes_.items():
            self._draw_proposal(own, best)
            self.lines_[name] = self._draw_criterion(own, name)
        return self

    @property
    def _criteria(self) -> list[str]:
        """Criteria that the table has, in order of ``CRITERIA``."""
        return [name for name in CRITERIA if name in self.table]

    def _draw_proposal(self, ax: Any, best: Choice) -> None:
        """Mark the proposed value, and the range that is as good."""
        values = self.table.index.tolist()
        low, at, high = map(values.index, (best.low, best.value, best.high))
        if low < high:
            told = f"{best.low} to {best.high} as good"
            ax.axvspan(low, high, color=_BEST_COLOR, alpha=0.15, lw=0, label=told)
        ax.axvline(at, color=_BEST_COLOR, lw=1.5, label=f"proposed: {best.value}")

    def _draw_criterion(self, ax: Any, name: str) -> Any:
        """Draw one criterion, with its values at equal distances; return its line."""
        mean = self.table[name].to_numpy()
        spread = self.table[f"{name}_std"].to_numpy()
        place = np.arange(len(mean))
        highest = self.suggestions_[name]
        at = self.table.index.tolist().index(highest)
        ax.fill_between(place, mean - spread, mean + spread, color=_COLOR, alpha=0.2)
        (line,) = ax.plot(place, mean, "o-", ms=4, color=_COLOR)
        ring = {"mfc": "none", "mec": _BEST_COLOR, "ms": 11, "mew": 1.5, "ls": "none"}
        ax.plot(at, mean[at], "o", label=f"highest: {highest}", **ring)
        if f"{name}_excess" in self.table:
            without = mean - self.table[f"{name}_excess"].to_numpy()
            ax.plot(place, without, "--", color="0.4", label="without clusters")
        ax.set_xticks(place, map(str, self.table.index))
        ax.set(title=name.replace("_", " "), xlabel=self.table.index.name)
        bottom, top = ax.get_ylim()
        ax.set_ylim(min(bottom, 0), max(top, 0))
        ax.grid(axis="y", alpha=0.3)
        ax.legend(fontsize="small")
        return line
