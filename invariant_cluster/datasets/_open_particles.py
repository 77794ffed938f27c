"""Cryo-EM particles of one or many stacks, opened without reading them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets._stored_images import Source
from invariant_cluster.readers import (
    MrcStack,
    find_pictures,
    find_stacks,
    locate_stacks,
    map_mrc,
    name_particle,
    open_mrc,
    read_mrc,
    read_particle_list,
    read_stack_list,
)


class _Particles(NamedTuple):
    """Which row of which stack each particle is."""

    stacks: list[MrcStack]
    stack: NDArray[np.intp]
    row: NDArray[np.intp]
    names: list[str]


def open_particles(path: Path) -> Source:
    """Return the particles of a path, each of which is read when it is taken.

    The headers of all stacks are read here. No stack stays open, so that there may be
    any number of them.

    Parameters
    ----------
    path : Path
        Stack .mrc or .mrcs; list of particles .star or .cs; list of stacks .txt; or
        folder that holds stacks at any depth.

    Returns
    -------
    Source
        The particles. They have the names of the list; those of a folder are named
        like "000001@job042/mic1.mrcs", relative to it, those of a .txt file by the
        path that it gives, and those of a single stack have none.

    Raises
    ------
    FileNotFoundError
        If a stack that a list names is missing.
    ImportError
        If mrcfile or starfile is needed and not installed.
    ValueError
        If a file cannot be read, a stack is a volume, the images of the stacks differ
        in shape or dtype, or a list names an image that its stack has not; when rows
        are read, if a particle has NaN or infinity.

    Warns
    -----
    UserWarning
        If headers differ from the standard; once for all stacks. If a folder of stacks
        holds pictures, too.
    """
    suffix = "folder" if path.is_dir() else path.suffix.lower()
    if suffix in (".star", ".cs"):
        return _join(_open_listed(path))
    if suffix == "folder":
        return _join(_open_folder(path))
    if suffix == ".txt":
        names = read_stack_list(path)
        return _join(_open_whole(path, locate_stacks(names, path), names))
    particles = _open_whole(path, [path], [path.name])
    whole = map_mrc(particles.stacks[0])
    return _join(particles)._replace(names=None, whole=whole)


def _open_listed(path: Path) -> _Particles:
    """Return the particles of a STAR or CS file."""
    listed = read_particle_list(path)
    stacks = [open_mrc(file) for file in locate_stacks(listed.stacks, path)]
    _check_stacks(path, stacks)
    particles = _Particles(stacks, listed.stack, listed.row, listed.names)
    _check_rows(path, particles)
    return particles


def _open_folder(path: Path) -> _Particles:
    """Return all particles of the stacks of a folder."""
    _tell_pictures(path)
    files = find_stacks(path)
    return _open_whole(path, files, [f.relative_to(path).as_posix() for f in files])


def _open_whole(path: Path, files: list[Path], names: list[str]) -> _Particles:
    """Return all particles of some stacks, which have names."""
    stacks = [open_mrc(file) for file in files]
    for stack in stacks:
        _check_no_volume(stack)
    _check_stacks(path, stacks)
    counts = [stack.shape[0] for stack in stacks]
    which = np.repeat(np.arange(len(stacks)), counts)
    rows = np.concatenate([np.arange(count) for count in counts])
    pairs = zip(rows.tolist(), which.tolist(), strict=True)
    named = [name_particle(row, names[stack]) for row, stack in pairs]
    return _Particles(stacks, which, rows, named)


def _tell_pictures(folder: Path) -> None:
    """Warn if a folder of stacks holds pictures, too: these are not opened."""
    pictures = find_pictures(folder)
    if pictures:
        warnings.warn(
            f"{folder} holds MRC files, which are opened, and {len(pictures)} other "
            f"images, which are not, such as {pictures[0]}: keep them in two folders.",
            UserWarning,
            stacklevel=2,
        )


def _check_no_volume(stack: MrcStack) -> None:
    """Raise a ValueError if a file holds a volume; .mrcs is the name of stacks."""
    if stack.is_volume and stack.path.suffix.lower() != ".mrcs":
        side = " x ".join(map(str, stack.shape))
        raise ValueError(
            f"{stack.path} is a volume of {side} (a reconstruction, not a stack of "
            "particles): give projections, and move it out of their folder. If it is a "
            "stack, rename it to .mrcs or set the space group of its header to 0."
        )


def _check_stacks(path: Path, stacks: list[MrcStack]) -> None:
    """Raise if the stacks do not join; warn if some have odd headers."""
    _check_alike(stacks)
    odd = [stack for stack in stacks if stack.oddities]
    if not odd:
        return
    of_many = f"{len(odd)} of the {len(stacks)} stacks of {path} have unusual headers: "
    warnings.warn(
        f"{of_many if len(stacks) > 1 else ''}{odd[0].path} has "
        f"{', '.join(odd[0].oddities)}. It was read all the same: look at the images. "
        "If they are right, writing the file again with mrcfile mends its header.",
        UserWarning,
        stacklevel=2,
    )


def _check_alike(stacks: list[MrcStack]) -> None:
    """Raise a ValueError if the images of two stacks differ in shape or dtype."""
    kinds = [(stack.shape[1:], stack.dtype.newbyteorder("=")) for stack in stacks]
    for kind, stack in zip(kinds, stacks, strict=True):
        if kind != kinds[0]:
            raise ValueError(
                f"The stacks differ: {stacks[0].path} has images of "
                f"{_show(stacks[0])}, {stack.path} of {_show(stack)}. Extract all "
                "with one box size, and write all in one mode."
            )


def _show(stack: MrcStack) -> str:
    """Return the kind of a stack's images: "24 x 24 float32"."""
    return f"{stack.shape[1]} x {stack.shape[2]} {stack.dtype.name}"


def _check_rows(path: Path, particles: _Particles) -> None:
    """Raise a ValueError if a list names an image that its stack has not."""
    counts = np.array([stack.shape[0] for stack in particles.stacks])[particles.stack]
    outside = np.flatnonzero((particles.row < 0) | (particles.row >= counts))
    if len(outside):
        first = outside[0]
        raise ValueError(
            f"{path} names {particles.names[first]}, but that stack has "
            f"{counts[first]} images ({len(outside)} such particles): extract them "
            "again, or give the list of this extraction."
        )
    for name, count in zip(particles.names, counts, strict=True):
        if "@" not in name and count > 1:
            raise ValueError(
                f"{path} names {name} without the number of an image, and this file "
                f"has {count}: a volume or a whole stack is no particle. Give a list "
                "of particles in two dimensions."
            )


def _join(particles: _Particles) -> Source:
    """Return the source of particles; a run of rows of one stack is read at once."""
    first = particles.stacks[0]
    dtype = first.dtype.newbyteorder("=")

    def read(start: int, stop: int) -> NDArray:
        images = np.empty((stop - start, *first.shape[1:]), dtype=dtype)
        which, rows = particles.stack[start:stop], particles.row[start:stop]
        for begin, end in _runs(which, rows):
            stack = particles.stacks[which[begin]]
            images[begin:end] = read_mrc(stack, rows[begin], rows[end - 1] + 1)
        _check_finite(images, particles.names[start:stop])
        return images

    shape = (len(particles.names), *first.shape[1:])
    return Source(shape, dtype, read, names=particles.names)


def _runs(stack: NDArray[np.intp], row: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """Yield where runs of consecutive rows of one stack begin and end."""
    breaks = (np.diff(stack) != 0) | (np.diff(row) != 1)
    cuts = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(row)]
    return pairwise(cuts) if len(row) else iter(())


def _check_finite(images: NDArray, names: list[str]) -> None:
    """Raise a ValueError if particles that were read have NaN or infinity."""
    if images.dtype.kind != "f" or np.isfinite(images).all():
        return
    bad = ~np.isfinite(images).all(axis=(1, 2))
    raise ValueError(
        f"{names[int(bad.argmax())]} contains NaN or infinity: take it out of the "
        "list, or replace these pixels."
    )
