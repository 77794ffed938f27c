"""The WM811k wafer maps, from an archive or from the published pickle."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from invariant_cluster.datasets._archives import read_split
from invariant_cluster.datasets._arguments import check_option, check_side
from invariant_cluster.datasets._bunch import Dataset
from invariant_cluster.datasets._legacy_frame import (
    decode_array,
    read_columns,
    text_of,
)
from invariant_cluster.datasets._resizing import resize_nearest
from invariant_cluster.datasets._wafers import (
    FAILING,
    WAFER_CLASSES,
    make_wafer_bunch,
)

_FILES = ("wm811k.npz", "LSWMD.pkl")
_HOW_TO_GET = (
    "MIR-WM811K with LSWMD.pkl is available at http://mirlab.org/dataset/public/ and "
    "on Kaggle (qingyi/wm811k-wafer-map)."
)
_UNLABELED = -1
# The column is misspelt in the published file.
_SPLIT_COLUMNS = ("trianTestLabel", "trainTestLabel")
_SPLITS = {"train": ("Training",), "test": ("Test",), "all": ("Training", "Test")}
_DESCR = """WM811k wafer maps
=================

{n} maps of the part "{subset}" of {name}, resized to {size}x{size} by nearest
neighbour (maps that are not square are stretched).
Maps without a label {unlabeled}.
"""


def load_wm811k(
    path: str | os.PathLike[str],
    *,
    subset: str = "train",
    size: int = 32,
    fail_map: bool = False,
    keep_unlabeled: bool = False,
    return_X_y: bool = False,
) -> Dataset:
    """Return WM811k wafer maps from ``wm811k.npz`` or the published ``LSWMD.pkl``.

    Parameters
    ----------
    path : path-like
        The file, or the folder that holds it under its own name. ``wm811k.npz`` holds
        ``train_images`` (n, h, w) uint8 with values 0, 1, 2, ``train_labels`` (n,),
        ``test_images``, ``test_labels`` and ``class_names``.
    subset : {"train", "test", "all"}, default="train"
        Part to load. In LSWMD.pkl these are the rows marked "Training", "Test", or
        both.
    size : int, default=32
        Side of the maps in pixels, at least 8. Maps are resized by nearest neighbour,
        so values stay discrete.
    fail_map : bool, default=False
        Whether to return 1 for a failing die and 0 elsewhere, instead of the three
        values.
    keep_unlabeled : bool, default=False
        Whether to keep the maps without a label, with target -1; four of five maps in
        LSWMD.pkl have none. Needs ``subset="all"``; without effect on ``wm811k.npz``.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (n, size, size) uint8 with values 0 (no die), 1 (pass) and 2 (fail),
        ``target`` (n,) int64, ``target_names`` (9,) and ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If there is no such file; the message states how to get it.
    ValueError
        If the file is truncated or holds other data, or a parameter is out of range.

    See Also
    --------
    load_wafer_maps : Return a bundled sample that needs no file.
    load_mixed_wm38 : Load maps with several defects at a time.

    Notes
    -----
    ``LSWMD.pkl`` is a DataFrame pickled by Python 2 and pandas 0.x. It is read without
    pandas and without executing anything in it; a pickle that refers to more than a
    table of arrays needs is refused. The reader was tested on imitations of the file in
    the layout of pandas 0.19, not on the file itself. Allow for 5 GB of memory and a
    minute.

    References
    ----------
    M.-J. Wu, J.-S. R. Jang and J.-L. Chen, "Wafer map failure pattern recognition and
    similarity ranking for large-scale data sets", IEEE Transactions on Semiconductor
    Manufacturing 28(1), 2015.
    """
    check_option("subset", subset, _SPLITS)
    size = check_side("size", size)
    if keep_unlabeled and subset != "all":
        raise ValueError(
            f"keep_unlabeled=True needs subset='all', not {subset!r}: maps without a "
            "label belong to neither part."
        )
    file = _find_file(path)
    if file.suffix == ".npz":
        images, target, names = _read_archive(file, subset, size)
    else:
        images, target, names = _read_pickle(file, subset, size, keep_unlabeled)
    descr = _DESCR.format(
        n=len(images),
        subset=subset,
        name=file.name,
        size=size,
        unlabeled="have target -1" if keep_unlabeled else "are left out",
    )
    return make_wafer_bunch(
        images, target, names, descr, fail_map=fail_map, return_X_y=return_X_y
    )


def _find_file(path: str | os.PathLike[str]) -> Path:
    """Return the data file that path is or holds."""
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


def _read_pickle(
    path: Path, subset: str, size: int, keep_unlabeled: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return maps (n, size, size), labels and class names from LSWMD.pkl."""
    columns = read_columns(path, ["waferMap", "failureType", *_SPLIT_COLUMNS])
    maps, types, splits = _check_columns(path, columns)
    target = _read_labels(path, types)
    kept = np.isin(_read_texts(path, splits), _SPLITS[subset]) & (target >= 0)
    if keep_unlabeled:
        kept |= target == _UNLABELED
    rows = np.flatnonzero(kept)
    if len(rows) == 0:
        raise ValueError(
            f"{path} holds no labelled map of subset={subset!r}: use another subset."
        )
    images = np.empty((len(rows), size, size), dtype=np.uint8)
    # The maps differ in size, so they fit one array only after resizing.
    for image, row in zip(images, rows.tolist(), strict=True):
        image[...] = resize_nearest(_read_map(path, maps[row], row), size)
    return images, target[rows], np.array(WAFER_CLASSES)


def _check_columns(
    path: Path, columns: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the columns of maps, labels and parts; raise if one is missing."""
    split = next((name for name in _SPLIT_COLUMNS if name in columns), None)
    wanted = ("waferMap", "failureType", split or _SPLIT_COLUMNS[0])
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise ValueError(f"{path} has no column {missing[0]!r}: give the WM811k table.")
    maps, types, splits = (columns[name] for name in wanted)
    return maps, types, splits


def _read_texts(path: Path, column: np.ndarray) -> np.ndarray:
    """Return the text in each cell of a column, "" where there is none."""
    try:
        return np.array([text_of(cell) for cell in column], dtype=str)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} holds a label that is not text: {error}.") from error


def _read_labels(path: Path, column: np.ndarray) -> np.ndarray:
    """Return the class index of each map, -1 where there is no label."""
    # Some copies of the table store a missing label as "0".
    codes = {"": _UNLABELED, "0": _UNLABELED}
    codes.update({name: index for index, name in enumerate(WAFER_CLASSES)})
    names, inverse = np.unique(_read_texts(path, column), return_inverse=True)
    unknown = [str(name) for name in names if name not in codes]
    if unknown:
        raise ValueError(
            f"{path}: failureType holds {unknown[0]!r}, not one of {WAFER_CLASSES}."
        )
    return np.array([codes[name] for name in names], dtype=np.int64)[inverse]


def _read_map(path: Path, cell: object, row: int) -> np.ndarray:
    """Return the wafer map (h, w) uint8 in a cell of the table."""
    try:
        wafer = decode_array(cell)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: waferMap of row {row}: {error}.") from error
    if wafer.ndim != 2 or wafer.size == 0 or not np.isin(wafer, (0, 1, FAILING)).all():
        raise ValueError(
            f"{path}: waferMap of row {row}, of shape {wafer.shape}, is not a map "
            "(h, w) with values 0, 1, 2."
        )
    return wafer.astype(np.uint8)
