"""The return value of every loader."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from sklearn.utils import Bunch

# A Bunch, or (images, target) with return_X_y=True; type checkers cannot distinguish.
Dataset: TypeAlias = Any


def make_bunch(
    images: np.ndarray,
    target: np.ndarray | None,
    target_names: np.ndarray,
    descr: str,
    *,
    return_X_y: bool,
    **extra: Any,
) -> Dataset:
    """Return the Bunch of a data set, or (images, target).

    Parameters
    ----------
    images : ndarray of shape (n, h, w) or (n, h, w, c)
        The images.
    target : ndarray of shape (n,) or None
        Class index of each image, converted to int64; None if there are no classes.
    target_names : ndarray of str
        Name of each class.
    descr : str
        Description of the data set.
    return_X_y : bool
        Whether to return only (images, target).
    **extra : Any
        Further entries of the Bunch, such as theta and tau.

    Returns
    -------
    Bunch or (images, target)
        The Bunch holds ``images``, ``target``, ``target_names``, ``DESCR`` and the
        further entries.
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
