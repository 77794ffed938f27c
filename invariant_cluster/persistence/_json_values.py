"""Parameters and tables as JSON and back, without a way to run code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

_PLAIN = (bool, int, float, str, type(None))
_KINDS = "biuf"  # of arrays


def encode(value: Any) -> Any:
    """Return a parameter as JSON; objects that JSON has not become tagged dicts.

    Tuples and arrays come back as they were, other sequences as lists. Of a callable
    only the name is kept, so that an error can tell what is missing.

    Raises
    ------
    TypeError
        For anything else.
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
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def decode(value: Any) -> Any:
    """Return what ``encode`` was given; a callable is left as its tagged name."""
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
        raise ValueError(f"dtype {dtype} is no kind of number")
    return np.array(value["array"], dtype=dtype)


def is_callable_name(value: Any) -> bool:
    """Tell the name of a callable from a value."""
    return isinstance(value, dict) and "callable" in value


def encode_frame(frame: pd.DataFrame) -> dict[str, Any]:
    """Return a table with a plain index as JSON; NaN becomes null."""
    columns = {
        str(name): {
            "dtype": str(column.dtype),
            "values": [None if pd.isna(value) else value for value in column.tolist()],
        }
        for name, column in frame.items()
    }
    return {"index": frame.index.name, "columns": columns}


def decode_frame(spec: dict[str, Any]) -> pd.DataFrame:
    """Return the table that ``encode_frame`` was given."""
    columns = {
        name: pd.Series(column["values"], dtype=column["dtype"])
        for name, column in spec["columns"].items()
    }
    return pd.DataFrame(columns).rename_axis(spec["index"])
