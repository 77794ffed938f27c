"""Choosing n_clusters, d or another parameter where there are no labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from invariant_cluster._turned import turned_copy
from invariant_cluster._validation import check_choice
from invariant_cluster.metrics import (
    cluster_silhouette_score,
    label_agreement_score,
    neighbor_agreement_score,
    resampling_stability_score,
)
from invariant_cluster.metrics._clusters import adjusted_stability
from invariant_cluster.metrics._resampling import heads_alone, with_seed
from invariant_cluster.metrics._scorers import default_n_neighbors, image_shape_of

__all__ = ["CRITERIA", "label_free_curve", "suggest_value"]

CRITERIA = (
    "resampling_stability",
    "turning_stability",
    "label_agreement",
    "silhouette",
    "neighbor_agreement",
)
_EXAMPLE_RANGE = "give values of %s, such as range(2, 16) for a number of clusters."
_REFERRED = ("resampling_stability", "label_agreement", "silhouette")


class Views(NamedTuple):
    """What clusterers are judged on.

    Attributes
    ----------
    z : ndarray or ImageEmbedding of shape (n, d)
    z_turned : ndarray or ImageEmbedding of shape (n, d), or None
        Of a copy in which each image is turned; None where X holds no images.
    """

    z: NDArray
    z_turned: NDArray | None = None


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


def suggest_value(table: pd.DataFrame, criterion: str = "silhouette") -> Any:
    """Return the value at which a criterion is highest: a suggestion, no more.

    It goes by the excess over the reference where there is one. On the two data sets
    on which the default was chosen it came within one of the number of classes, others
    only on one of them (``docs/method.md``): no proof. Look at the curve, and at the
    images.

    Parameters
    ----------
    table : DataFrame
        Of :func:`label_free_curve`.
    criterion : str, default="silhouette"
        One of ``CRITERIA`` that the table has.

    Returns
    -------
    object
        Of ``param_range``; the first of equals.

    Raises
    ------
    ValueError
        When the table lacks the criterion.
    """
    check_choice("criterion", criterion, [name for name in CRITERIA if name in table])
    excess = f"{criterion}_excess"
    column = table[excess if excess in table else criterion]
    return table.index.tolist()[int(np.nanargmax(column.to_numpy()))]


Fit = tuple[Any, Views, int]  # A clusterer, not fitted, what it sees, and a seed.


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


def _judge(heads_only: bool, *, with_z: bool) -> Callable[..., dict[str, float]]:
    """Return what maps a fit to its criteria; of z itself too, if asked."""

    def judge(clusterer: Any, views: Views, seed: int) -> dict[str, float]:
        heads = heads_alone(clusterer)
        turned = None if views.z_turned is None else np.asarray(views.z_turned)
        plain = Views(np.asarray(views.z), turned)
        reference = Views(_draw_reference(plain.z, seed))
        without = _judge_clusters(heads, reference, seed)
        given = (heads, plain) if heads_only else (clusterer, views)
        found = _judge_clusters(*given, seed)
        found |= {f"{name}_excess": found[name] - without[name] for name in _REFERRED}
        return found | (_judge_embedding(plain) if with_z else {})

    return judge


def _draw_reference(z: NDArray, seed: int) -> NDArray[np.float32]:
    """Return rows (n, d) of one normal cloud with the mean and covariance of z."""
    mean, covariance = z.mean(axis=0), np.atleast_2d(np.cov(z.T))
    drawn = np.random.default_rng(seed).multivariate_normal(
        mean, covariance, size=len(z), method="eigh"
    )
    return drawn.astype(np.float32)


def _judge_clusters(clusterer: Any, views: Views, seed: int) -> dict[str, float]:
    fitted = with_seed(clusterer, seed).fit(views.z)
    z, labels = np.asarray(views.z), np.asarray(fitted.predict(views.z))
    n_neighbors = default_n_neighbors(len(z))
    found = {
        "clusters_used": float(len(np.unique(labels))),
        "resampling_stability": resampling_stability_score(
            clusterer, views.z, random_state=seed
        ),
        "label_agreement": label_agreement_score(z, labels, n_neighbors=n_neighbors),
        "silhouette": cluster_silhouette_score(z, labels),
    }
    if views.z_turned is not None:
        turned = np.asarray(fitted.predict(views.z_turned))
        found["turning_stability"] = adjusted_stability(labels, turned)
    return found


def _judge_embedding(views: Views) -> dict[str, float]:
    if views.z_turned is None:
        return {}
    z, turned = np.asarray(views.z), np.asarray(views.z_turned)
    n_neighbors = default_n_neighbors(len(z))
    agreement = neighbor_agreement_score(z, turned, n_neighbors=n_neighbors)
    return {"neighbor_agreement": agreement}


def _embed(estimator: Any, X: ArrayLike) -> Views:
    """Fit the steps before the clusterer; return z of X and of its turned copy."""
    if not isinstance(estimator, Pipeline) or len(estimator) < 2:
        return Views(np.asarray(X))
    embedder = estimator[:-1]
    z = embedder.fit_transform(X)
    shape = image_shape_of(estimator)
    if np.ndim(X) == 2 and shape is None:
        return Views(z)
    return Views(z, embedder.transform(turned_copy(X, shape)))


def _clusterer(estimator: Any) -> Any:
    return estimator[-1] if isinstance(estimator, Pipeline) else estimator


def _is_last(estimator: Any, param_name: str) -> bool:
    """Return whether a parameter is the clusterer's."""
    if not isinstance(estimator, Pipeline):
        return True
    return param_name.split("__")[0] == estimator.steps[-1][0]


def _summarise(repeats: list[dict[str, float]]) -> dict[str, float]:
    """Return means and standard deviations, the criteria in their order."""
    frame = pd.DataFrame(repeats)
    row = {}
    for name in [*CRITERIA, "clusters_used"]:
        if name in frame:
            row[name] = frame[name].mean()
            row[f"{name}_std"] = frame[name].std(ddof=0)
        if f"{name}_excess" in frame:
            row[f"{name}_excess"] = frame[f"{name}_excess"].mean()
    return row


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
