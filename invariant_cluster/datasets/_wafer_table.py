"""The table of WM-811K: a column of maps, and of their labels and parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from invariant_cluster.datasets._pickled_cells import decode_array, text_of
from invariant_cluster.datasets._pickled_frame import read_columns
from invariant_cluster.datasets._resizing import resize_nearest
from invariant_cluster.datasets._wafers import FAILING, WAFER_CLASSES

_MAPS, _LABELS = "waferMap", "failureType"
# The column is misspelt in the published file.
_SPLITS = ("trianTestLabel", "trainTestLabel")
_SUBSETS = {"train": "Training", "test": "Test"}
_UNLABELED = -1
# Some copies of the table store a missing label as one of these.
_NO_LABEL = ("", "0", "-1", "nan", "None", "[]")


class WaferTable(NamedTuple):
    """Columns of a table of wafer maps.

    Attributes
    ----------
    name : str
        Name of the table in messages: its file, or what it is.
    columns : dict of str to ndarray of shape (n,)
        The columns that the table has, of "waferMap", "failureType" and
        "trianTestLabel", also spelt "trainTestLabel".
    """

    name: str
    columns: dict[str, np.ndarray]


def is_frame(given: object) -> bool:
    """Return whether an object is a DataFrame, without importing pandas.

    Parameters
    ----------
    given : object
        Any object.

    Returns
    -------
    bool
    """
    return hasattr(given, "columns") and hasattr(given, "iloc")


def read_table(given: Any) -> WaferTable:
    """Return the columns of a DataFrame or of a pickled one.

    Parameters
    ----------
    given : DataFrame or Path
        The table, or its pickle.

    Returns
    -------
    WaferTable
        The table.

    Raises
    ------
    ValueError
        If there is no column of maps or no row, a column is there twice, or the file is
        no pickled table.

    See Also
    --------
    maps_of : Return maps and labels of a table.
    """
    names = [_MAPS, _LABELS, *_SPLITS]
    if isinstance(given, Path):
        table = WaferTable(str(given), read_columns(given, names))
    else:
        found = [name for name in names if name in given.columns]
        columns = {name: _column(given, name) for name in found}
        table = WaferTable("the DataFrame", columns)
    _check_column(table, _MAPS, "give the table of WM-811K")
    if len(table.columns[_MAPS]) == 0:
        raise ValueError(f"{table.name} has no rows: give a table of one map or more.")
    return table


def maps_of(
    table: WaferTable, subset: str, size: int, keep_unlabeled: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the maps of a part of a table, and their labels.

    Parameters
    ----------
    table : WaferTable
        The table.
    subset : {"train", "test", "all"}
        Part of it.
    size : int
        Side to which the maps are resized, in pixels.
    keep_unlabeled : bool
        Whether to return maps without a label, too.

    Returns
    -------
    images : ndarray of shape (n, size, size), uint8
        The maps.
    target : ndarray of shape (n,), int64
        Class of each map, -1 without a label.

    Raises
    ------
    ValueError
        If a column is missing that is needed, a cell holds something else, or no row
        is left.

    See Also
    --------
    read_table : Return a table.
    """
    target = _labels_of(table, keep_unlabeled)
    rows = np.flatnonzero(
        _is_in(table, subset) & (keep_unlabeled | (target != _UNLABELED))
    )
    if len(rows) == 0:
        raise ValueError(
            f"{table.name} holds no labelled map of subset={subset!r}: use another "
            "subset, or subset='all' with keep_unlabeled=True."
        )
    images = np.empty((len(rows), size, size), dtype=np.uint8)
    # The maps differ in size, so they fit one array only after resizing.
    for image, row in zip(images, rows.tolist(), strict=True):
        image[...] = resize_nearest(_map_of(table, row), size)
    return images, target[rows]


def _column(frame: Any, name: str) -> np.ndarray:
    """Return a column of a DataFrame as objects."""
    column = frame[name]
    if column.ndim != 1:
        raise ValueError(
            f"the DataFrame has {column.shape[1]} columns {name!r}: keep one of them."
        )
    cells: np.ndarray = column.to_numpy(dtype=object)
    return cells


def _check_column(table: WaferTable, name: str, remedy: str) -> None:
    """Raise a ValueError unless the table has a column."""
    if name not in table.columns:
        raise ValueError(f"{table.name} has no column {name!r}: {remedy}.")


def _is_in(table: WaferTable, subset: str) -> np.ndarray:
    """Return which rows belong to a part; all do to "all", marked or not."""
    if subset == "all":
        return np.ones(len(table.columns[_MAPS]), dtype=bool)
    name = next((name for name in _SPLITS if name in table.columns), _SPLITS[0])
    _check_column(table, name, "read all of its maps with subset='all'")
    return _texts_of(table, name) == _SUBSETS[subset]


def _labels_of(table: WaferTable, keep_unlabeled: bool) -> np.ndarray:
    """Return the class index of each map, -1 where there is no label."""
    if _LABELS not in table.columns and keep_unlabeled:
        return np.full(len(table.columns[_MAPS]), _UNLABELED, dtype=np.int64)
    remedy = "read its maps without labels with subset='all' and keep_unlabeled=True"
    _check_column(table, _LABELS, remedy)
    codes = dict.fromkeys(_NO_LABEL, _UNLABELED)
    codes.update({name: index for index, name in enumerate(WAFER_CLASSES)})
    names, inverse = np.unique(_texts_of(table, _LABELS), return_inverse=True)
    unknown = [str(name) for name in names if name not in codes]
    if unknown:
        raise ValueError(
            f"{table.name}: {_LABELS} holds {unknown[0]!r}, not one of "
            f"{WAFER_CLASSES}: give the names of the classes."
        )
    return np.array([codes[name] for name in names], dtype=np.int64)[inverse]


def _texts_of(table: WaferTable, name: str) -> np.ndarray:
    """Return the text in each cell of a column, "" where there is none."""
    try:
        return np.array([text_of(cell) for cell in table.columns[name]], dtype=str)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{table.name} holds a label that is not text: {error}. Give the names of "
            f"the classes in {name}."
        ) from error


def _map_of(table: WaferTable, row: int) -> np.ndarray:
    """Return the wafer map (h, w) uint8 in a row of the table."""
    place = f"{table.name}: {_MAPS} of row {row}"
    try:
        wafer = _as_matrix(table.columns[_MAPS][row])
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{place}: {error}. {_WANTED}") from error
    is_map = wafer.ndim == 2 and wafer.size > 0 and wafer.dtype.kind in "biuf"
    if not is_map or not np.isin(wafer, (0, 1, FAILING)).all():
        raise ValueError(
            f"{place}, {wafer.dtype} of shape {wafer.shape}, is not a map. {_WANTED}"
        )
    return wafer.astype(np.uint8)


def _as_matrix(cell: Any) -> np.ndarray:
    """Return a cell as an array; columnar files return lists of rows for maps."""
    if not isinstance(cell, list):
        cell = decode_array(cell)
        if cell.dtype != object:
            return cell
    return np.array(
        [row if isinstance(row, list) else decode_array(row) for row in cell]
    )


_WANTED = "Give maps (h, w) with values 0 (no die), 1 (pass) and 2 (fail)."
