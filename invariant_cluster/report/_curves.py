"""Training curves, one small panel per stage and term."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invariant_cluster.inspection import named_steps_of

WIDTH, HEIGHT = 220, 90
_MARGIN = 6
_MEANINGS = {
    "loss": "total that training minimises",
    "reconstruction": "difference between reconstructions and images",
    "consistency": "disagreement of views, or of neighbours",
    "symmetry": "error of the predicted pose",
    "squared_error": "squared error of the reconstructed pixels",
    "effective_d": "number of directions that z uses; near 1 is too few",
    "divergence": "divergence of the posterior from the prior",
    "entropy": "evenness of the cluster sizes, in nats",
    "confident": "share of images above the confidence threshold",
}


@dataclass(frozen=True)
class Panel:
    """One term over the epochs of a stage, as an SVG polyline.

    Attributes
    ----------
    term : str
        Column of the history.
    meaning : str
        Short explanation; empty for an unknown term.
    points : str
        Points of the polyline in pixels, "x,y x,y ...".
    first, last : float
        Value in the first and in the last epoch with a finite value.
    low, high : float
        Range of the values.
    end : (x, y)
        Last point of the polyline.
    """

    term: str
    meaning: str
    points: str
    first: float
    last: float
    low: float
    high: float
    end: tuple[float, float]


@dataclass(frozen=True)
class Stage:
    """Panels of one stage of a step.

    Attributes
    ----------
    step : str
        Name of the step in the Pipeline.
    estimator : str
        Class of the step.
    name : str or None
        Name of the stage; None if the history has no stages.
    n_epochs : int
        Number of epochs.
    seconds : float or None
        Duration; None if it was not recorded.
    panels : list of Panel
        One panel per term.
    width, height : int
        Size of a panel in pixels.
    """

    step: str
    estimator: str
    name: str | None
    n_epochs: int
    seconds: float | None
    panels: list[Panel]
    width: int = WIDTH
    height: int = HEIGHT


def draw_curves(pipeline: Any) -> list[Stage]:
    """Return the stages of every step that has a ``history_``.

    Parameters
    ----------
    pipeline : fitted Pipeline
        Model whose training is drawn.

    Returns
    -------
    list of Stage
        Stages in the order of training; empty if no step has a history.
    """
    return [
        _draw_stage(name, step, stage, rows)
        for name, step in named_steps_of(pipeline)
        if isinstance(getattr(step, "history_", None), pd.DataFrame)
        for stage, rows in _split_stages(step.history_)
    ]


def _split_stages(history: pd.DataFrame) -> list[tuple[str | None, pd.DataFrame]]:
    """Return the name and the rows of each stage; a single stage has no name."""
    if "stage" not in history:
        return [(None, history)]
    stages = history["stage"].unique()
    return [
        (str(stage), history[history["stage"] == stage].drop(columns="stage"))
        for stage in stages
    ]


def _draw_stage(
    name: str, step: Any, stage: str | None, history: pd.DataFrame
) -> Stage:
    """Draw the finite numeric terms of one stage."""
    seconds = float(history["seconds"].sum()) if "seconds" in history else None
    terms = history.drop(columns="seconds", errors="ignore").select_dtypes("number")
    panels = [
        _draw_panel(str(term), values)
        for term in terms
        if np.isfinite(values := terms[term].to_numpy(dtype=float)).any()
    ]
    return Stage(name, type(step).__name__, stage, len(history), seconds, panels)


def _draw_panel(term: str, values: NDArray[np.float64]) -> Panel:
    """Draw the finite values of a term over the epochs."""
    epochs = np.flatnonzero(np.isfinite(values))
    known = values[epochs]
    low, high = float(known.min()), float(known.max())
    foot = 0.0 if low >= 0 else low  # so that a small change looks small
    x = _scale(epochs / max(1, len(values) - 1), WIDTH)
    y = HEIGHT - _scale((known - foot) / ((high - foot) or 1), HEIGHT)
    return Panel(
        term=term,
        meaning=_MEANINGS.get(term, ""),
        points=" ".join(f"{i:.1f},{j:.1f}" for i, j in zip(x, y, strict=True)),
        first=float(known[0]),
        last=float(known[-1]),
        low=low,
        high=high,
        end=(round(float(x[-1]), 1), round(float(y[-1]), 1)),
    )


def _scale(fraction: NDArray, length: int) -> NDArray:
    """Scale fractions in [0, 1] to pixels inside the margin."""
    return _MARGIN + fraction * (length - 2 * _MARGIN)
