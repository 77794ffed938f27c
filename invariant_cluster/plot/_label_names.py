"""What labels are called in a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def name_labels(labels: NDArray, target_names: Sequence[str] | None) -> list[str]:
    """Return the name of each label: itself, or what ``target_names`` has at its place.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Distinct, in ascending order.
    target_names : sequence of str, optional
        Names of the labels 0, 1, ...

    Raises
    ------
    ValueError
        When there are names and a label is not the place of one.
    """
    if target_names is None:
        return [str(label) for label in labels]
    first = labels.tolist()[0]
    if labels.dtype.kind not in "iu" or first < 0:
        raise ValueError(
            f"target_names names the classes 0, 1, ..., but y holds {first}: "
            "give y as such integers, or target_names=None."
        )
    if labels[-1] >= len(target_names):
        raise ValueError(
            f"target_names has {len(target_names)} names but y holds {labels[-1]}: "
            "give one name for each of the classes 0, 1, ..."
        )
    return [str(name) for name in np.asarray(target_names)[labels]]
