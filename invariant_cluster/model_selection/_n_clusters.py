"""The number of clusters, chosen on an embedding."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.utils import check_array, check_random_state

from invariant_cluster.inspection import divide, heads_alone, with_seed
from invariant_cluster.metrics import valley_contrast_score
from invariant_cluster.model_selection._criteria import _draw_reference, _summarise
from invariant_cluster.model_selection._fitted_steps import is_fitted
from invariant_cluster.model_selection._proposal import Choice, propose_value
from invariant_cluster.progress import progress_bar

_FEWEST_ROWS = 30
_ROWS_OF_A_CLUSTER = 10
_CANDIDATES = (*range(2, 13), 14, 16, 20)
_N_STARTS = 10
_SHARE = 0.8  # of the rows in a repetition


def candidate_numbers(n_samples: int) -> list[int]:
    """Return the numbers of clusters among which "auto" chooses.

    Parameters
    ----------
    n_samples : int
        Number of rows.

    Returns
    -------
    list of int
        2 to 12, 14, 16 and 20, as far as ten rows are left for each cluster.

    Raises
    ------
    ValueError
        If there are fewer than 30 rows.

    See Also
    --------
    choose_n_clusters : Choose one of them.

    Examples
    --------
    >>> from invariant_cluster.model_selection import candidate_numbers
    >>> candidate_numbers(60)
    [2, 3, 4, 5, 6]
    """
    if n_samples < _FEWEST_ROWS:
        raise ValueError(
            f"n_clusters='auto' but n_samples={n_samples}: the number of clusters can "
            f"be chosen from {_FEWEST_ROWS} rows on, give a number or more rows."
        )
    return [k for k in _CANDIDATES if k * _ROWS_OF_A_CLUSTER <= n_samples]


def choose_n_clusters(
    X: ArrayLike,
    *,
    embedder: Any = None,
    clusterer: Any = None,
    values: Iterable[int] | None = None,
    n_repeats: int = 5,
    max_rows: int = 4000,
    random_state: int | np.random.RandomState | None = None,
    verbose: int = 0,
) -> Choice:
    """Choose the number of clusters of an embedding, without labels.

    The number is the one at which the density falls most between clusters and least
    within them, relative to data without clusters: the excess of
    :func:`~invariant_cluster.metrics.valley_contrast_score`.

    Parameters
    ----------
    X : array-like of shape (n_samples, d), or of n_samples images
        z; with an embedder, its input.
    embedder : estimator or Pipeline, optional
        Model that embeds X. A Pipeline that ends in a clusterer embeds by its other
        steps. A fitted one is used as it is, of another a clone is fitted once.
    clusterer : estimator, optional
        Clusterer with ``n_clusters`` and ``predict``, of which clones are fitted, heads
        alone. By default k-means with 10 starts: from it the heads of
        :class:`~invariant_cluster.SCANClusterer` and
        :class:`~invariant_cluster.TEMIClusterer` start.
    values : iterable of int, optional
        Numbers to compare. By default 2 to 12, 14, 16 and 20, as far as ten rows are
        left for each cluster.
    n_repeats : int, default=5
        Number of repetitions, each with 80 % of the rows, drawn at random, another seed
        and another reference. The range that is as good needs at least 2.
    max_rows : int, default=4000
        Most rows that a repetition sees.
    random_state : int, RandomState instance or None, default=None
        Seed of the repetitions.
    verbose : int, default=0
        1 shows a progress bar with the time left.

    Returns
    -------
    Choice
        The number, the range that is as good, the reason and the table.

    Raises
    ------
    TypeError
        If ``embedder`` has no step that embeds, or ``clusterer`` lacks ``n_clusters``
        or ``predict``.
    ValueError
        If X is not finite or not of two axes, there are fewer than 30 rows and no
        ``values``, or an argument is out of range.

    See Also
    --------
    label_free_curve : All criteria, for any parameter.
    propose_value : How the range and the reason are found.
    invariant_cluster.plot.LabelFreeCurveDisplay : Plot the table.

    Notes
    -----
    The criterion was chosen on three data sets, and scored on six others: it is within
    one of the number of classes on seven of the nine (``docs/method.md``). Clusters
    need not be the classes that you have in mind: look at some numbers of the range.

    The reference are as many rows of one normal distribution with the mean and
    covariance of z. Repetitions share most of their rows, so that their standard
    deviation, and with it the range, is rather too small than too large. Time grows
    with rows, d and numbers of clusters: 4,000 rows of 300 columns take about two
    minutes on one CPU core.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from invariant_cluster.model_selection import choose_n_clusters
    >>> z, _ = make_blobs(200, n_features=8, centers=4, random_state=0)
    >>> choice = choose_n_clusters(z, random_state=0)
    >>> choice.n_clusters, choice.low, choice.high, choice.found
    (4, 4, 4, True)
    """
    _check_positive("n_repeats", n_repeats, least=1)
    _check_positive("max_rows", max_rows, least=_FEWEST_ROWS)
    z = check_array(np.asarray(_embed(embedder, X)))
    numbers = _check_values(values, len(z), max_rows)
    model = KMeans(n_init=_N_STARTS) if clusterer is None else heads_alone(clusterer)
    _check_clusterer(model)
    seeds = check_random_state(random_state).randint(2**31 - 1, size=n_repeats)
    table = _measure(model, z, numbers, seeds, max_rows, verbose)
    return propose_value(table)


def _measure(
    clusterer: Any,
    z: NDArray,
    numbers: list[int],
    seeds: NDArray,
    max_rows: int,
    verbose: int,
) -> pd.DataFrame:
    """Return the contrast of each number of clusters over the repetitions."""
    size = _size_of(len(z), max_rows)
    found: dict[int, list[dict[str, float]]] = {k: [] for k in numbers}
    total = len(seeds) * len(numbers)
    with progress_bar(
        total, "number of clusters", unit="fit", verbose=verbose
    ) as advance:
        for seed in seeds:
            rows = z[np.random.default_rng(seed).permutation(len(z))[:size]]
            reference = _draw_reference(rows, seed)
            for k in numbers:
                model = with_seed(clusterer, seed).set_params(n_clusters=k)
                found[k].append(_judge(model, rows, reference))
                advance(1)
    table = [_summarise(repeats) for repeats in found.values()]
    return pd.DataFrame(table, index=pd.Index(numbers, name="n_clusters"))


def _judge(model: Any, rows: NDArray, reference: NDArray) -> dict[str, float]:
    """Return the contrast of a model's clusters of rows, and its excess."""
    labels = np.asarray(clone(model).fit(rows).predict(rows))
    contrast = valley_contrast_score(rows, labels)
    without = np.asarray(clone(model).fit(reference).predict(reference))
    return {
        "clusters_used": float(len(np.unique(labels))),
        "valley_contrast": contrast,
        "valley_contrast_excess": contrast - valley_contrast_score(reference, without),
    }


def _embed(embedder: Any, X: ArrayLike) -> Any:
    """Return z of X: X itself without an embedder."""
    if embedder is None:
        return X
    model = divide(embedder).embedder
    if model is None:
        raise TypeError(
            f"embedder={type(embedder).__name__} has no step that embeds: give an "
            "embedder such as IRLINREmbedder, or leave out embedder for rows of z."
        )
    return model.transform(X) if is_fitted(model) else clone(model).fit_transform(X)


def _size_of(n_samples: int, max_rows: int) -> int:
    """Return how many rows a repetition sees."""
    return min(max_rows, int(_SHARE * n_samples))


def _check_values(
    values: Iterable[int] | None, n_samples: int, max_rows: int
) -> list[int]:
    """Return the numbers of clusters to compare."""
    if values is None:
        return candidate_numbers(n_samples)
    numbers, most = list(values), _size_of(n_samples, max_rows)
    fits = [isinstance(k, Integral) and 2 <= k <= most for k in numbers]
    if not numbers or not all(fits) or len(set(numbers)) < len(numbers):
        raise ValueError(
            f"values={numbers!r} must be different integers from 2 to {most}, the rows "
            f"that a repetition sees of n_samples={n_samples}: give for example "
            "range(2, 16)."
        )
    return sorted(map(int, numbers))


def _check_clusterer(clusterer: Any) -> None:
    """Raise unless a clusterer is told the number of clusters, and can predict."""
    if "n_clusters" not in clusterer.get_params() or not hasattr(clusterer, "predict"):
        raise TypeError(
            f"clusterer={type(clusterer).__name__} lacks the parameter n_clusters or "
            "predict: give a clusterer with both, such as KMeans, or leave it out."
        )


def _check_positive(name: str, value: Any, *, least: int) -> None:
    if not isinstance(value, Integral) or value < least:
        raise ValueError(
            f"{name}={value!r} must be an integer of at least {least}: leave it out "
            "for the default."
        )
