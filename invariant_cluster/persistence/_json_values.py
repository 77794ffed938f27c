"""Conversion of parameters and tables to JSON and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

_PLAIN = (bool, int, float, str, type(None))
_KINDS = "biuf"  # dtype kinds of the arrays that can be stored


def encode(value: Any) -> Any:
    """Return a parameter as JSON.

    Parameters
    ----------
    value : object
        Number, string, None, tuple, sequence, numeric array, device or callable.

    Returns
    -------
    bool, int, float, str, None, list or dict
        A value that ``json.dumps`` writes. Values without a JSON type become tagged
        dicts.

    Raises
    ------
    TypeError
        If the value, or an item of it, has another type.

    See Also
    --------
    decode : Restore the value.

    Notes
    -----
    Tuples, numeric arrays and non-finite floats are restored exactly; other sequences
    become lists and devices become strings. Callables are stored by name only, so that
    an error message can name the missing one.

    Examples
    --------
    >>> from invariant_cluster.persistence import encode
    >>> encode((1, float("inf")))
    {'tuple': [1, {'float': 'inf'}]}
    >>> encode(len)
    {'callable': 'len'}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, tuple):
        return {"tuple": [encode(item) for item in value]}
    if is_callable_name(value):
        return value
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        if array.dtype.kind in _KINDS:
            return {"array": array.tolist(), "dtype": str(array.dtype)}
    if isinstance(value, Sequence):
        return [encode(item) for item in value]
    if isinstance(value, torch.device):
        return str(value)
    if callable(value):
        called = getattr(value, "__name__", type(value).__name__)  # ufuncs of NumPy 1
        return {"callable": getattr(value, "__qualname__", called)}
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def decode(value: Any) -> Any:
    """Return the value that :func:`encode` converted.

    Parameters
    ----------
    value : bool, int, float, str, None, list or dict
        Output of :func:`encode`.

    Returns
    -------
    object
        The value. A callable stays a dict with its name.

    Raises
    ------
    ValueError
        If the dtype of an array is not numeric.
    KeyError, TypeError
        If :func:`encode` did not write the value.

    See Also
    --------
    encode : Convert a value to JSON.

    Examples
    --------
    >>> from invariant_cluster.persistence import decode, encode
    >>> decode(encode((1, float("inf"))))
    (1, inf)
    """
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict) or is_callable_name(value):
        return value
    if "float" in value:
        return float(value["float"])
    if "tuple" in value:
        return tuple(decode(item) for item in value["tuple"])
    dtype = np.dtype(value["dtype"])
    if dtype.kind not in _KINDS:
        raise ValueError(
            f"The model file holds an array of dtype {dtype}, which is not numeric: "
            "it was altered. Save the model again."
        )
    return np.array(value["array"], dtype=dtype)


def is_callable_name(value: Any) -> bool:
    """Return whether a value is the stored name of a callable.

    Parameters
    ----------
    value : object
        Value of a parameter.

    Returns
    -------
    bool
        True for a dict with the key "callable", as :func:`encode` writes it.
    """
    return isinstance(value, dict) and "callable" in value


def encode_frame(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a table as JSON.

    Parameters
    ----------
    frame : DataFrame
        Table with numeric or string columns and the default index, which may have a
        name.

    Returns
    -------
    dict
        Name of the index, and dtype and values of each column; NaN becomes None.

    See Also
    --------
    decode_frame : Restore the table.
    """
    columns = {
        str(name): {
            "dtype": str(column.dtype),
            "values": [None if pd.isna(value) else value for value in column.tolist()],
        }
        for name, column in frame.items()
    }
    return {"index": frame.index.name, "columns": columns}


def decode_frame(spec: dict[str, Any]) -> pd.DataFrame:
    """Return the table that :func:`encode_frame` converted.

    Parameters
    ----------
    spec : dict
        Output of :func:`encode_frame`.

    Returns
    -------
    DataFrame
        The table, with its dtypes and the name of its index.

    See Also
    --------
    encode_frame : Convert a table to JSON.
    """
    columns = {
        name: pd.Series(column["values"], dtype=column["dtype"])
        for name, column in spec["columns"].items()
    }
    return pd.DataFrame(columns).rename_axis(spec["index"])
