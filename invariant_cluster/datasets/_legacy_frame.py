"""Reading of columns of a pickled pandas table without executing the pickle."""

from __future__ import annotations

import os
import pickle
import re
import struct
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np


class Record:
    """Placeholder of a pickled object that keeps its arguments and does nothing.

    Attributes
    ----------
    args : tuple
        Arguments with which the pickle would call the object.
    state : object
        State that the pickle would set, or None.
    """

    __slots__ = ("args", "state")
    args: tuple[Any, ...]
    state: Any

    def __new__(cls, *args: Any) -> Record:
        record = super().__new__(cls)
        record.args = args
        record.state = None
        return record

    def __setstate__(self, state: Any) -> None:
        self.state = state


class ArrayRecord(Record):
    """Record of an array, pickled as ``numpy.core.multiarray._reconstruct``.

    Its state holds version, shape, dtype, memory order and data.
    """

    __slots__ = ()


class ScalarRecord(Record):
    """Record of a number, pickled as ``numpy.core.multiarray.scalar(dtype, data)``."""

    __slots__ = ()


_NUMPY_CORE = ("numpy.core.multiarray", "numpy._core.multiarray")
_INDEX_MODULES = (
    "pandas.core.index",
    *(
        f"{package}.{module}"
        for package in ("pandas.indexes", "pandas.core.indexes")
        for module in ("base", "numeric", "range")
    ),
)
_INDEX_NAMES = ("_new_Index", "Index", "Int64Index", "RangeIndex")
_MANAGER_MODULES = ("pandas.core.internals", "pandas.core.internals.managers")

ADMITTED: dict[tuple[str, str], type[Record]] = {
    **dict.fromkeys(product(_NUMPY_CORE, ["_reconstruct"]), ArrayRecord),
    **dict.fromkeys(product(_NUMPY_CORE, ["scalar"]), ScalarRecord),
    **dict.fromkeys(product(["numpy"], ["ndarray", "dtype"]), Record),
    **dict.fromkeys(product(["__builtin__", "builtins"], ["slice"]), Record),
    # Python 3 encodes bytes this way under protocol 2.
    ("_codecs", "encode"): Record,
    **dict.fromkeys(product(_INDEX_MODULES, _INDEX_NAMES), Record),
    **dict.fromkeys(product(_MANAGER_MODULES, ["BlockManager"]), Record),
    ("pandas.core.frame", "DataFrame"): Record,
}

_CODE = re.compile(r"O\d*|[biuf]\d|[SU]\d+")
_LOAD_ERRORS = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
    struct.error,
)


class ForeignGlobalError(pickle.UnpicklingError):
    """The pickle refers to a name that a table of arrays does not need."""


class _RecordingUnpickler(pickle.Unpickler):
    """Unpickler that resolves admitted names to records and refuses all others."""

    def find_class(self, module: str, name: str) -> type[Record]:
        """Return the record class of an admitted name."""
        if (module, name) not in ADMITTED:
            raise ForeignGlobalError(
                f"it refers to {module}.{name}, which a pickled table of arrays does "
                "not need; nothing was executed"
            )
        return ADMITTED[module, name]


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
    arrays needs, as old and current NumPy and pandas call it (``ADMITTED``), and each
    name stands for a :class:`Record`. The arrays are rebuilt from the records, so NumPy
    and pandas never see the file, and the result does not depend on the installed
    pandas.

    The layout is that of ``BlockManager.__getstate__`` in pandas 0.14.1 to 1.2.
    """
    with open(path, "rb") as file:
        try:
            # Python 2 wrote array data as str; latin1 restores the bytes.
            frame = _RecordingUnpickler(file, encoding="latin1").load()
            return _select_columns(frame, names)
        except _LOAD_ERRORS as error:
            detail = str(error) or type(error).__name__
            raise ValueError(
                f"{path} cannot be read as a pickled table: {detail}. Download "
                "the published file again."
            ) from error


def _select_columns(frame: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the named columns from the record of a DataFrame."""
    if not isinstance(frame, Record) or not isinstance(frame.state, dict):
        raise ValueError("it does not hold a DataFrame")
    axes, _, _, layout = frame.state["_data"].state
    _, index = axes[0].args
    labels = decode_array(index["data"]).tolist()
    columns = {}
    for block in layout["0.14.1"]["blocks"]:
        places = _places(block["mgr_locs"], len(labels))
        if any(labels[place] in names for place in places):
            values = decode_array(block["values"])
            rows = zip(places, values, strict=True)
            columns.update({labels[place]: row for place, row in rows})
    return {name: columns[name] for name in names if name in columns}


def _places(locations: Record, n_columns: int) -> list[int]:
    """Return the columns that a block holds, from the record of a slice or an array."""
    if isinstance(locations, ArrayRecord):
        return decode_array(locations).tolist()
    return list(range(n_columns))[slice(*locations.args)]


def decode_array(record: Any) -> np.ndarray:
    """Return the array of a record.

    Parameters
    ----------
    record : ArrayRecord
        Record of an array of bool, numbers, text or objects.

    Returns
    -------
    ndarray
        The array; in an array of objects the items stay records.

    Raises
    ------
    ValueError
        If the record is not of such an array.

    See Also
    --------
    text_of : Return the text in a cell.
    """
    if not isinstance(record, ArrayRecord) or not isinstance(record.state, tuple):
        raise ValueError(f"expected an array, found {type(record).__name__}")
    _, shape, dtype, is_fortran, data = record.state
    code = _type_code(dtype)
    if code.endswith("O"):
        return np.fromiter(data, dtype=object, count=len(data)).reshape(shape)
    if 0 in shape:
        return np.empty(shape, dtype=code)
    flat = np.frombuffer(_as_bytes(data), dtype=code)
    return flat.reshape(shape, order="F" if is_fortran else "C")


def text_of(value: Any) -> str:
    """Return the first text in a value, or in nested arrays and lists.

    Parameters
    ----------
    value : object
        A str, bytes, list, tuple, array or record.

    Returns
    -------
    str
        The first text that is not empty, "" if there is none.

    See Also
    --------
    decode_array : Return the array of a record.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, ScalarRecord):
        dtype, data = value.args
        value = np.frombuffer(_as_bytes(data), dtype=_type_code(dtype)).tolist()
    if isinstance(value, ArrayRecord):
        value = decode_array(value)
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist()
    if isinstance(value, bytes):
        return value.decode("latin1")
    if isinstance(value, list | tuple):
        return next(filter(None, map(text_of, value)), "")
    return ""


def _type_code(dtype: Any) -> str:
    """Return a dtype's code with its byte order, "O" for objects."""
    code = dtype.args[0]
    if not _CODE.fullmatch(code):
        raise ValueError(f"arrays of type {code!r} are not supported")
    return "O" if code.startswith("O") else dtype.state[1] + code


def _as_bytes(data: Any) -> bytes:
    """Return array data as bytes; Python 2 stored them as latin1 text."""
    if isinstance(data, Record):
        data = data.args[0]
    return data.encode("latin1") if isinstance(data, str) else data
