"""Tables with one row for each die of a wafer: which column holds what."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

PARTS = ("lot", "wafer", "x", "y", "bin")
_NEEDED = ("x", "y", "bin")
# In the order in which they are looked for, without case, blanks and underscores.
_SYNONYMS = {
    "lot": ("lot", "lotid", "lotno", "lotnumber", "lotname"),
    "wafer": (
        "wafer",
        "waferid",
        "waferno",
        "wafernumber",
        "waferindex",
        "wafername",
        "wid",
        "slot",
    ),
    "x": ("diex", "xdie", "x", "xindex", "dieindexx", "xcoord", "col", "column"),
    "y": ("diey", "ydie", "y", "yindex", "dieindexy", "ycoord", "row"),
    "bin": (
        "hardbin",
        "hbin",
        "hb",
        "bin",
        "binnumber",
        "bincode",
        "softbin",
        "sbin",
        "sb",
        "result",
        "passfail",
        "testresult",
        "status",
    ),
}
_DELIMITERS = (";", "\t", "|", ",")
DIE_TABLES = (".csv", ".tsv", ".parquet")


def read_dies(
    table: str | os.PathLike[str] | pd.DataFrame,
    columns: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return the columns of a table of dies under common names.

    Parameters
    ----------
    table : path-like or DataFrame
        A file .csv (comma, semicolon, tab or bar), .tsv or .parquet, or a table.
    columns : mapping of str to str, optional
        Name of the column for "lot", "wafer", "x", "y" or "bin". Others are guessed
        from the usual names.

    Returns
    -------
    DataFrame
        "x", "y" (float) and "bin" (object), and "lot" and "wafer" (str) if the table
        has them. Rows without a coordinate or a bin are left out.

    Raises
    ------
    ValueError
        If a column is missing, a coordinate is no finite number, some rows have a wafer
        and others have none, or the file is no table.
    ImportError
        If a Parquet file is given and pyarrow is not installed.
    """
    place, frame = _load(table)
    names = _find_columns(place, list(map(str, frame.columns)), dict(columns or {}))
    frame = frame.set_axis(list(map(str, frame.columns)), axis=1)
    dies = pd.DataFrame({part: frame[name] for part, name in names.items()})
    for axis in ("x", "y"):
        dies[axis] = _as_numbers(place, names[axis], dies[axis])
    dies = dies.dropna(subset=list(_NEEDED))
    _check_wafers(place, names, dies)
    for part in {"lot", "wafer"} & set(dies.columns):
        dies[part] = _as_text(dies[part])
    return dies


def _load(table: Any) -> tuple[str, pd.DataFrame]:
    """Return the name of a table for messages, and the table."""
    if isinstance(table, pd.DataFrame):
        return "the table", table
    path = Path(table)
    try:
        if path.suffix.lower() == ".parquet":
            return str(path), pd.read_parquet(path)
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline()
        delimiter = max(_DELIMITERS, key=first.count)
        read = pd.read_csv(path, sep=delimiter, encoding="utf-8-sig", low_memory=False)
    except (UnicodeDecodeError, ValueError) as error:
        raise ValueError(
            f"{path} cannot be read as a table: {error}. Give a CSV file in UTF-8 with "
            "one row for each die, or Parquet."
        ) from error
    return str(path), read


def _find_columns(
    place: str, found: list[str], given: dict[str, str]
) -> dict[str, str]:
    """Return the column of each part that a table has."""
    unknown = sorted(given.keys() - set(PARTS))
    if unknown:
        raise ValueError(
            f"columns names {unknown[0]!r}: give columns of {', '.join(PARTS)}."
        )
    absent = [name for name in given.values() if name not in found]
    if absent:
        raise ValueError(
            f"{place} has no column {absent[0]!r}, which columns names: it has "
            f"{', '.join(found)}."
        )
    short = {_shorten(name): name for name in reversed(found)}
    guessed = {
        part: short[name]
        for part in PARTS
        for name in reversed(_SYNONYMS[part])
        if name in short
    }
    names = {**guessed, **given}
    missing = [part for part in _NEEDED if part not in names]
    if missing:
        raise ValueError(
            f"{place} has no column that is {missing[0]} of a die by its name "
            f"({', '.join(found)}): name it with columns={{{missing[0]!r}: ...}}."
        )
    return names


def _shorten(name: str) -> str:
    """Return the letters and digits of a name in lower case."""
    return re.sub(r"[\W_]", "", name.lower())


def _as_numbers(place: str, name: str, column: pd.Series) -> pd.Series:
    """Return coordinates as floats."""
    try:
        numbers = pd.to_numeric(column).astype(float)
        if np.isinf(numbers).any():
            raise ValueError("infinity")
        return numbers
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{place}: column {name!r} holds {str(error)[:80]!r} where a die's "
            "coordinate is needed: give numbers with a decimal point."
        ) from error


def _check_wafers(place: str, names: dict[str, str], dies: pd.DataFrame) -> None:
    """Raise if some dies have no wafer: a name that is written once is no column."""
    if "wafer" not in dies:
        return
    unknown = dies["wafer"].isna()
    if unknown.any() and not unknown.all():
        raise ValueError(
            f"{place}: {unknown.sum():,} of {len(dies):,} dies have no wafer in column "
            f"{names['wafer']!r}: fill it in each row, or leave these rows out."
        )


def _as_text(column: pd.Series) -> pd.Series:
    """Return names as text; whole numbers have no decimals, missing ones are ""."""
    return column.map(lambda one: "" if pd.isna(one) else _name_of(one))


def _name_of(value: Any) -> str:
    """Return a lot or a wafer as text."""
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if is_whole else value).strip()
