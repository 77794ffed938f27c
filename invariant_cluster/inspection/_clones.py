"""Clones of estimators with changed parameters, for comparisons."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone


def with_seed(estimator: Any, seed: int) -> Any:
    """Return a clone in which every ``random_state`` is set to a seed.

    Parameters
    ----------
    estimator : estimator or Pipeline
        Estimator to clone; it does not change.
    seed : int
        Value of ``random_state``, for the estimator and its nested estimators.

    Returns
    -------
    estimator
        Unfitted clone.

    See Also
    --------
    heads_alone : Return a clone without fine-tuning.

    Examples
    --------
    >>> from sklearn.cluster import KMeans
    >>> from invariant_cluster.inspection import with_seed
    >>> with_seed(KMeans(3), 7).random_state
    7
    """
    copy = clone(estimator)
    names = [
        name
        for name in copy.get_params()
        if name == "random_state" or name.endswith("__random_state")
    ]
    return copy.set_params(**dict.fromkeys(names, seed))


def heads_alone(clusterer: Any) -> Any:
    """Return a clone that does not fine-tune an encoder.

    Parameters
    ----------
    clusterer : estimator
        Clusterer to clone; it does not change.

    Returns
    -------
    estimator
        Unfitted clone with ``fine_tune=False`` if the clusterer has this parameter, and
        a plain clone otherwise.

    See Also
    --------
    with_seed : Return a clone with another seed.
    """
    copy = clone(clusterer)
    if "fine_tune" in copy.get_params(deep=False):
        copy.set_params(fine_tune=False)
    return copy
