"""The parameter value at which a criterion is highest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from invariant_cluster.model_selection._criteria import CRITERIA
from invariant_cluster.validation import check_choice


def suggest_value(table: pd.DataFrame, criterion: str = "valley_contrast") -> Any:
    """Return the parameter value at which a label-free criterion is highest.

    Parameters
    ----------
    table : DataFrame
        Result of :func:`label_free_curve`.
    criterion : str, default="valley_contrast"
        Column of the table to maximise: "resampling_stability", "turning_stability",
        "label_agreement", "silhouette", "valley_contrast" or "neighbor_agreement". If
        the criterion has a reference, its excess over the reference is maximised.

    Returns
    -------
    object
        One of the values in ``param_range``. The first one if several are equal; NaN is
        ignored.

    Raises
    ------
    ValueError
        If the table does not have the criterion, or holds only NaN for it.

    See Also
    --------
    label_free_curve : Compute the table.
    propose_value : Return the range of values that are as good too.
    invariant_cluster.plot.LabelFreeCurveDisplay : Plot the table and the suggestions.

    Notes
    -----
    The value is a suggestion. The default came within one of the number of classes on
    seven of nine data sets, and within three on all; the silhouette on three
    (``docs/method.md``). Inspect the curve and the images before you use it.

    Examples
    --------
    >>> import pandas as pd
    >>> from invariant_cluster.model_selection import suggest_value
    >>> index = pd.Index([2, 3, 4], name="n_clusters")
    >>> table = pd.DataFrame(
    ...     {"silhouette": [0.5, 0.4, 0.3], "silhouette_excess": [0.0, 0.2, 0.1]}, index
    ... )
    >>> suggest_value(table, "silhouette")
    3
    """
    check_choice("criterion", criterion, [name for name in CRITERIA if name in table])
    excess = f"{criterion}_excess"
    column = table[excess if excess in table else criterion]
    return table.index.tolist()[int(np.nanargmax(column.to_numpy()))]
