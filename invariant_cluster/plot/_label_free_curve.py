"""Criteria without labels, drawn against the parameter that they shall choose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from invariant_cluster.model_selection import CRITERIA, label_free_curve, suggest_value
from invariant_cluster.plot._axes import divide, get_axes, import_pyplot
from invariant_cluster.validation import check_choice

_COLOR = "#0072B2"  # By Okabe and Ito: told from orange without colour vision too.
_BEST_COLOR = "#D55E00"
_INCHES = (4.8, 3.2)  # of a criterion


class LabelFreeCurveDisplay:
    """Curves of :func:`~invariant_cluster.model_selection.label_free_curve`.

    Make it by ``from_estimator`` or ``from_table``.

    Parameters
    ----------
    table : DataFrame
        Of :func:`~invariant_cluster.model_selection.label_free_curve`.

    Attributes
    ----------
    table : DataFrame
    best_ : dict of str to object
        For each criterion what
        :func:`~invariant_cluster.model_selection.suggest_value` suggests. Where they
        differ, or the band is wider than the peak is high, the data do not say.
    axes_ : dict of str to Axes
        One a criterion.
    figure_ : Figure
    lines_ : dict of str to Line2D
        One a criterion.
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
        random_state: int | np.random.RandomState | None = None,
        ax: Any = None,
    ) -> LabelFreeCurveDisplay:
        """Compute the curves and draw them.

        Parameters
        ----------
        estimator, X, param_name, param_range, n_repeats, heads_only, random_state
            As in :func:`~invariant_cluster.model_selection.label_free_curve`.
        ax : matplotlib Axes, optional
            Is divided; by default those of a new figure.

        Returns
        -------
        LabelFreeCurveDisplay
        """
        import_pyplot()  # Before minutes of training.
        table = label_free_curve(
            estimator,
            X,
            param_name=param_name,
            param_range=param_range,
            n_repeats=n_repeats,
            heads_only=heads_only,
            random_state=random_state,
        )
        return cls(table).plot(ax)

    @classmethod
    def from_table(
        cls, table: pd.DataFrame, *, ax: Any = None
    ) -> LabelFreeCurveDisplay:
        """Draw curves that are computed already.

        Parameters
        ----------
        table : DataFrame
            Of :func:`~invariant_cluster.model_selection.label_free_curve`.
        ax : matplotlib Axes, optional
            Is divided; by default those of a new figure.

        Returns
        -------
        LabelFreeCurveDisplay
        """
        return cls(table).plot(ax)

    @property
    def best_(self) -> dict[str, Any]:
        """For each criterion the value that it suggests."""
        return {name: suggest_value(self.table, name) for name in self._criteria}

    def plot(
        self, ax: Any = None, *, criteria: Iterable[str] | None = None
    ) -> LabelFreeCurveDisplay:
        """Draw each criterion, its reference, and where it stands out most.

        The band is one standard deviation of the repetitions; the dashed line what the
        same clusterer reaches on data without clusters; the upright line the suggested
        value.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Is divided; by default those of a new figure.
        criteria : iterable of str, optional
            Those of the table by default.

        Returns
        -------
        LabelFreeCurveDisplay

        Raises
        ------
        ValueError
            A criterion that the table lacks.
        ImportError
            Without matplotlib.
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
        self.lines_ = {
            name: self._draw_criterion(own, name) for name, own in self.axes_.items()
        }
        return self

    @property
    def _criteria(self) -> list[str]:
        return [name for name in CRITERIA if name in self.table]

    def _draw_criterion(self, ax: Any, name: str) -> Any:
        """Draw one curve and return its line; values stand at equal distances."""
        mean = self.table[name].to_numpy()
        spread = self.table[f"{name}_std"].to_numpy()
        place = np.arange(len(mean))
        best = self.best_[name]
        at = place[self.table.index.get_loc(best)]
        ax.axvline(at, color=_BEST_COLOR, lw=1.5, label=f"suggests {best}")
        ax.fill_between(place, mean - spread, mean + spread, color=_COLOR, alpha=0.2)
        (line,) = ax.plot(place, mean, "o-", ms=4, color=_COLOR)
        if f"{name}_excess" in self.table:
            without = mean - self.table[f"{name}_excess"].to_numpy()
            ax.plot(place, without, "--", color="0.4", label="without clusters")
        ax.set_xticks(place, map(str, self.table.index))
        ax.set(title=name.replace("_", " "), xlabel=self.table.index.name)
        ax.grid(axis="y", alpha=0.3)
        ax.legend(fontsize="small")
        return line
