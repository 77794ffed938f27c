"""Training curves, one small panel for each stage and term."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

WIDTH, HEIGHT = 220, 90
_MARGIN = 6
_MEANINGS = {
    "loss": "what training minimises",
    "reconstruction": "how far drawn images are from the given ones",
    "consistency": "how far views, or neighbours, disagree",
    "symmetry": "error of the estimated pose",
    "squared_error": "of drawn pixels",
    "effective_d": "directions that z uses; near 1 is too few",
    "divergence": "of the posterior from the prior",
    "entropy": "evenness of cluster sizes, in nats",
    "confident": "share of images above the threshold",
}


@dataclass(frozen=True)
class Panel:
    """One term over the epochs of a stage.

    Attributes
    ----------
    term, meaning : str
    points : str
        Of the SVG polyline.
    first, last, low, high : float
    end : (x, y)
        Where the line ends.
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
    """The panels of one stage of a step."""

    step: str
    estimator: str
    name: str | None
    n_epochs: int
    seconds: float | None
    panels: list[Panel]
    width: int = WIDTH
    height: int = HEIGHT


def draw_curves(pipeline: Any) -> list[Stage]:
    """Return the stages of every step that has a ``history_``, in order."""
    return [
        _draw_stage(name, step, stage, rows)
        for name, step in pipeline.steps
        if isinstance(getattr(step, "history_", None), pd.DataFrame)
        for stage, rows in _split_stages(step.history_)
    ]


def _split_stages(history: pd.DataFrame) -> list[tuple[str | None, pd.DataFrame]]:
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
    seconds = float(history["seconds"].sum()) if "seconds" in history else None
    terms = history.drop(columns="seconds", errors="ignore").select_dtypes("number")
    panels = [
        _draw_panel(str(term), values)
        for term in terms
        if np.isfinite(values := terms[term].to_numpy(dtype=float)).any()
    ]
    return Stage(name, type(step).__name__, stage, len(history), seconds, panels)


def _draw_panel(term: str, values: NDArray[np.float64]) -> Panel:
    """Draw the finite values over their epochs."""
    epochs = np.flatnonzero(np.isfinite(values))
    known = values[epochs]
    low, high = float(known.min()), float(known.max())
    x = _scale(epochs / max(1, len(values) - 1), WIDTH)
    y = HEIGHT - _scale((known - low) / ((high - low) or 1), HEIGHT)
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
    return _MARGIN + fraction * (length - 2 * _MARGIN)
