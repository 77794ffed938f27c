"""Wafer maps from tables of dies and from KLARF files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from invariant_cluster.datasets._arguments import check_side
from invariant_cluster.datasets._bunch import Dataset, make_bunch
from invariant_cluster.datasets._die_files import list_die_files
from invariant_cluster.datasets._die_maps import WaferDies, draw_wafers
from invariant_cluster.datasets._wafers import show_values
from invariant_cluster.readers import KlarfWafer, is_klarf, read_dies, read_klarf

_PASSING = ("1", "p", "pass", "passed", "good", "ok", "true")
_DESCR = """Wafer maps of {place}
==========

{n} wafers with {dies} dies, {share:.1f} % of which fail, on maps of {size}x{size}
pixels (nearest neighbour; grids that are not square are stretched).
{values}
"""


def load_die_table(
    path: str | os.PathLike[str] | pd.DataFrame,
    *,
    columns: Mapping[str, str] | None = None,
    pass_bins: Iterable[str | int] | None = None,
    size: int = 32,
    fail_map: bool = False,
    return_X_y: bool = False,
) -> Dataset:
    """Return wafer maps of a table with one row for each die.

    Parameters
    ----------
    path : path-like or DataFrame
        A file ``.csv`` (commas, semicolons, tabs or bars), ``.tsv`` or ``.parquet``; a
        folder of such files; or a table. A file may hold many wafers.
    columns : mapping of str to str, optional
        Name of the column for "lot", "wafer", "x", "y" or "bin". By default they are
        known by the usual names, such as lot_id, wafer, die_x, col, row, hard_bin and
        result, in any case. Without a column "wafer", a file is one wafer.
    pass_bins : iterable of str or int, optional
        Bins of dies that pass. By default 1, P, PASS, PASSED, GOOD, OK and TRUE, in any
        case.
    size : int, default=32
        Side of the maps in pixels, at least 8.
    fail_map : bool, default=False
        Whether to return 1 for a failing die and 0 elsewhere, instead of the three
        values.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch; target is None.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (n, size, size) uint8 with values 0 (no die), 1 (pass) and 2 (fail),
        y up; ``wafers`` (n,), the names, such as "LOT7/3"; ``grids`` (n, 2), rows and
        columns of dies; ``target`` None and ``DESCR``. Wafers are in the order of the
        table.

    Raises
    ------
    FileNotFoundError
        If there is no such path.
    ValueError
        If a column is missing, a coordinate is no number, the coordinates are on no
        grid, or no die passes.
    ImportError
        If a Parquet file is given and pyarrow is not installed.

    See Also
    --------
    load_klarf : Read files of inspection tools.
    load_wm811k : Read a table with one map in each row.

    Notes
    -----
    Coordinates are indices of dies, or lengths in any unit: then the median distance of
    neighbouring columns is the width of a die. Of dies that were tested twice, the last
    row counts; rows without a bin are no dies. Wafers whose grids agree within a tenth
    have one frame.

    Examples
    --------
    >>> import pandas as pd
    >>> from invariant_cluster.datasets import load_die_table
    >>> dies = pd.DataFrame({
    ...     "wafer": [1, 1, 1, 2, 2, 2],
    ...     "die_x": [0, 1, 1, 0, 1, 1],
    ...     "die_y": [0, 0, 1, 0, 0, 1],
    ...     "bin": [1, 7, 1, 1, 1, 1],
    ... })
    >>> maps = load_die_table(dies, size=8)
    >>> maps.images[0, ::4, ::4].tolist(), maps.wafers.tolist()
    ([[0, 1], [1, 2]], ['1', '2'])
    """
    size = check_side("size", size)
    passing = _as_bins(pass_bins)
    if isinstance(path, pd.DataFrame):
        place, tables = "a table", [("wafer", read_dies(path, columns))]
    else:
        place = str(path)
        files = list_die_files(path, of_klarf=False)
        tables = [(_file_name(file, path), read_dies(file, columns)) for file in files]
    wafers = [
        wafer
        for name, dies in tables
        for wafer in _wafers_of(name, dies, passing, len(tables) > 1)
    ]
    _check_some_pass(place, tables, wafers, passing)
    return _make_maps(place, wafers, size, fail_map, return_X_y)


def load_klarf(
    path: str | os.PathLike[str],
    *,
    size: int = 32,
    fail_map: bool = False,
    return_X_y: bool = False,
) -> Dataset:
    """Return wafer maps of KLARF files.

    Parameters
    ----------
    path : path-like
        A file of KLARF 1.1 or 1.2 with any name, or a folder of such files. A file may
        hold many wafers.
    size : int, default=32
        Side of the maps in pixels, at least 8.
    fail_map, return_X_y : bool
        As for :func:`load_die_table`.

    Returns
    -------
    Bunch or (images, target)
        As :func:`load_die_table`: dies of the sample test plan pass unless the list of
        defects names them.

    Raises
    ------
    FileNotFoundError
        If there is no such path.
    ValueError
        If a file is no KLARF, of version 1.8, or cut off, or a wafer has no sample test
        plan.

    See Also
    --------
    load_die_table : Read tables of dies.

    Notes
    -----
    Read are LotID, WaferID, SampleTestPlan, DefectRecordSpec and DefectList; a defect
    of any class makes its die fail. The reader was written from descriptions of the
    format and tested on files made for the tests.
    """
    size = check_side("size", size)
    files = list_die_files(path, of_klarf=True)
    wafers = [
        _wafer_of_klarf(_file_name(file, path), one, len(files) > 1)
        for file in files
        for one in read_klarf(file)
    ]
    return _make_maps(str(path), wafers, size, fail_map, return_X_y)


def load_dies(path: Path, size: int, pass_bins: tuple[str, ...] | None) -> Dataset:
    """Return the failing dies of tables or KLARF files, whichever a path holds.

    Parameters
    ----------
    path : Path
        As for :func:`load_die_table` and :func:`load_klarf`.
    size : int
        Side of the maps.
    pass_bins : tuple of str or None
        As for :func:`load_die_table`.

    Returns
    -------
    Bunch
        As of these.

    Raises
    ------
    ValueError
        If a folder holds both, or as these say.
    """
    files = list_die_files(path)
    are_klarf = {is_klarf(file) for file in files}
    if len(are_klarf) > 1:
        raise ValueError(
            f"{path} holds tables of dies and KLARF files: put them into two folders."
        )
    if True in are_klarf:
        return load_klarf(path, size=size, fail_map=True)
    return load_die_table(path, size=size, fail_map=True, pass_bins=pass_bins)


def _as_bins(given: Any) -> frozenset[str]:
    """Return bins as text in lower case."""
    if isinstance(given, str):
        raise TypeError(
            f"pass_bins={given!r} is a single text: give a list, pass_bins=[{given!r}]."
        )
    return frozenset(_bin_text(one) for one in (_PASSING if given is None else given))


def _bin_text(value: Any) -> str:
    """Return a bin as text: 1, 1.0, "1" and "01" are the same."""
    text = str(value).strip().lower()
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() else text


def _file_name(file: Path, path: str | os.PathLike[str]) -> str:
    """Return the name of a file, with its folders below a path, without its ending."""
    place = Path(path).expanduser()
    below = Path(file.name) if file == place else file.relative_to(place)
    return below.with_suffix("").as_posix()


def _wafers_of(
    file: str, dies: pd.DataFrame, passing: frozenset[str], in_folder: bool
) -> Iterator[WaferDies]:
    """Yield the wafers of a table."""
    bins, kinds = pd.factorize(dies["bin"])
    fails = np.array([_bin_text(kind) not in passing for kind in kinds], bool)[bins]
    x, y = dies["x"].to_numpy(), dies["y"].to_numpy()
    keys = [part for part in ("lot", "wafer") if part in dies]
    if "wafer" not in keys:
        if len(dies):
            yield WaferDies(file, x, y, fails)
        return
    groups: dict[Any, Any] = dies.groupby(keys, sort=False).indices
    for group, rows in groups.items():
        *lot, wafer = group if isinstance(group, tuple) else (group,)
        name = _name(file, "".join(lot), wafer, in_folder)
        yield WaferDies(name, x[rows], y[rows], fails[rows])


def _name(file: str, lot: str, wafer: str, in_folder: bool) -> str:
    """Return the name of a wafer: file and lot stand before it where needed."""
    first = file if in_folder and not lot else lot
    return "/".join(part for part in (first, wafer) if part) or file


def _wafer_of_klarf(file: str, wafer: KlarfWafer, in_folder: bool) -> WaferDies:
    """Return the dies of a wafer of KLARF."""
    dies = np.concatenate([wafer.plan, wafer.defects]).astype(float)
    fails = np.arange(len(dies)) >= len(wafer.plan)
    name = _name(file, wafer.lot, wafer.wafer, in_folder)
    return WaferDies(name, dies[:, 0], dies[:, 1], fails)


def _check_some_pass(
    place: str,
    tables: Iterable[tuple[str, pd.DataFrame]],
    wafers: list[WaferDies],
    passing: frozenset[str],
) -> None:
    """Raise a ValueError if there is no die, or none passes."""
    if not wafers:
        raise ValueError(f"{place} has no rows: give a table with one for each die.")
    if all(wafer.fails.all() for wafer in wafers):
        bins = pd.concat([dies["bin"] for _, dies in tables]).value_counts()
        found = ", ".join(map(str, bins.index[:5]))
        raise ValueError(
            f"{place}: no die has a bin that passes ({', '.join(sorted(passing))}); "
            f"the most frequent ones are {found}. Say which pass with pass_bins=[...] "
            "(fit --pass-bins)."
        )


def _make_maps(
    place: str,
    wafers: list[WaferDies],
    size: int,
    fail_map: bool,
    return_X_y: bool,
) -> Dataset:
    """Return the Bunch of some wafers."""
    maps, grids = draw_wafers(wafers, size)
    images, values = show_values(maps, fail_map=fail_map)
    low, high = grids.min(axis=0), grids.max(axis=0)
    shown = " to ".join(f"{rows} x {columns}" for rows, columns in (low, high))
    descr = _DESCR.format(
        place=place,
        n=len(wafers),
        dies=f"{low[0]} x {low[1]}" if (low == high).all() else shown,
        share=100 * np.concatenate([wafer.fails for wafer in wafers]).mean(),
        size=size,
        values=values,
    )
    return make_bunch(
        images,
        None,
        np.array([], dtype=str),
        descr,
        return_X_y=return_X_y,
        wafers=np.array([wafer.name for wafer in wafers]),
        grids=grids,
    )
