"""What reading a folder said of each file, and how the user is told."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from invariant_cluster.readers import MISSING, name_as_text

_MOST_NAMED = 20
_CONVERT_COLORS = "Use color='grey' or color='rgb' to convert colours."
_CONVERT_DEPTHS = (
    "Use mixed_depth='widen' to keep the values of different depths in one dtype, or "
    "(integers only) mixed_depth='scale' to map the full range of each type to that of "
    "the widest; for a model, from its training images on."
)


class Record(NamedTuple):
    """What reading a file said.

    Attributes
    ----------
    sides : (int, int)
        Height and width after cropping; (0, 0) if the file was not read.
    n_channels : int
        1 for grey, 3 for RGB; 0 if the file was not read.
    dtype : str
        Dtype of the file; "" if it was not read.
    notes : tuple of str
        What was changed in reading.
    reason : str or None
        Why the file was not read.
    missing : (int, int)
        Number of pixels of the whole file that had no value, and of all its pixels.
    """

    sides: tuple[int, int] = (0, 0)
    n_channels: int = 0
    dtype: str = ""
    notes: tuple[str, ...] = ()
    reason: str | None = None
    missing: tuple[int, int] = (0, 0)


def describe_bad(
    folder: str,
    names: Sequence[str],
    records: Sequence[Record],
    *,
    can_skip: bool,
    are_all: bool = True,
) -> str:
    """Return the text of an error that names all files that were not read.

    Parameters
    ----------
    folder : str
        The folder.
    names : sequence of str
        The files of the folder that were read or not.
    records : sequence of Record
        What reading each said.
    can_skip : bool
        Whether bad files can be skipped.
    are_all : bool, default=True
        Whether these are all files of the folder, so that they are counted.

    Returns
    -------
    str
        The number of bad files, and 20 of them at most with their reasons.
    """
    bad = [
        f"  {show_name(name)}: {record.reason}"
        for name, record in zip(names, records, strict=True)
        if record.reason is not None
    ]
    more = len(bad) - _MOST_NAMED
    lines = bad[:_MOST_NAMED] + ([f"  and {more:,} more"] if more > 0 else [])
    listed = "\n".join(lines)
    count = f"{len(bad):,} of {len(names):,} files" if are_all else "Files"
    skip = "on_error='skip' or " if can_skip else ""
    return (
        f"{count} of path={folder!r} cannot be read as images:\n{listed}\nReplace or "
        f"remove these files, or leave them out with {skip}exclude=[...]."
    )


def show_name(name: str) -> str:
    """Return the name of a file for a line of a message.

    Parameters
    ----------
    name : str
        A name, as the system gives it.

    Returns
    -------
    str
        The name as text; line breaks are blanks.
    """
    return " ".join(name_as_text(name).splitlines())


def warn_of_notes(
    names: Sequence[str],
    records: Sequence[Record],
    stacklevel: int,
    *,
    are_all: bool = True,
) -> None:
    """Warn once of each kind of change.

    Parameters
    ----------
    names : sequence of str
        The files.
    records : sequence of Record
        What reading each said.
    stacklevel : int
        As for ``warnings.warn``, counted from the caller.
    are_all : bool, default=True
        Whether these are all files of the folder, so that they are counted.
    """
    counts = Counter(note for record in records for note in record.notes)
    if are_all and counts.keys() & MISSING.keys():
        _warn_of_missing(names, records, stacklevel + 1)
        counts = Counter(
            {note: counts[note] for note in counts.keys() - MISSING.keys()}
        )
    first: dict[str, str] = {}
    for name, record in zip(names, records, strict=True):
        for note in record.notes if len(first) < len(counts) else ():
            first.setdefault(note, name)
    for note, count in counts.items():
        counted = f"{count:,} of {len(names):,} files" if are_all else "some files"
        warnings.warn(
            f"{note} in {counted}, such as {show_name(first[note])}.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )


def _warn_of_missing(
    names: Sequence[str], records: Sequence[Record], stacklevel: int
) -> None:
    """Warn of pixels without a value, with their number."""
    noted = {note for record in records for note in record.notes}
    kinds = " or ".join(kind for note, kind in MISSING.items() if note in noted)
    numbers = np.array([record.missing for record in records])
    n_missing, n_pixels = numbers.sum(axis=0).tolist()
    bad = np.flatnonzero(numbers[:, 0])
    first = show_name(names[bad[0]])
    warnings.warn(
        f"{n_missing:,} pixels ({100 * n_missing / n_pixels:.2g} %) in {len(bad):,} of "
        f"{len(names):,} files, such as {first}, are {kinds}: set to each "
        "image's background, the median of its border.",
        UserWarning,
        stacklevel=stacklevel + 1,
    )


def are_alike(records: Sequence[Record], mixed_depth: str) -> bool:
    """Return whether the images that were read fit one array.

    Parameters
    ----------
    records : sequence of Record
        What reading each file said.
    mixed_depth : {"raise", "widen", "scale"}
        "raise" does not allow several depths.

    Returns
    -------
    bool
        Whether they have one number of channels and depths that are allowed.

    See Also
    --------
    check_alike : Raise an error that names the kinds.
    """
    n_channels, dtypes = _kinds(records)
    return len(n_channels) <= 1 and (len(dtypes) <= 1 or mixed_depth != "raise")


def _kinds(records: Sequence[Record]) -> tuple[set[int], set[str]]:
    """Return the numbers of channels and the dtypes of files that were read."""
    read = [record for record in records if record.reason is None]
    return {one.n_channels for one in read}, {one.dtype for one in read}


def check_alike(
    folder: str, names: Sequence[str], records: Sequence[Record], mixed_depth: str
) -> None:
    """Raise a ValueError if the files that were read differ in channels or depth.

    Parameters
    ----------
    folder : str
        The folder.
    names : sequence of str
        The files.
    records : sequence of Record
        What reading each said.
    mixed_depth : {"raise", "widen", "scale"}
        "raise" does not allow several depths.

    Raises
    ------
    ValueError
        If they differ; the message counts each kind and names a file of it.
    """
    if are_alike(records, mixed_depth):
        return
    kinds = [(one.n_channels, one.dtype) for one in records]
    counts = Counter(kind for kind in kinds if kind[0])
    found = ", ".join(
        f"{_name_kind(*kind)} ({counts[kind]:,}, such as "
        f"{show_name(names[kinds.index(kind)])})"
        for kind in sorted(counts)
    )
    n_channels, dtypes = _kinds(records)
    remedies = [_CONVERT_COLORS] if len(n_channels) > 1 else []
    if len(dtypes) > 1 and mixed_depth == "raise":
        remedies.append(_CONVERT_DEPTHS)
    raise ValueError(
        f"The images of path={folder!r} differ in colour or depth: {found}. "
        f"{' '.join(remedies)}"
    )


def _name_kind(n_channels: int, dtype: str) -> str:
    """Return channels and depth in words."""
    color = {1: "grey", 3: "RGB"}.get(n_channels, f"{n_channels} channels of")
    return f"{color} {np.dtype(dtype)}"
