"""Reading of lists of particles: STAR of RELION, CS of cryoSPARC, names of stacks."""

from __future__ import annotations

import linecache
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invariant_cluster.readers._particle_places import STACKS

_STAR_COLUMN = "rlnImageName"
_CS_PATH, _CS_ROW = "blob/path", "blob/idx"


class ParticleList(NamedTuple):
    """Which image of which stack each particle is.

    Attributes
    ----------
    names : list of str
        Name of each particle, such as "000001@job042/mic1.mrcs", counted from 1.
    stacks : list of str
        The stacks that are named, each once, in the order of their first particles.
    stack : ndarray of shape (n,)
        Index in ``stacks`` of each particle.
    row : ndarray of shape (n,)
        Row in the stack of each particle, counted from 0.
    """

    names: list[str]
    stacks: list[str]
    stack: NDArray[np.intp]
    row: NDArray[np.intp]


def name_particle(row: int, stack: str) -> str:
    """Return the name that RELION gives to a particle.

    Parameters
    ----------
    row : int
        Row in the stack, counted from 0.
    stack : str
        Path of the stack.

    Returns
    -------
    str
        The number, counted from 1, and the path.

    Examples
    --------
    >>> from invariant_cluster.readers import name_particle
    >>> name_particle(0, "job042/mic1.mrcs")
    '000001@job042/mic1.mrcs'
    """
    return f"{row + 1:06d}@{stack}"


def read_particle_list(path: Path) -> ParticleList:
    """Return the particles of a list of RELION or cryoSPARC.

    Parameters
    ----------
    path : Path
        File .star with a column ``_rlnImageName``, in the block ``data_particles``,
        ``data_images`` or any other (RELION 3.0 and later), or file .cs with
        ``blob/path`` and ``blob/idx``. Poses and classes are not read.

    Returns
    -------
    ParticleList
        The particles, in the order of the list.

    Raises
    ------
    ImportError
        If starfile is needed and not installed.
    ValueError
        If the file is damaged, or does not name a stack and a row for each particle.

    See Also
    --------
    read_stack_list : Read a list of whole stacks.
    """
    read = _read_cs if path.suffix.lower() == ".cs" else _read_star
    names, stacks, rows = read(path)
    if not names:
        raise ValueError(f"{path} lists no particles: give a list of at least one.")
    codes, distinct = pd.factorize(np.array(stacks, dtype=object))
    return ParticleList(names, [str(stack) for stack in distinct], codes, rows)


def read_stack_list(path: Path) -> list[str]:
    """Return the stacks that a text file lists.

    Parameters
    ----------
    path : Path
        Text file with the path of one .mrc or .mrcs file a line. Empty lines and lines
        that start with # are skipped.

    Returns
    -------
    list of str
        Paths as they are written.

    Raises
    ------
    ValueError
        If a line does not name an MRC file, or there is none.

    See Also
    --------
    read_particle_list : Read a list of single particles.
    """
    lines = [line.strip() for line in os.fsdecode(path.read_bytes()).splitlines()]
    names = [line for line in lines if line and not line.startswith("#")]
    others = [name for name in names if not name.lower().endswith(STACKS)]
    if others or not names:
        found = f"the line {others[0][:60]!r}" if others else "no line"
        raise ValueError(
            f"{path} lists no stacks: it holds {found}. A .txt file of images names "
            "one .mrc or .mrcs file a line."
        )
    return names


def _read_star(path: Path) -> tuple[list[str], list[str], NDArray[np.intp]]:
    """Return the names, stacks and rows of the particles of a STAR file."""
    names = [str(name) for name in np.atleast_1d(_find_images(path))]
    parts = [_split(path, name) for name in names]
    rows = np.array([number for number, _ in parts], dtype=np.intp) - 1
    return names, [stack for _, stack in parts], rows


def _find_images(path: Path) -> Any:
    """Return the column of a STAR file that names images."""
    try:
        import starfile
    except ImportError as error:
        raise ImportError(
            "open_images reads STAR files with starfile, which is not installed: run "
            "'pip install starfile' or install this package with the extra 'particles'."
        ) from error
    try:
        blocks = starfile.read(path, always_dict=True)
    except (TypeError, ValueError) as error:
        linecache.clearcache()  # starfile would read the old lines of a repaired file
        raise ValueError(
            f"{path} cannot be read as a STAR file: {error}. Give an intact file."
        ) from error
    for block in blocks.values():
        if _STAR_COLUMN in block:
            return block[_STAR_COLUMN]
    columns = [str(column) for block in blocks.values() for column in block]
    raise ValueError(
        f"{path} lists no particles: it has no column _{_STAR_COLUMN}, only "
        f"{', '.join(columns[:5]) or 'no column'}. Give the STAR file of particles."
    )


def _split(path: Path, name: str) -> tuple[int, str]:
    """Return the number, from 1, and the stack of a name; without a number it is 1."""
    number, at, stack = name.partition("@")
    if not at:
        return 1, name
    if not number.isdigit() or int(number) < 1 or not stack:
        raise ValueError(
            f"{path} names the particle {name!r}: write the number of an image from "
            "1 on, @ and the path of a stack."
        )
    return int(number), stack


def _read_cs(path: Path) -> tuple[list[str], list[str], NDArray[np.intp]]:
    """Return the names, stacks and rows of the particles of a CS file."""
    table = _load_cs(path)
    missing = {_CS_PATH, _CS_ROW} - set(table.dtype.names or ())
    if missing:
        raise ValueError(
            f"{path} names no images: it has no {' and no '.join(sorted(missing))}. "
            "Give the .cs file of particles that has them; files with _passthrough_ in "
            "their names often do not."
        )
    stacks = [_clean(place) for place in table[_CS_PATH].tolist()]
    if "" in stacks:
        raise ValueError(
            f"{path} names no stack for its row {stacks.index('')}: {_CS_PATH} is "
            "empty. Export the particles from cryoSPARC again."
        )
    rows = table[_CS_ROW].astype(np.intp)
    named = zip(rows.tolist(), stacks, strict=True)
    return [name_particle(row, stack) for row, stack in named], stacks, rows


def _load_cs(path: Path) -> NDArray:
    """Return the table of a CS file, a structured array in the format of .npy."""
    try:
        table = np.load(path, allow_pickle=False)
    except (EOFError, OSError, ValueError) as error:
        raise ValueError(
            f"{path} cannot be read as a CS file: {error}. Give an intact file."
        ) from error
    if not isinstance(table, np.ndarray):
        table.close()
        raise ValueError(f"{path} is an archive of arrays: give a .cs file.")
    return table


def _clean(place: bytes | str) -> str:
    """Return a path of cryoSPARC, which may put > before it."""
    text = os.fsdecode(place) if isinstance(place, bytes) else str(place)
    return text.removeprefix(">")
