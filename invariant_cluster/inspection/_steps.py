"""Which step of a model embeds images and which step clusters them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from numpy.typing import ArrayLike
from sklearn.base import is_clusterer
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


class Steps(NamedTuple):
    """A model divided into what computes z and what clusters z.

    Attributes
    ----------
    embedder : estimator, Pipeline or None
        All steps before the last one of a Pipeline, or a transformer alone.
    clusterer : estimator or None
        The last step of a Pipeline, or a clusterer alone.
    """

    embedder: Any
    clusterer: Any


def divide(model: Any) -> Steps:
    """Divide a model into embedder and clusterer.

    The last step of a Pipeline clusters if it is a clusterer, predicts, or has no
    ``transform``: what the ``transform`` of a clusterer returns, distances or
    log-probabilities, is not z.

    Parameters
    ----------
    model : estimator or Pipeline, fitted or not

    Returns
    -------
    Steps
        A part that the model lacks is None.
    """
    if not isinstance(model, Pipeline):
        return Steps(None, model) if _predicts(model) else Steps(model, None)
    last = model.steps[-1][1]
    if last is None or last == "passthrough":
        return Steps(model, None)
    if _predicts(last) or not hasattr(last, "transform"):
        return Steps(model[:-1] if len(model) > 1 else None, last)
    return Steps(model, None)


def _predicts(step: Any) -> bool:
    return is_clusterer(step) or hasattr(step, "predict")


def steps_of(model: Any) -> list[Any]:
    """Return the steps of a Pipeline, or the estimator alone, in a list."""
    if isinstance(model, Pipeline):
        return [step for _, step in model.steps]
    return [model]


def find_step(model: Any, X: ArrayLike, name: str) -> tuple[Any, Any]:
    """Return the first step that has an attribute, and X as that step receives it.

    Parameters
    ----------
    model : fitted estimator or Pipeline
    X : array-like of n images
    name : str
        A method, or a fitted attribute such as "layout_".

    Returns
    -------
    step : estimator
    X : array-like of n images
        Transformed by the steps before.

    Raises
    ------
    TypeError
        When no step has the attribute.
    """
    for i, step in enumerate(steps_of(model)):
        if hasattr(step, name):
            check_is_fitted(step)
            return step, model[:i].transform(X) if i else X
    raise TypeError(
        f"estimator={type(model).__name__} has no {name}: give an embedder that has, "
        "such as IRLINREmbedder, or a Pipeline with one."
    )


def image_shape_of(model: Any) -> Sequence[int] | None:
    """Return the first ``image_shape`` that the model or one of its steps was given."""
    shapes = (getattr(step, "image_shape", None) for step in [model, *steps_of(model)])
    return next((shape for shape in shapes if shape is not None), None)
