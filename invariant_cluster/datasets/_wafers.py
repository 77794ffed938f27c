"""Code that the loaders of wafer maps share."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np

from invariant_cluster.datasets._bunch import Dataset, make_bunch

FAILING = 2
WAFER_CLASSES = (
    "Center",
    "Donut",
    "Edge-Loc",
    "Edge-Ring",
    "Loc",
    "Near-full",
    "Random",
    "Scratch",
    "none",
)
_VALUES = "Pixels: 0 no die, 1 passing die, 2 failing die."
_FAIL_VALUES = "Pixels: 1 failing die, 0 everything else."


def bundled_data() -> Traversable:
    """Return the folder of the bundled files.

    Returns
    -------
    Traversable
        The folder ``datasets/data`` of the installed package.
    """
    return files("invariant_cluster.datasets").joinpath("data")


def make_wafer_bunch(
    images: np.ndarray,
    target: np.ndarray,
    target_names: np.ndarray,
    descr: str,
    *,
    fail_map: bool,
    return_X_y: bool,
) -> Dataset:
    """Return the Bunch of wafer maps, or (images, target).

    Parameters
    ----------
    images : ndarray of shape (n, h, w), uint8
        Wafer maps with values 0 (no die), 1 (pass) and 2 (fail).
    target : ndarray of shape (n,)
        Class index of each map.
    target_names : ndarray of str
        Name of each class.
    descr : str
        Description, to which the meaning of the values and the notice of the data set
        are appended. The licence requires the notice wherever the maps go.
    fail_map : bool
        Whether to return 1 for a failing die and 0 elsewhere.
    return_X_y : bool
        Whether to return only (images, target).

    Returns
    -------
    Bunch or (images, target)
        The data set, as :func:`make_bunch` returns it.
    """
    images, values = show_values(images, fail_map=fail_map)
    notice = bundled_data().joinpath("NOTICE.txt").read_text(encoding="utf-8")
    descr = f"{descr}\n{values}\n\n{notice}"
    return make_bunch(images, target, target_names, descr, return_X_y=return_X_y)


def show_values(images: np.ndarray, *, fail_map: bool) -> tuple[np.ndarray, str]:
    """Return wafer maps with all values or the failing dies alone, and what they mean.

    Parameters
    ----------
    images : ndarray of shape (n, h, w), uint8
        Wafer maps with values 0 (no die), 1 (pass) and 2 (fail).
    fail_map : bool
        Whether to return 1 for a failing die and 0 elsewhere.

    Returns
    -------
    images : ndarray of shape (n, h, w), uint8
        The maps.
    values : str
        Sentence on the meaning of the values, for the description.

    See Also
    --------
    make_wafer_bunch : Return a Bunch of maps of MIR-WM811K.
    """
    if fail_map:
        return (images == FAILING).astype(np.uint8), _FAIL_VALUES
    return images, _VALUES
