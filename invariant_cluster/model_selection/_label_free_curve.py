"""Label-free criteria over the values of a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from invariant_cluster.drift import one_warning
from invariant_cluster.images import ImageEmbedding
from invariant_cluster.inspection import (
    image_shape_of,
    steps_of,
    turned_copy,
    with_seed,
)
from invariant_cluster.model_selection._criteria import (
    EmbeddedImages,
    Fit,
    _judge,
    _summarise,
)
from invariant_cluster.model_selection._fitted_steps import is_fitted
from invariant_cluster.progress import progress_bar
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
    refit: bool = False,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
) -> pd.DataFrame:
    """Return label-free criteria of clusters for each value of a parameter.

    Parameters
    ----------
    estimator : Pipeline that ends in a clusterer, or clusterer of rows
        Model whose parameter varies. The clusterer needs ``predict``. The estimator
        itself does not change: clones are fitted. But steps before the clusterer that
        are fitted embed X as they are, if the parameter is one of the clusterer.
    X : array-like of n_samples images or rows, or ImageEmbedding
        Input of the estimator. An ``ImageEmbedding``, as the ``transform`` of an
        embedder returns it, is the input of the clusterer, also of a Pipeline. To give
        z as a plain array, give the clusterer alone.
    param_name : str
        Name of the parameter as in ``set_params``, such as ``cluster__n_clusters``.
    param_range : iterable
        Values of the parameter; each is a row of the table.
    n_repeats : int, default=3
        Number of repetitions, each with another seed and other halves. All values
        share the same seeds.
    heads_only : bool, default=True
        Whether clusterers that have a parameter ``fine_tune`` train their heads only,
        which takes seconds per fit. False fine-tunes the encoder in each fit, except in
        the fits on the reference, which has no images.
    refit : bool, default=False
        Whether to fit a clone of the steps before the clusterer even if they are
        fitted, for example since you changed their parameters.
    random_state : int, RandomState instance or None, default=None
        Seed of the repetitions. It replaces the ``random_state`` of the clusterer, and
        also that of the embedder if the parameter belongs to the embedder.
    verbose : int, default=0
        1 shows a progress bar over values and repetitions, with the time left.

    Returns
    -------
    DataFrame
        One row per value, indexed by ``param_name``. Each criterion has its mean over
        the repetitions in one column and its standard deviation in another,
        ``..._std``. Criteria with a reference have two more, ``..._excess`` and
        ``..._excess_std``: the same of the value minus that on the reference.

        - ``resampling_stability``: agreement of the clusters of two halves of the rows
          (:func:`~invariant_cluster.metrics.resampling_stability_score`), with
          reference;
        - ``turning_stability``: adjusted Rand index of the clusters before and after
          the images are turned;
        - ``label_agreement``: nearest neighbours that share a cluster, corrected for
          chance (:func:`~invariant_cluster.metrics.label_agreement_score`), with
          reference;
        - ``silhouette``: mean silhouette of the clusters in z
          (:func:`~invariant_cluster.metrics.cluster_silhouette_score`), with
          reference;
        - ``valley_contrast``: how much deeper valleys of density are between clusters
          than within (:func:`~invariant_cluster.metrics.valley_contrast_score`), with
          reference;
        - ``neighbor_agreement``: agreement of nearest neighbours in z before and after
          the images are turned
          (:func:`~invariant_cluster.metrics.neighbor_agreement_score`); only for a
          parameter of the embedder, since the clusterer does not change z;
        - ``clusters_used``: number of clusters that have members. It is not a
          criterion.

        ``turning_stability`` and ``neighbor_agreement`` are omitted if X holds plain
        rows: for a clusterer alone, for an ``ImageEmbedding``, and for flat rows
        without ``image_shape``.

    Raises
    ------
    ValueError
        If the estimator has no such parameter, ``param_range`` is empty, ``n_repeats``
        is below 1, or X is an ``ImageEmbedding`` and the parameter is the embedder's.
    TypeError
        If the clusterer has no ``predict``, or ``param_range`` is a string or not
        iterable.

    See Also
    --------
    suggest_value : Return the value at which a criterion is highest.
    choose_n_clusters : Choose the number of clusters by one criterion, which is faster.
    invariant_cluster.plot.LabelFreeCurveDisplay : Plot the table.

    Notes
    -----
    A parameter of the last step, such as ``cluster__n_clusters``, does not change z.
    The steps before it are fitted once, or not at all if they are fitted already, and
    the clusterer ``6 n_repeats`` times per value. A parameter of an earlier step, such
    as ``embed__d``, changes z: those steps are fitted ``n_repeats`` times per value, in
    addition to the clusterer.

    Every criterion drifts with the number of clusters and with d, even on data without
    clusters. Each criterion with a reference is therefore also measured on as many rows
    drawn from one normal distribution with the mean and covariance of z. Compare the
    excess over this reference, as in the gap statistic.

    References
    ----------
    R. Tibshirani, G. Walther and T. Hastie, "Estimating the number of clusters in a
    data set via the gap statistic", Journal of the Royal Statistical Society B 63,
    2001.

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
    is_last = _is_last(estimator, param_name)
    if is_last:
        views = _embed(estimator, X, refit=refit)
        fits = _fits_of_clusterer(estimator, views, param_name, values, seeds)
    else:
        _refuse_embedding(X, param_name)
        fits = _fits_of_all(estimator, X, param_name, values, seeds)
    judge = _judge(heads_only, with_z=not is_last)
    total = len(values) * len(seeds)
    with progress_bar(total, param_name, unit="fit", verbose=verbose) as advance:
        rows = [
            _summarise([_counted(advance, judge(*fit)) for fit in of_value])
            for of_value in fits
        ]
    return pd.DataFrame(rows, index=pd.Index(values, name=param_name))


def _counted(
    advance: Callable[[int], Any], found: dict[str, float]
) -> dict[str, float]:
    """Advance the bar by one fit; return what was found."""
    advance(1)
    return found


def _fits_of_clusterer(
    estimator: Any, views: EmbeddedImages, name: str, values: list[Any], seeds: NDArray
) -> Iterator[Iterator[Fit]]:
    """Yield the fits of each value of a clusterer's parameter, all on one embedding."""
    for value in values:
        clusterer = _clusterer(clone(estimator).set_params(**{name: value}))
        yield ((clusterer, views, seed) for seed in seeds)


def _fits_of_all(
    estimator: Any, X: ArrayLike, name: str, values: list[Any], seeds: NDArray
) -> Iterator[Iterator[Fit]]:
    """Yield the fits of each value of an embedder's parameter, each with its own z."""
    for value in values:
        model = clone(estimator).set_params(**{name: value})
        yield (
            (_clusterer(model), _embed(with_seed(model, seed), X), seed)
            for seed in seeds
        )


def _refuse_embedding(X: Any, param_name: str) -> None:
    if isinstance(X, ImageEmbedding):
        raise ValueError(
            f"X is an ImageEmbedding, but param_name={param_name!r} changes it: give "
            "the images, or a parameter of the clusterer."
        )


def _embed(estimator: Any, X: ArrayLike, *, refit: bool = True) -> EmbeddedImages:
    """Return z of X and of its turned copy; fit a clone of the embedder if needed."""
    if isinstance(X, ImageEmbedding):
        return EmbeddedImages(X)
    if not isinstance(estimator, Pipeline) or len(estimator) < 2:
        return EmbeddedImages(np.asarray(X))
    embedder = estimator[:-1]
    if is_fitted(embedder) and not refit:
        z = embedder.transform(X)
    else:
        embedder = clone(embedder)
        z = embedder.fit_transform(X)
    if np.ndim(X) == 2 and image_shape_of(estimator) is None:
        return EmbeddedImages(z)
    with one_warning(silent=True):  # turning smooths images
        return EmbeddedImages(z, embedder.transform(turned_copy(embedder, X)))


def _clusterer(estimator: Any) -> Any:
    """Return the last step of a Pipeline, or the estimator itself."""
    return steps_of(estimator)[-1]


def _is_last(estimator: Any, param_name: str) -> bool:
    """Return whether a parameter belongs to the clusterer."""
    if not isinstance(estimator, Pipeline):
        return True
    return param_name.split("__")[0] == estimator.steps[-1][0]


def _check_arguments(
    estimator: Any, param_name: str, param_range: Iterable[Any], n_repeats: int
) -> list[Any]:
    """Check the arguments; return the values of the range as a list."""
    check_choice("param_name", param_name, sorted(estimator.get_params()))
    if isinstance(param_range, str) or not isinstance(param_range, Iterable):
        raise TypeError(
            f"param_range={param_range!r} is not a sequence of values: "
            f"{_EXAMPLE_RANGE % param_name}"
        )
    values = list(param_range)
    if not values:
        raise ValueError(
            f"param_range={param_range!r} is empty: {_EXAMPLE_RANGE % param_name}"
        )
    if not isinstance(n_repeats, Integral) or n_repeats < 1:
        raise ValueError(
            f"n_repeats={n_repeats!r} must be an integer of at least 1: use 3, which "
            "also shows how much repetitions differ."
        )
    if not hasattr(_clusterer(estimator), "predict"):
        raise TypeError(
            f"{type(_clusterer(estimator)).__name__} has no predict, which labels rows "
            "outside of the training half: end the Pipeline in SCANClusterer, KMeans "
            "or another clusterer with predict."
        )
    return values
