"""Clones of estimators, changed for a comparison."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone


def with_seed(estimator: Any, seed: int) -> Any:
    """Return a clone whose random states, those of its parts too, are a seed."""
    copy = clone(estimator)
    names = [
        name
        for name in copy.get_params()
        if name == "random_state" or name.endswith("__random_state")
    ]
    return copy.set_params(**dict.fromkeys(names, seed))


def heads_alone(clusterer: Any) -> Any:
    """Return a clone that trains no encoder, where it has the choice."""
    copy = clone(clusterer)
    if "fine_tune" in copy.get_params(deep=False):
        copy.set_params(fine_tune=False)
    return copy
