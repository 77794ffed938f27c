"""How one aspect of new images compares with the training images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

Z_FAR = "z unlike that of all training images"
_COLUMNS = ["training", "low", "high", "new", "shift", "limit", "drifted"]


class Finding(NamedTuple):
    """How one aspect of new images compares with the training images.

    Attributes
    ----------
    aspect : str
        Name of the aspect.
    training : float
        Median of the training images.
    low : float
        5 percentile of the training images.
    high : float
        95 percentile of the training images.
    new : float
        Median of the new images.
    shift : float
        Where the new images lie among comparable training images, from -1 to 1; or the
        share of new images that are unlike all training images.
    limit : float
        Size of the shift above which it is no chance.
    """

    aspect: str
    training: float
    low: float
    high: float
    new: float
    shift: float
    limit: float

    @property
    def is_drift(self) -> bool:
        """Whether the shift is no chance."""
        return abs(self.shift) > self.limit


def as_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return findings as a table.

    Parameters
    ----------
    findings : sequence of Finding
        One for each row.

    Returns
    -------
    DataFrame
        Columns "training", "low", "high", "new", "shift", "limit" and "drifted", by
        aspect.
    """
    rows = [[*found[1:], found.is_drift] for found in findings]
    index = pd.Index([found.aspect for found in findings], name="aspect", dtype=object)
    return pd.DataFrame(rows, index=index, columns=_COLUMNS)
