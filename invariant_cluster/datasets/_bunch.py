"""What every loader returns."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from sklearn.utils import Bunch

# A Bunch, or (images, target) with return_X_y=True: no type checker can tell which.
Dataset: TypeAlias = Any


def make_bunch(
    images: np.ndarray,
    target: np.ndarray | None,
    target_names: np.ndarray,
    descr: str,
    *,
    return_X_y: bool,
    **extra: np.ndarray,
) -> Dataset:
    """Return the Bunch of a data set, or (images, target) if return_X_y.

    Parameters
    ----------
    images : ndarray of shape (n, h, w) or (n, h, w, c)
    target : ndarray of shape (n,), or None where there are no classes
        Becomes int64.
    target_names : ndarray of str, one for each class
    descr : str
    return_X_y : bool
    **extra : ndarray
        Further entries of the Bunch, such as theta and tau.
    """
    if target is not None:
        target = np.asarray(target, dtype=np.int64)
    if return_X_y:
        return images, target
    return Bunch(
        images=images,
        target=target,
        target_names=np.asarray(target_names, dtype=str),
        DESCR=descr,
        **extra,
    )
