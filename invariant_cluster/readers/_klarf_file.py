"""KLARF files, version 1: the dies of wafers, and those with defects."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_START = re.compile(rb"^(\xef\xbb\xbf)?\s*FileVersion\s+\d", re.IGNORECASE)
_NEWER = re.compile(rb"^(\xef\xbb\xbf)?\s*Record\s+FileRecord", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]*)"')
_IMAGES = "IMAGELIST"
_LARGEST = 2**31  # of the numbers of a die


class KlarfWafer(NamedTuple):
    """Dies of a wafer in a KLARF file.

    Attributes
    ----------
    lot, wafer : str
        Names; "" if the file has none.
    plan : ndarray of shape (n, 2), int
        Column and row of each die that was inspected.
    defects : ndarray of shape (m, 2), int
        Column and row of the die of each defect.
    """

    lot: str
    wafer: str
    plan: NDArray[np.int64]
    defects: NDArray[np.int64]


def is_klarf(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is KLARF by its first words.

    Parameters
    ----------
    path : path-like
        A file.

    Returns
    -------
    bool
        Whether it starts as version 1 does, or as 1.8, which :func:`read_klarf`
        refuses.
    """
    with open(path, "rb") as file:
        start = file.read(256)
    return bool(_START.match(start) or _NEWER.match(start))


def read_klarf(path: str | os.PathLike[str]) -> list[KlarfWafer]:
    """Return the wafers of a KLARF file.

    Parameters
    ----------
    path : path-like
        A file of KLARF 1.1 or 1.2, a text of statements that end in a semicolon.

    Returns
    -------
    list of KlarfWafer
        The wafers in the order of the file. A sample test plan is that of all wafers
        after it, until the next one.

    Raises
    ------
    ValueError
        If the file is of another kind, is cut off, or a wafer has no sample test plan.
    """
    text = Path(path).read_bytes()
    if _NEWER.match(text):
        raise ValueError(
            f"{path} is KLARF 1.8, which is not read: save it as KLARF 1.2."
        )
    if not _START.match(text):
        raise ValueError(
            f"{path} is no KLARF file: it does not start with 'FileVersion 1 2'."
        )
    reader = _Reader(str(path))
    for name, body in _statements(text.decode("utf-8-sig", errors="replace")):
        reader.take(name, body)
    return reader.finish()


def _statements(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the rest of each statement; quoted semicolons end none."""
    parts = re.findall(r'(?:[^;"]|"[^"]*")+', text)
    for part in parts:
        name, *body = part.strip().split(None, 1)[:2] or [""]
        yield name.lower(), body[0] if body else ""


class _Reader:
    """What the statements so far say."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lot, self.wafer = "", ""
        self.columns: list[str] = []
        self.plan: list[NDArray[np.int64]] = []
        self.defects: list[NDArray[np.int64]] = []
        self.after_wafer = False  # whether a plan since the last wafer began
        self.begun = self.ended = False
        self.wafers: list[KlarfWafer] = []

    def take(self, name: str, body: str) -> None:
        """Read one statement."""
        if name == "lotid":
            self._close()
            self.lot = _unquote(body)
        elif name == "waferid":
            self._close()
            self.wafer, self.begun, self.after_wafer = _unquote(body), True, False
        elif name == "sampletestplan":
            self._add_plan(body)
        elif name == "defectrecordspec":
            self.columns = [column.upper() for column in body.split()[1:]]
        elif name == "defectlist":
            self.begun = True
            self.defects.append(self._read_defects(body))
        elif name == "endoffile":
            self.ended = True

    def finish(self) -> list[KlarfWafer]:
        """Return the wafers after the last statement."""
        self._close()
        if not self.ended:
            raise ValueError(
                f"{self.path} is cut off: it has no EndOfFile. Copy it again."
            )
        if not self.wafers:
            raise ValueError(f"{self.path} holds no wafer: give a file with one.")
        return self.wafers

    def _close(self) -> None:
        """Keep the wafer that has been read."""
        if not self.begun:
            return
        if not self.plan:
            raise ValueError(
                f"{self.path}: wafer {self.wafer!r} has no SampleTestPlan, so the dies "
                "without a defect are unknown: write the file with its test plan."
            )
        nothing = np.empty((0, 2), np.int64)
        defects = np.concatenate([nothing, *self.defects])
        plan = np.concatenate(self.plan)
        self.wafers.append(KlarfWafer(self.lot, self.wafer, plan, defects))
        self.defects, self.begun = [], False

    def _add_plan(self, body: str) -> None:
        """Read a sample test plan; a second one of a wafer is of a second test."""
        count, *values = self._numbers("SampleTestPlan", body.split()) or [0]
        if count < 1 or len(values) != 2 * count:
            raise ValueError(
                f"{self.path}: SampleTestPlan says {count} dies and lists "
                f"{len(values)} numbers: give two numbers for each die."
            )
        plan = np.array(values).astype(np.int64).reshape(-1, 2)
        self.plan = [*self.plan, plan] if self.after_wafer else [plan]
        self.after_wafer = True

    def _read_defects(self, body: str) -> NDArray[np.int64]:
        """Return the dies of defects; lines of image lists are passed over."""
        places = self._places()
        rows = [line.split() for line in body.splitlines() if line.split()]
        has_images = _IMAGES in self.columns
        least = len(self.columns) - has_images
        short = [row for row in rows if len(row) < least]
        if short and not has_images:
            raise ValueError(
                f"{self.path}: DefectList has a line of {len(short[0])} values, but "
                f"DefectRecordSpec names {len(self.columns)}: copy the file again."
            )
        dies = [[row[place] for place in places] for row in rows if len(row) >= least]
        flat = [value for die in dies for value in die]
        return np.array(self._numbers("DefectList", flat), np.int64).reshape(-1, 2)

    def _places(self) -> list[int]:
        """Return which values of a defect are the column and row of its die."""
        if not {"XINDEX", "YINDEX"} <= set(self.columns):
            raise ValueError(
                f"{self.path}: DefectRecordSpec lacks XINDEX or YINDEX, the die of a "
                "defect: write the file with both."
            )
        return [self.columns.index("XINDEX"), self.columns.index("YINDEX")]

    def _numbers(self, name: str, words: list[str]) -> list[int]:
        """Return words as whole numbers, some of which may be written as 1e3 or 2.0."""
        try:
            return [_as_whole(word) for word in words]
        except ValueError as error:
            raise ValueError(
                f"{self.path}: {name} holds something else than whole numbers "
                f"({error}): copy the file again."
            ) from error


def _as_whole(word: str) -> int:
    """Return a word as a whole number."""
    number = float(word)
    if not number.is_integer() or abs(number) > _LARGEST:
        raise ValueError(word)
    return int(number)


def _unquote(body: str) -> str:
    """Return the text between quotation marks, or all of it."""
    quoted = _QUOTED.search(body)
    return quoted[1].strip() if quoted else body.strip()
