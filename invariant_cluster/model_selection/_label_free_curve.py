"""Criteria without labels over the values of a parameter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from invariant_cluster.inspection import (
    image_shape_of,
    steps_of,
    turned_copy,
    with_seed,
)
from invariant_cluster.model_selection._criteria import Fit, Views, _judge, _summarise
from invariant_cluster.validation import check_choice

_EXAMPLE_RANGE = "give values of %s, such as range(2, 16) for a number of clusters."


def label_free_curve(
    estimator: Any,
    X: ArrayLike,
    *,
    param_name: str,
    param_range: Iterable[Any],
    n_repeats: int = 3,
    heads_only: bool = True,
    random_state: int | np.random.RandomState | None = None,
) -> pd.DataFrame:
    """Return how clusters fare by criteria without labels, for values of a parameter.

    A parameter of the last step, such as ``cluster__n_clusters``, leaves the embedding
    as it is: the steps before are fitted once, and the clusterer alone ``6 n_repeats``
    times a value. A parameter of an earlier step, such as ``embed__d``, needs all to be
    fitted anew, ``n_repeats`` times a value. To use an embedder that is fitted already,
    wrap it: ``Pipeline([("embed", FrozenEstimator(embedder)), ("cluster",
    clusterer)])``, with ``sklearn.frozen.FrozenEstimator``.

    Any criterion leans with the number of clusters and with d also where there are no
    clusters. So each is measured on a reference too: as many rows drawn from the normal
    distribution with the mean and covariance of z, one cloud. What counts is the
    excess over the reference, as in the gap statistic (Tibshirani, Walther and Hastie,
    2001).

    Parameters
    ----------
    estimator : Pipeline that ends in a clusterer, or clusterer of rows
        The clusterer needs ``predict``. Not changed: clones are fitted.
    X : array-like of n_samples images or rows
    param_name : str
        As in ``set_params``.
    param_range : iterable
        Values of the parameter, one row of the table each.
    n_repeats : int, default=3
        Repetitions with other seeds and other halves, the same for all values.
    heads_only : bool, default=True
        Whether clusterers with a parameter ``fine_tune`` train their heads alone,
        seconds each. False fine-tunes in each of the fits, but for those on the
        reference, which has no images.
    random_state : int, RandomState instance or None, default=None
        Of the repetitions. It replaces ``random_state`` of the clusterer, and of the
        embedder if its parameter is the one that varies.

    Returns
    -------
    DataFrame
        A row a value, indexed by ``param_name``. For each criterion a column with its
        mean over the repetitions, one, ``..._std``, with its standard deviation, and
        for those with a reference ``..._excess``, the mean less that of the reference:

        - ``resampling_stability``: agreement of clusters of two halves of the rows
          (:func:`~invariant_cluster.metrics.resampling_stability_score`), with
          reference;
        - ``turning_stability``: adjusted Rand index of clusters before and after the
          images are turned;
        - ``label_agreement``: nearest neighbours in one cluster, beyond chance
          (:func:`~invariant_cluster.metrics.label_agreement_score`), with reference;
        - ``silhouette`` of the clusters in z
          (:func:`~invariant_cluster.metrics.cluster_silhouette_score`), with
          reference;
        - ``neighbor_agreement`` of z before and after the turn, which no clusterer
          changes, only if the parameter is an embedder's
          (:func:`~invariant_cluster.metrics.neighbor_agreement_score`);
        - ``clusters_used``, no criterion: how many clusters have members.

        What is of turned images is left out where X are plain rows: of a clusterer
        alone, or flat rows of an embedder without ``image_shape``.

    Raises
    ------
    ValueError
        No such parameter, an empty range, ``n_repeats`` below 1.
    TypeError
        A clusterer without ``predict``, a range that is no sequence.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from sklearn.datasets import make_blobs
    >>> from invariant_cluster.model_selection import label_free_curve, suggest_value
    >>> z, _ = make_blobs(200, n_features=8, centers=4, random_state=0)
    >>> table = label_free_curve(
    ...     KMeans(n_init=3),
    ...     z,
    ...     param_name="n_clusters",
    ...     param_range=range(2, 7),
    ...     random_state=0,
    ... )
    >>> suggest_value(table)
    4
    """
    values = _check_arguments(estimator, param_name, param_range, n_repeats)
    seeds = check_random_state(random_state).randint(2**31 - 1, size=n_repeats)
    fits = _fits_of_clusterer if _is_last(estimator, param_name) else _fits_of_all
    judge = _judge(heads_only, with_z=fits is _fits_of_all)
    rows = [
        _summarise([judge(*fit) for fit in of_value])
        for of_value in fits(estimator, X, param_name, values, seeds)
    ]
    return pd.DataFrame(rows, index=pd.Index(values, name=param_name))


def _fits_of_clusterer(
    estimator: Any, X: ArrayLike, name: str, values: list[Any], seeds: NDArray
) -> Iterator[list[Fit]]:
    """Yield the fits of each value: all of them on one embedding."""
    views = _embed(clone(estimator), X)
    for value in values:
        clusterer = _clusterer(clone(estimator).set_params(**{name: value}))
        yield [(clusterer, views, seed) for seed in seeds]


def _fits_of_all(
    estimator: Any, X: ArrayLike, name: str, values: list[Any], seeds: NDArray
) -> Iterator[list[Fit]]:
    """Yield the fits of each value: an embedding each."""
    for value in values:
        model = clone(estimator).set_params(**{name: value})
        yield [
            (_clusterer(model), _embed(with_seed(model, seed), X), seed)
            for seed in seeds
        ]


def _embed(estimator: Any, X: ArrayLike) -> Views:
    """Fit the steps before the clusterer; return z of X and of its turned copy."""
    if not isinstance(estimator, Pipeline) or len(estimator) < 2:
        return Views(np.asarray(X))
    embedder = estimator[:-1]
    z = embedder.fit_transform(X)
    if np.ndim(X) == 2 and image_shape_of(estimator) is None:
        return Views(z)
    return Views(z, embedder.transform(turned_copy(embedder, X)))


def _clusterer(estimator: Any) -> Any:
    return steps_of(estimator)[-1]


def _is_last(estimator: Any, param_name: str) -> bool:
    """Return whether a parameter is the clusterer's."""
    if not isinstance(estimator, Pipeline):
        return True
    return param_name.split("__")[0] == estimator.steps[-1][0]


def _check_arguments(
    estimator: Any, param_name: str, param_range: Iterable[Any], n_repeats: int
) -> list[Any]:
    """Return the values of the range as a list."""
    check_choice("param_name", param_name, sorted(estimator.get_params()))
    if isinstance(param_range, str) or not isinstance(param_range, Iterable):
        raise TypeError(
            f"param_range={param_range!r} is no sequence: {_EXAMPLE_RANGE % param_name}"
        )
    values = list(param_range)
    if not values:
        raise ValueError(
            f"param_range={param_range!r} is empty: {_EXAMPLE_RANGE % param_name}"
        )
    if not isinstance(n_repeats, Integral) or n_repeats < 1:
        raise ValueError(
            f"n_repeats={n_repeats!r} must be an integer of at least 1: 3 tells how "
            "far repetitions differ."
        )
    if not hasattr(_clusterer(estimator), "predict"):
        raise TypeError(
            f"{type(_clusterer(estimator)).__name__} has no predict, which labels rows "
            "that it was not fitted on: end the Pipeline in SCANClusterer, KMeans or "
            "another clusterer with predict."
        )
    return values
