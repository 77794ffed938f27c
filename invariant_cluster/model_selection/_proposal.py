"""One proposal from a table of criteria, with the values that are as good."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invariant_cluster.model_selection._reason import Figures, explain
from invariant_cluster.model_selection._suggestion import suggest_value

# Of rows without clusters the highest excess of 14 numbers is some 0.05 if they are
# normal, and nearly 0.1 if they are uniform.
_LEAST_EXCESS = 0.1
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Choice:
    """One value of a parameter, chosen without labels.

    Attributes
    ----------
    value : object
        The value at which the criterion is highest.
    low, high : object
        Ends of the range that is as good: all values of the table from ``low`` to
        ``high``, among them ``value``, are within the tolerance of the best one.
    found : bool or None
        Whether the criterion is clearly higher than on data without clusters. None if
        this was not measured.
    reason : str
        One sentence with the figures.
    table : DataFrame
        Criteria of each value, as of :func:`label_free_curve`, and ``as_good``: whether
        the value is within the tolerance.

    See Also
    --------
    choose_n_clusters : Choose the number of clusters.
    propose_value : Choose a value of any parameter from a table.
    """

    value: Any
    low: Any
    high: Any
    found: bool | None
    reason: str
    table: pd.DataFrame = field(repr=False)

    @property
    def n_clusters(self) -> int:
        """The value as an integer, where it is a number of clusters."""
        return int(self.value)


def propose_value(table: pd.DataFrame, criterion: str = "valley_contrast") -> Choice:
    """Return the value at which a criterion is highest, and those that are as good.

    Parameters
    ----------
    table : DataFrame
        Result of :func:`label_free_curve`.
    criterion : str, default="valley_contrast"
        Column of the table to maximise, as in :func:`suggest_value`.

    Returns
    -------
    Choice
        Value, range, reason and the table.

    Raises
    ------
    ValueError
        If the table does not have the criterion, or holds only NaN for it.

    See Also
    --------
    suggest_value : Return the value alone.
    choose_n_clusters : Compute the table of one criterion, and choose.

    Notes
    -----
    A value is as good as the best if it is lower by at most one standard deviation over
    the repetitions (of the excess, if there is a reference; its root mean square over
    all values). The range holds the neighbours of the best value that are as good; a
    value that is as good beyond a worse one is not in the range, and the reason names
    it.

    ``found`` is False if the excess at the best value is below 0.1 or below two
    standard deviations. Then the rows may have no clusters, or clusters between which
    the density does not fall.

    Examples
    --------
    >>> import pandas as pd
    >>> from invariant_cluster.model_selection import propose_value
    >>> index = pd.Index([2, 3, 4, 5], name="n_clusters")
    >>> table = pd.DataFrame(
    ...     {
    ...         "valley_contrast": [0.2, 0.5, 0.51, 0.3],
    ...         "valley_contrast_std": [0.0, 0.02, 0.02, 0.02],
    ...         "valley_contrast_excess": [0.1, 0.4, 0.41, 0.2],
    ...     },
    ...     index,
    ... )
    >>> choice = propose_value(table)
    >>> choice.n_clusters, choice.low, choice.high
    (4, 3, 4)
    >>> print(choice.reason)
    4 clusters were chosen (3 to 4 are as good): valley contrast 0.51, 0.10 by chance.
    """
    value = suggest_value(table, criterion)
    values = table.index.tolist()
    best = values.index(value)
    compared, std, by_chance = _columns(table, criterion)
    tolerance = np.sqrt(np.nanmean(np.square(std))) + _ROUNDING
    as_good = compared >= compared[best] - tolerance
    low, high = _run_around(as_good, best)
    found = None
    if by_chance is not None:
        found = bool(compared[best] >= max(_LEAST_EXCESS, 2 * tolerance))
    figures = Figures(
        mean=float(table[criterion].iloc[best]),
        by_chance=None if by_chance is None else float(by_chance[best]),
        found=found,
    )
    name = f"{table.index.name}", criterion.replace("_", " ")
    reason = explain(name, values, best, (low, high), as_good, figures)
    marked = table.assign(as_good=as_good)
    return Choice(value, values[low], values[high], found, reason, marked)


def _columns(
    table: pd.DataFrame, criterion: str
) -> tuple[NDArray, NDArray, NDArray | None]:
    """Return what is compared, its standard deviation, and the reference or None."""
    excess = f"{criterion}_excess"
    name = excess if excess in table else criterion
    compared = table[name].to_numpy(dtype=float)
    std = table.get(f"{name}_std", table.get(f"{criterion}_std"))
    spread = np.zeros(len(table)) if std is None else std.to_numpy(dtype=float)
    reference = table[criterion].to_numpy(dtype=float) - compared
    return compared, spread, reference if name == excess else None


def _run_around(as_good: NDArray, best: int) -> tuple[int, int]:
    """Return the first and last place of the values as good, without gaps."""
    low = high = best
    while low > 0 and as_good[low - 1]:
        low -= 1
    while high + 1 < len(as_good) and as_good[high + 1]:
        high += 1
    return low, high
