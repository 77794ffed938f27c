"""What the two loaders of wafer maps share."""

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
    """Return the folder of the bundled files."""
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
    """Return the Bunch of wafer maps (n, h, w) of values 0, 1, 2.

    With fail_map the maps become 1 where a die fails and 0 elsewhere. DESCR ends with
    the notice of the data set, which must go wherever the maps go.
    """
    if fail_map:
        images = (images == FAILING).astype(np.uint8)
    values = _FAIL_VALUES if fail_map else _VALUES
    notice = bundled_data().joinpath("NOTICE.txt").read_text(encoding="utf-8")
    descr = f"{descr}\n{values}\n\n{notice}"
    return make_bunch(images, target, target_names, descr, return_X_y=return_X_y)
