"""Division of a model into the steps that embed and the step that clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, is_clusterer
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted


class Steps(NamedTuple):
    """A model divided into embedder and clusterer.

    Attributes
    ----------
    embedder : estimator, Pipeline or None
        All steps of a Pipeline before its clusterer, or a transformer alone.
    clusterer : estimator or None
        The last step of a Pipeline, or a clusterer alone.
    """

    embedder: Any
    clusterer: Any


def divide(model: Any) -> Steps:
    """Divide a model into embedder and clusterer.

    Parameters
    ----------
    model : estimator or Pipeline
        Model to divide, fitted or not.

    Returns
    -------
    Steps
        Embedder and clusterer. A missing part is None.

    See Also
    --------
    steps_of : List all steps.
    find_step : Find the first step with an attribute.

    Notes
    -----
    The last step of a Pipeline is the clusterer if it is a scikit-learn clusterer, has
    ``predict``, or has no ``transform``. The output of a clusterer's own ``transform``,
    such as distances or log-probabilities, is not z.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from invariant_cluster.inspection import divide
    >>> divide(make_pipeline(PCA(2), KMeans(4))).clusterer
    KMeans(n_clusters=4)
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
    """Return whether a step is a clusterer or has ``predict``."""
    if hasattr(step, "predict"):
        return True
    return isinstance(step, BaseEstimator) and is_clusterer(step)


def named_steps_of(model: Any) -> list[tuple[str, Any]]:
    """Return the steps of a Pipeline by name, each followed by its own members.

    Parameters
    ----------
    model : estimator or Pipeline
        Model to list. A step that is made of other embedders, such as
        ``JointEmbedder``, has them as ``embedders_`` once it is fitted.

    Returns
    -------
    list of (str, estimator)
        Names and steps in order. Members are named as their parameters are, such as
        "embed__learned". An estimator alone has the name "".

    See Also
    --------
    steps_of : List the steps without their names.
    """
    steps = model.steps if isinstance(model, Pipeline) else [("", model)]
    return [member for name, step in steps for member in _with_members(name, step)]


def _with_members(name: str, step: Any) -> list[tuple[str, Any]]:
    """Return a step and the embedders of which it is made, by name."""
    prefix = f"{name}__" if name else ""
    return [
        (name, step),
        *(
            pair
            for member, embedder in getattr(step, "embedders_", [])
            for pair in _with_members(f"{prefix}{member}", embedder)
        ),
    ]


def steps_of(model: Any) -> list[Any]:
    """Return the steps of a Pipeline, each followed by its own members.

    Parameters
    ----------
    model : estimator or Pipeline
        Model to list.

    Returns
    -------
    list of estimator
        The steps in order; of an estimator alone, a list that starts with it.

    See Also
    --------
    named_steps_of : List the steps with their names.
    divide : Divide a model into embedder and clusterer.
    """
    return [step for _, step in named_steps_of(model)]


def find_step(model: Any, X: ArrayLike, name: str) -> tuple[Any, Any]:
    """Return the first step with an attribute, and X as that step receives it.

    Parameters
    ----------
    model : fitted estimator or Pipeline
        Model to search.
    X : array-like of n images
        Input of the model.
    name : str
        Name of a method, or of a fitted attribute such as "layout_".

    Returns
    -------
    step : estimator
        First step, or member of a step, with the attribute.
    X : array-like of n images
        Input of that step: X transformed by the steps before it.

    Raises
    ------
    TypeError
        If no step has the attribute.
    NotFittedError
        If the step is not fitted.

    See Also
    --------
    divide : Divide a model into embedder and clusterer.
    """
    steps = model.steps if isinstance(model, Pipeline) else [("", model)]
    for i, (_, step) in enumerate(steps):
        for member in steps_of(step):
            if hasattr(member, name):
                check_is_fitted(member)
                return member, model[:i].transform(X) if i else X
    raise TypeError(
        f"estimator={type(model).__name__} has no {name}: give an embedder with "
        f"{name}, such as IRLINREmbedder, or a Pipeline that contains one."
    )


def image_shape_of(model: Any) -> Sequence[int] | None:
    """Return the first ``image_shape`` set on a model or its steps.

    Parameters
    ----------
    model : estimator or Pipeline
        Model to search.

    Returns
    -------
    sequence of int or None
        Shape of one image; None if no step has ``image_shape`` set.
    """
    shapes = [
        value
        for name, value in model.get_params().items()
        if name.split("__")[-1] == "image_shape"
    ]
    return next((shape for shape in shapes if shape is not None), None)
