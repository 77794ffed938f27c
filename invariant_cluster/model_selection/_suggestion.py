"""The value at which a criterion is highest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from invariant_cluster.model_selection._criteria import CRITERIA
from invariant_cluster.validation import check_choice


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
