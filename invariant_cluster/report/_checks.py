"""What a report needs, told before anything is computed."""

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


class Classes(NamedTuple):
    """What the user knows of the images.

    Attributes
    ----------
    names : list of str
    codes : ndarray of shape (n,), each image's index into the names
    """

    names: list[str]
    codes: NDArray[np.intp]


def import_extra() -> None:
    """Raise an ImportError that says what to install unless all is there."""
    try:
        import jinja2  # noqa: F401
        from PIL import Image  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"cluster_report needs {error.name}, which is not installed: pip install "
            "jinja2 pillow, or the extra 'report' of this package."
        ) from error


def check_pipeline(pipeline: Any) -> None:
    """Raise unless it is a fitted Pipeline of an embedder and a clusterer."""
    if not isinstance(pipeline, Pipeline):
        raise TypeError(
            f"pipeline is a {type(pipeline).__name__}: give a scikit-learn Pipeline "
            "of an embedder and a clusterer."
        )
    if len(pipeline) < 2:
        raise ValueError(
            f"pipeline has {len(pipeline)} step, {list(pipeline.named_steps)}: a "
            "report needs an embedder and, behind it, a clusterer."
        )
    try:
        check_is_fitted(pipeline)
    except NotFittedError as error:
        raise NotFittedError(
            f"pipeline with the steps {list(pipeline.named_steps)} is not fitted: call "
            "pipeline.fit(X) first, a report trains nothing."
        ) from error
    _check_clusterer(pipeline[-1])


def _check_clusterer(clusterer: Any) -> None:
    needed = ("predict_proba", "predict", "labels_")
    if not any(hasattr(clusterer, name) for name in needed):
        raise ValueError(
            f"pipeline ends in {clusterer!r}, which has neither predict nor labels_: "
            "put a clusterer last."
        )


def check_target(y: ArrayLike | None, X: Any) -> Classes | None:
    """Return the classes of y, as many as X has rows; None without y."""
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
    except TypeError:  # labels of several types
        codes, names = pd.factorize(values)
    return Classes([str(name) for name in names], codes)


def check_names(names: Sequence[str] | None, X: Any) -> list[str] | None:
    """Return the names, one for each row of X; None without them."""
    if names is not None and len(names) != len(X):
        raise ValueError(
            f"names has {len(names)} entries but X has {len(X)} images: give one name "
            "for each image."
        )
    return None if names is None else [str(name) for name in names]
