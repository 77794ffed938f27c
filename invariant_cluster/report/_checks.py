"""Checks of a report's input, made before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from invariant_cluster.validation import check_labels
from invariant_cluster.verdict import Verdict


class Classes(NamedTuple):
    """Classes of the images.

    Attributes
    ----------
    names : list of str
        Distinct classes.
    codes : ndarray of shape (n,)
        Index of each image's class in ``names``.
    """

    names: list[str]
    codes: NDArray[np.intp]


def import_extra() -> None:
    """Check that the packages of the report are installed.

    Raises
    ------
    ImportError
        If jinja2 or Pillow is missing; the message states what to install.
    """
    try:
        import jinja2  # noqa: F401
        from PIL import Image  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"cluster_report needs {error.name}, which is not installed: pip install "
            "jinja2 pillow, or install the extra 'report' of this package."
        ) from error


def check_pipeline(pipeline: Any) -> None:
    """Check that a model is a fitted Pipeline of an embedder and a clusterer.

    Parameters
    ----------
    pipeline : object
        Model to check.

    Raises
    ------
    TypeError
        If it is not a Pipeline.
    ValueError
        If it has one step, or its last step is not a clusterer.
    NotFittedError
        If it is not fitted.
    """
    if not isinstance(pipeline, Pipeline):
        raise TypeError(
            f"pipeline is a {type(pipeline).__name__}: give a scikit-learn Pipeline "
            "of an embedder and a clusterer."
        )
    if len(pipeline) < 2:
        raise ValueError(
            f"pipeline has {len(pipeline)} step, {list(pipeline.named_steps)}: give a "
            "Pipeline of an embedder followed by a clusterer."
        )
    try:
        check_is_fitted(pipeline)
    except NotFittedError as error:
        raise NotFittedError(
            f"pipeline with the steps {list(pipeline.named_steps)} is not fitted: call "
            "pipeline.fit(X) first; the report does not train."
        ) from error
    _check_clusterer(pipeline[-1])


def _check_clusterer(clusterer: Any) -> None:
    """Raise a ValueError unless the last step can label rows."""
    needed = ("predict_proba", "predict", "labels_")
    if not any(hasattr(clusterer, name) for name in needed):
        raise ValueError(
            f"pipeline ends in {clusterer!r}, which has neither predict nor labels_: "
            "put a clusterer last, such as SCANClusterer."
        )


def check_target(y: ArrayLike | None, X: Any) -> Classes | None:
    """Return the classes of y.

    Parameters
    ----------
    y : array-like of shape (n,) or None
        Class of each image.
    X : array-like of n images
        Images, for the number of rows.

    Returns
    -------
    Classes or None
        None if ``y`` is None.

    Raises
    ------
    ValueError
        If the lengths differ, or a label is missing.

    See Also
    --------
    check_names : Check the names of the images.
    """
    if y is None:
        return None
    values = check_labels(y, "y")
    if len(values) != len(X):
        raise ValueError(
            f"y has {len(values)} entries but X has {len(X)} images: give one class "
            "for each image."
        )
    try:
        names, codes = np.unique(values, return_inverse=True)
    except TypeError:  # Labels of several types cannot be sorted.
        codes, names = pd.factorize(values)
    return Classes([str(name) for name in names], codes)


def check_names(names: Sequence[str] | None, X: Any) -> list[str] | None:
    """Return the names of the images as strings.

    Parameters
    ----------
    names : sequence of str or None
        Name of each image.
    X : array-like of n images
        Images, for the number of rows.

    Returns
    -------
    list of str or None
        None if ``names`` is None, or if they are but the rows, which are told anyway.

    Raises
    ------
    ValueError
        If the lengths differ.

    See Also
    --------
    check_target : Check the classes of the images.
    """
    if names is not None and len(names) != len(X):
        raise ValueError(
            f"names has {len(names)} entries but X has {len(X)} images: give one name "
            "for each image."
        )
    if names is None:
        return None
    told = [str(name) for name in names]
    return None if told == [str(row) for row in range(len(told))] else told


def check_verdict(verdict: Any) -> None:
    """Check that a verdict is one.

    Parameters
    ----------
    verdict : Verdict, "auto" or None
        Verdict of the report.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if not (verdict in ("auto", None) or isinstance(verdict, Verdict)):
        raise TypeError(
            f"verdict={verdict!r} is no Verdict: give what check_fit returns, 'auto' "
            "or None."
        )
