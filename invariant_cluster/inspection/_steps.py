"""Which steps of a Pipeline embed and which cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sklearn.pipeline import Pipeline


def image_shape_of(estimator: Any) -> Sequence[int] | None:
    """Return the first ``image_shape`` that the estimator or one of its steps has."""
    shapes = (getattr(step, "image_shape", None) for step in _steps(estimator))
    return next((shape for shape in shapes if shape is not None), None)


def _steps(estimator: Any) -> Iterator[Any]:
    yield estimator
    if isinstance(estimator, Pipeline):
        yield from (step for _, step in estimator.steps)
