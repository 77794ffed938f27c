"""Arrays and text of pickled records, and of the same cells in memory."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from invariant_cluster.datasets._pickle_records import (
    ArrayRecord,
    ArrowRecord,
    BackedRecord,
    BufferRecord,
    ChunksRecord,
    Record,
    ScalarRecord,
)

_CODE = re.compile(r"O\d*|[biuf]\d|[SU]\d+")
# Arrow's types of text, with the type of the offsets of their items.
_OFFSETS = {"string": "<i4", "large_string": "<i8"}
# Copies of WM-811K hold 0 or -1 where there is no label.
_NO_TEXT = (0, -1)


def decode_array(record: Any) -> np.ndarray:
    """Return the array of a record.

    Parameters
    ----------
    record : ArrayRecord or ndarray
        Record of an array of bool, numbers, text or objects. An array is returned as
        it is.

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
    decode_column : Return the array of a column, which pandas may keep otherwise.
    text_of : Return the text in a cell.
    """
    if isinstance(record, np.ndarray):
        return record
    if isinstance(record, BufferRecord):
        data, dtype, shape, order = record.args
        return _from_data(data, _type_code(dtype), shape, order)
    if not isinstance(record, ArrayRecord) or not isinstance(record.state, tuple):
        raise ValueError(f"expected an array, found {type(record).__name__}")
    _, shape, dtype, is_fortran, data = record.state
    return _from_data(data, _type_code(dtype), shape, "F" if is_fortran else "C")


def decode_column(record: Any) -> np.ndarray:
    """Return the array of a column or an index of a table.

    Parameters
    ----------
    record : Record
        Record of an array, of text as pandas or Arrow keeps it, or of categories.

    Returns
    -------
    ndarray
        The array; text as str, None or NaN where there is none.

    Raises
    ------
    ValueError
        If the record is of another kind of column.

    See Also
    --------
    decode_array : Return the array of a record.
    """
    if isinstance(record, BackedRecord):
        dtype, values, *_ = record.state or record.args[-1]
        return _in_categories(dtype, decode_array(values))
    if isinstance(record, Record) and isinstance(record.state, dict):
        record = record.state.get("_pa_array", record)
    if isinstance(record, ChunksRecord):
        return np.concatenate([_arrow_text(chunk) for chunk in record.args[0]])
    return _arrow_text(record) if type(record) is ArrowRecord else decode_array(record)


def index_labels(index: Any) -> np.ndarray:
    """Return the labels of an index of columns.

    Parameters
    ----------
    index : Record
        Record of an index.

    Returns
    -------
    ndarray of shape (n,)
        The labels; empty for a range of numbers and for labels of several levels.

    See Also
    --------
    decode_column : Return the array of a column.
    """
    _, state = index.args
    return decode_column(state["data"]) if "data" in state else np.empty(0, object)


def text_of(value: Any) -> str:
    """Return the first text in a value, or in nested arrays and lists.

    Parameters
    ----------
    value : object
        A str, bytes, number, list, tuple, array or record.

    Returns
    -------
    str
        The first text that is not empty, "" if there is none. A number is text, but
        0, -1 and NaN are none.

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
    return _text_of_number(value) if isinstance(value, Real) else ""


def _text_of_number(value: Any) -> str:
    """Return a number as text, "" where it stands for no label."""
    return "" if value in _NO_TEXT or math.isnan(value) else str(value)


def _from_data(data: Any, code: str, shape: Sequence[int], order: Any) -> np.ndarray:
    """Return an array of a type, a shape and a memory order."""
    if code == "O":
        flat = np.fromiter(data, dtype=object, count=len(data))
    elif 0 in shape:
        return np.empty(shape, dtype=code)
    else:
        flat = np.frombuffer(_as_bytes(data), dtype=code)
    return flat.reshape(shape, order=order)


def _type_code(dtype: Any) -> str:
    """Return a dtype's code with its byte order, "O" for objects."""
    code = dtype.args[0]
    if not _CODE.fullmatch(code):
        raise ValueError(f"arrays of type {code!r} are not supported")
    return "O" if code.startswith("O") else dtype.state[1] + code


def _as_bytes(data: Any) -> bytes:
    """Return data as bytes; Python 2 stored them as latin1 text."""
    if isinstance(data, Record):
        return _as_bytes(data.args[0]) if data.args else b""
    return data.encode("latin1") if isinstance(data, str) else bytes(data)


def _in_categories(dtype: Any, values: np.ndarray) -> np.ndarray:
    """Return the values, or the names of the categories that they are codes of."""
    if not isinstance(dtype.state, dict) or "categories" not in dtype.state:
        return values
    # The code of a missing value is -1.
    names = [*index_labels(dtype.state["categories"]).tolist(), None]
    return np.array([names[code] for code in values.ravel().tolist()], dtype=object)


def _arrow_text(record: Any) -> np.ndarray:
    """Return the text of an Arrow array, None where it is null.

    Source: "Variable-size Binary Layout" of the Arrow columnar format.
    """
    kind, length, _, start, buffers, *_ = record.args[0]
    if kind.args[0] not in _OFFSETS:
        raise ValueError(f"columns of Arrow's type {kind.args[0]!r} are not supported")
    valid, offsets, data = (None if b is None else _as_bytes(b) for b in buffers)
    stop = start + length
    ends = np.frombuffer(offsets or b"", _OFFSETS[kind.args[0]])[start : stop + 1]
    texts = [
        (data or b"")[low:high].decode()
        for low, high in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    ]
    if valid is None:
        return np.array(texts, dtype=object)
    bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")[start:stop]
    cells = [text if bit else None for text, bit in zip(texts, bits, strict=True)]
    return np.array(cells, dtype=object)
