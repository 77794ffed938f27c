"""The WM811k wafer maps, from an archive or from the published pickle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from invariant_cluster.datasets._archives import read_split
from invariant_cluster.datasets._arguments import check_option, check_side
from invariant_cluster.datasets._bunch import Dataset
from invariant_cluster.datasets._mixed_wm38 import is_mixed_wm38, read_mixed_wm38
from invariant_cluster.datasets._resizing import resize_nearest
from invariant_cluster.datasets._wafer_table import is_frame, maps_of, read_table
from invariant_cluster.datasets._wafers import (
    FAILING,
    WAFER_CLASSES,
    make_wafer_bunch,
)

if TYPE_CHECKING:
    import pandas as pd

_FILES = ("wm811k.npz", "LSWMD.pkl")
_HOW_TO_GET = (
    "MIR-WM811K with LSWMD.pkl is available at http://mirlab.org/dataset/public/ and "
    "on Kaggle (qingyi/wm811k-wafer-map)."
)
_SUBSETS = ("train", "test", "all")
_DESCR = """WM811k wafer maps
=================

{n} maps of the part "{subset}" of {name}, resized to {size}x{size} by nearest
neighbour (maps that are not square are stretched).
Maps without a label {unlabeled}.
"""


def load_wm811k(
    path: str | os.PathLike[str] | pd.DataFrame,
    *,
    subset: str = "train",
    size: int = 32,
    fail_map: bool = False,
    keep_unlabeled: bool = False,
    return_X_y: bool = False,
) -> Dataset:
    """Return wafer maps of WM-811K, from an archive, its pickled table or a DataFrame.

    Parameters
    ----------
    path : path-like or DataFrame
        The file, the folder that holds it under the name ``wm811k.npz`` or
        ``LSWMD.pkl``, or the table in memory.

        ``LSWMD.pkl`` is the published table, or a part of it that pandas 0.15 to 3
        saved anew, under any name. Its columns are ``waferMap``, ``failureType`` and
        ``trianTestLabel`` (or ``trainTestLabel``); others are not read. Labels are
        text, also in nested arrays; -1, 0, NaN and empty ones are none.

        ``wm811k.npz`` holds ``train_images`` (n, h, w) uint8 with values 0, 1, 2,
        ``train_labels`` (n,), ``test_images``, ``test_labels`` and ``class_names``. An
        archive with ``arr_0`` (n, h, w) and ``arr_1`` (n, 8) is read as MixedWM38 (see
        :func:`load_mixed_wm38`), or as further data in its form: combinations of
        defects beside the 38 become classes after them.
    subset : {"train", "test", "all"}, default="train"
        Part to load: rows that the table marks "Training" or "Test", or all of them. A
        table without marks needs "all". MixedWM38 has no parts; all of its maps are
        returned, and "test" is refused.
    size : int, default=32
        Side of the maps in pixels, at least 8. Maps are resized by nearest neighbour,
        so values stay discrete.
    fail_map : bool, default=False
        Whether to return 1 for a failing die and 0 elsewhere, instead of the three
        values.
    keep_unlabeled : bool, default=False
        Whether to keep the maps without a label, with target -1; four of five maps in
        LSWMD.pkl have none. Needs ``subset="all"``. With it a table needs no column of
        labels. Without effect on archives.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (n, size, size) uint8 with values 0 (no die), 1 (pass) and 2 (fail),
        ``target`` (n,) int64, ``target_names`` (9,) and ``DESCR``; for MixedWM38 what
        :func:`load_mixed_wm38` returns.

    Raises
    ------
    FileNotFoundError
        If there is no such file; the message states how to get it.
    ValueError
        If the file is truncated or holds other data, a column is missing, or a
        parameter is out of range.
    TypeError
        If ``path`` is neither a path nor a DataFrame.

    Warns
    -----
    UserWarning
        If there are combinations of defects that MixedWM38 has not.

    See Also
    --------
    load_wafer_maps : Return a bundled sample that needs no file.
    load_mixed_wm38 : Load maps with several defects at a time.

    Notes
    -----
    A pickled table is read without pandas and without executing anything in it; a
    pickle that refers to more than a table of arrays needs is refused. The published
    ``LSWMD.pkl`` is of Python 2 and pandas 0.x: the reader was tested on imitations in
    the layout of pandas 0.19, not on the file itself, and on tables that the installed
    pandas saved. Allow for 5 GB of memory and a minute.

    References
    ----------
    M.-J. Wu, J.-S. R. Jang and J.-L. Chen, "Wafer map failure pattern recognition and
    similarity ranking for large-scale data sets", IEEE Transactions on Semiconductor
    Manufacturing 28(1), 2015.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from invariant_cluster.datasets import load_wm811k
    >>> maps = [np.ones((26, 26), np.uint8), np.ones((30, 24), np.uint8)]
    >>> table = pd.DataFrame({"waferMap": maps, "failureType": ["none", "Scratch"]})
    >>> wafers = load_wm811k(table, subset="all")
    >>> wafers.images.shape, wafers.target_names[wafers.target].tolist()
    ((2, 32, 32), ['none', 'Scratch'])
    """
    check_option("subset", subset, _SUBSETS)
    size = check_side("size", size)
    if keep_unlabeled and subset != "all":
        raise ValueError(
            f"keep_unlabeled=True needs subset='all', not {subset!r}: maps without a "
            "label belong to neither part."
        )
    source: Any = path if is_frame(path) else _find_file(path)
    if is_mixed_wm38(source):
        _check_no_part(source, subset)
        return read_mixed_wm38(
            source,
            size=size,
            fail_map=fail_map,
            return_X_y=return_X_y,
            is_published=False,
        )
    images, target, names = _read(source, subset, size, keep_unlabeled)
    descr = _DESCR.format(
        n=len(images),
        subset=subset,
        name=getattr(source, "name", "a DataFrame"),
        size=size,
        unlabeled="have target -1" if keep_unlabeled else "are left out",
    )
    return make_wafer_bunch(
        images, target, names, descr, fail_map=fail_map, return_X_y=return_X_y
    )


def _read(
    source: Any, subset: str, size: int, keep_unlabeled: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return maps (n, size, size), labels and class names of an archive or a table."""
    if isinstance(source, Path) and source.suffix == ".npz":
        return _read_archive(source, subset, size)
    images, target = maps_of(read_table(source), subset, size, keep_unlabeled)
    return images, target, np.array(WAFER_CLASSES)


def _check_no_part(path: Path, subset: str) -> None:
    """Raise a ValueError if test images are asked of MixedWM38."""
    if subset == "test":
        raise ValueError(
            f"{path} is MixedWM38, which has no test images: use subset='all'."
        )


def _find_file(path: object) -> Path:
    """Return the data file that path is or holds."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"path is of type {type(path).__name__}: give the path of a file, or a "
            "DataFrame with a column 'waferMap'."
        )
    given = Path(path).expanduser()
    candidates = [given / name for name in _FILES] if given.is_dir() else [given]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    looked = " and ".join(str(candidate) for candidate in candidates)
    raise FileNotFoundError(f"path={str(path)!r}: looked for {looked}. {_HOW_TO_GET}")


def _read_archive(
    path: Path, subset: str, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return maps (n, size, size), labels and class names from wm811k.npz."""
    images, target, names = read_split(path, subset)
    if images.ndim != 3 or images.max() > FAILING:
        raise ValueError(
            f"{path} holds images of shape {images.shape} with values up to "
            f"{images.max()}: wafer maps are (n, h, w) with values 0, 1, 2."
        )
    return resize_nearest(images, size), target, names
