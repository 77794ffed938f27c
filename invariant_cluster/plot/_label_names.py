"""Names of labels in a plot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def name_labels(labels: NDArray, target_names: Sequence[str] | None) -> list[str]:
    """Return the name of each label.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Distinct labels in ascending order.
    target_names : sequence of str, optional
        Names of the labels 0, 1, ... By default the labels themselves, as text.

    Returns
    -------
    list of str
        One name per label.

    Raises
    ------
    ValueError
        If there are names, but a label is not an integer from 0 to the number of names
        minus 1.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.plot._label_names import name_labels
    >>> name_labels(np.array([0, 2]), ["ring", "blob", "line"])
    ['ring', 'line']
    """
    if target_names is None:
        return [str(label) for label in labels]
    first = labels.tolist()[0]
    if labels.dtype.kind not in "iu" or first < 0:
        raise ValueError(
            f"target_names holds the names of classes 0, 1, ..., but y holds {first}: "
            "give y as integers from 0, or use target_names=None."
        )
    if labels[-1] >= len(target_names):
        raise ValueError(
            f"target_names has {len(target_names)} names but y holds {labels[-1]}: "
            "give one name for each class 0, 1, ..."
        )
    return [str(name) for name in np.asarray(target_names)[labels]]
