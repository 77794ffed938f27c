"""Columns of a pickled pandas table, read without executing the pickle."""

from __future__ import annotations

import os
import pickle
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from invariant_cluster.datasets._pickle_records import (
    ArrayRecord,
    Record,
    read_records,
)
from invariant_cluster.datasets._pickled_cells import (
    decode_array,
    decode_column,
    index_labels,
)

LOAD_ERRORS = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    MemoryError,  # of a damaged file that names a huge size
    OverflowError,
    RecursionError,
    struct.error,
)


def read_columns(
    path: str | os.PathLike[str], names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return columns of a pickled DataFrame, without pandas.

    Parameters
    ----------
    path : path-like
        A pickle of Python 2 or 3.
    names : sequence of str
        Names of the columns to return; names that the table lacks are left out.

    Returns
    -------
    dict of str to ndarray of shape (n,)
        The columns. Columns of objects hold str, numbers and records, which
        :func:`decode_array` and :func:`text_of` convert.

    Raises
    ------
    ValueError
        If the file is not such a pickle; the message names the file and the fault.

    See Also
    --------
    load_wm811k : Load the data set that is published in this form.

    Notes
    -----
    A pickle may call any function that it names. Here it may only name what a table of
    arrays needs, and even this is not called: every object becomes a record of its
    arguments, from which NumPy makes the arrays. A table of pandas 0.15 to 3 can be
    read so, with any protocol.
    """
    try:
        return _select_columns(read_records(Path(path)), names)
    except LOAD_ERRORS as error:
        detail = str(error) or type(error).__name__
        raise ValueError(
            f"{path} cannot be read as a pickled table: {detail}. Give LSWMD.pkl as "
            f"published, or save anew only its columns {', '.join(names)}."
        ) from error


def _select_columns(frame: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the named columns from the record of a DataFrame."""
    labels, blocks = _open_frame(frame)
    columns: dict[str, np.ndarray] = {}
    for values, locations in blocks:
        places = _places(locations, len(labels))
        if any(label in names for label in map(labels.__getitem__, places)):
            rows = np.atleast_2d(decode_column(values))
            for place, row in zip(places, rows, strict=True):
                columns.setdefault(labels[place], row)
    return {name: columns[name] for name in names if name in columns}


def _open_frame(frame: Any) -> tuple[list[Any], Iterator[tuple[Any, Any]]]:
    """Return the names of a table's columns, and the values and places of its blocks.

    Until pandas 1.2 the state of the manager holds them, since then its arguments.
    """
    state = getattr(frame, "state", None)
    manager = state.get("_mgr", state.get("_data")) if isinstance(state, dict) else None
    if not isinstance(manager, Record):
        raise ValueError("it does not hold a DataFrame")
    if manager.state is None:
        blocks, axes = manager.args
        opened = (block.args[:2] for block in blocks)
    else:
        axes, _, _, layout = manager.state
        blocks = layout["0.14.1"]["blocks"]
        opened = ((block["values"], block["mgr_locs"]) for block in blocks)
    labels = index_labels(axes[0]).tolist()
    return labels, opened if labels else iter(())


def _places(locations: Record, n_columns: int) -> list[int]:
    """Return the columns that a block holds, from the record of a slice or an array."""
    if isinstance(locations, ArrayRecord):
        return decode_array(locations).tolist()
    return list(range(n_columns))[slice(*locations.args)]
