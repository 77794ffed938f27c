"""Whether a model is fitted, all steps of it."""

from __future__ import annotations

from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


def is_fitted(model: Any) -> bool:
    """Return whether an estimator, or every step of a Pipeline, is fitted."""
    steps = (
        [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    )
    return all(map(_is_fitted, steps))


def _is_fitted(step: Any) -> bool:
    if step is None or step == "passthrough":
        return True
    if isinstance(step, Pipeline):
        return is_fitted(step)
    try:
        check_is_fitted(step)
    except NotFittedError:
        return False
    return True
