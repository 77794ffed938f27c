"""The reason of a choice as one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_COUNT = "n_clusters"


class Figures(NamedTuple):
    """Figures of the chosen value.

    Attributes
    ----------
    mean : float
        Of the criterion.
    by_chance : float or None
        The same on data without clusters, if it was measured.
    found : bool or None
        Whether the former is clearly higher.
    """

    mean: float
    by_chance: float | None
    found: bool | None


def explain(
    names: tuple[str, str],
    values: Sequence[Any],
    best: int,
    run: tuple[int, int],
    as_good: NDArray,
    figures: Figures,
) -> str:
    """Return a choice and its figures as one sentence.

    Parameters
    ----------
    names : (str, str)
        Of the parameter and of the criterion.
    values : sequence
        All that were compared.
    best : int
        Place of the chosen one.
    run : (int, int)
        First and last place of the range that is as good.
    as_good : ndarray of shape (n_values,), bool
        All that are as good.
    figures : Figures
        Of the chosen one.

    Returns
    -------
    str
    """
    is_count = names[0].split("__")[-1] == _COUNT
    chosen = _name_chosen(values[best], None if is_count else names[0])
    told = f"{chosen} ({_name_peers(values, best, run, as_good)}): "
    told += f"{names[1]} {figures.mean:.2f}"
    if figures.by_chance is not None:
        told += f", {figures.by_chance:.2f} by chance"
    if figures.found is False:
        return f"{told}; the difference is too small to tell that there are clusters."
    if is_count and values[run[1]] == max(values) > min(values):
        return f"{told}; {max(values)} is the highest number tried, there may be more."
    return f"{told}."


def _name_chosen(value: Any, parameter: str | None) -> str:
    if parameter is not None:
        return f"{parameter}={value!r} was chosen"
    return f"{value} clusters were chosen"


def _name_peers(
    values: Sequence[Any], best: int, run: tuple[int, int], as_good: NDArray
) -> str:
    """Return which of the values are as good as the best one."""
    low, high = run
    inside = [f"{values[low]} to {values[high]}"] if low < high else []
    beyond = [
        f"{values[i]}" for i in np.flatnonzero(as_good).tolist() if not low <= i <= high
    ]
    named = [*inside, *beyond]
    if not named:
        return f"the best of {len(values)}"
    alone = len(named) == 1 and not inside
    return f"{' and '.join(named)} {'is' if alone else 'are'} as good"
