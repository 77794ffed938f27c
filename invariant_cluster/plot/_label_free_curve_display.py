"""Criteria without labels, drawn against the parameter that they shall choose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from invariant_cluster._validation import check_choice
from invariant_cluster.model_selection import (
    CRITERIA,
    label_free_curve,
    suggest_value,
)

_COLOR = "#0072B2"  # By Okabe and Ito: told from orange without colour vision too.
_BEST_COLOR = "#D55E00"


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
    axes_ : ndarray of Axes
        One a criterion.
    figure_ : Figure
    lines_ : list of Line2D
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
        ax : Axes or array of Axes, optional
            One a criterion; a new figure's by default.

        Returns
        -------
        LabelFreeCurveDisplay
        """
        _import_pyplot()  # Before minutes of training.
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
        ax : Axes or array of Axes, optional
            One a criterion; a new figure's by default.

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
        ax : Axes or array of Axes, optional
            One a criterion; a new figure's by default.
        criteria : iterable of str, optional
            Those of the table by default.

        Returns
        -------
        LabelFreeCurveDisplay

        Raises
        ------
        ValueError
            A criterion that the table lacks; not one Axes for each.
        ImportError
            Without matplotlib.
        """
        chosen = self._criteria if criteria is None else list(criteria)
        for name in chosen:
            check_choice("criteria", name, self._criteria)
        self.axes_ = _make_axes(len(chosen)) if ax is None else np.ravel(ax)
        if len(self.axes_) != len(chosen):
            raise ValueError(
                f"ax holds {len(self.axes_)} Axes but there are {len(chosen)} "
                "criteria: give one for each, or name fewer in criteria."
            )
        self.figure_ = self.axes_[0].figure
        drawn = zip(self.axes_, chosen, strict=True)
        self.lines_ = [self._draw_criterion(axes, name) for axes, name in drawn]
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


def _make_axes(n: int) -> Any:
    """Return n Axes of a new figure, two a row."""
    n_rows, n_columns = (n + 1) // 2, min(n, 2)
    figure, axes = _import_pyplot().subplots(
        n_rows,
        n_columns,
        figsize=(4.8 * n_columns, 3.2 * n_rows),
        layout="constrained",
        squeeze=False,
    )
    for spare in axes.ravel()[n:]:
        figure.delaxes(spare)
    return axes.ravel()[:n]


def _import_pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "invariant_cluster.plot needs matplotlib: pip install "
            "'invariant-cluster[plot]'."
        ) from error
    return plt
