"""Reading of the images that the command line accepts."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invariant_cluster.cli._array_files import holds_wafers, read_npz, read_wafers
from invariant_cluster.cli._arrays import pick_channels
from invariant_cluster.datasets import (
    Reading,
    as_fail_maps,
    holds_dies,
    load_image_folder,
    open_images,
    open_wafers,
    sample_images,
)
from invariant_cluster.readers import (
    LISTS,
    STACKS,
    holds_particles,
    is_zarr_store,
    name_as_text,
)

_STORED = (".npy", ".h5", ".hdf5", ".zarr", *STACKS, *LISTS)
_GROUPS = (".npz", ".h5", ".hdf5", ".zarr")
_FRAMING = ("crop", "mask", "masks", "keep_scale")
_OF_FILES = ("color", "transparent", *_FRAMING, "mixed_depth")


@dataclass(frozen=True)
class Intake:
    """How the images of a path are read.

    Parameters
    ----------
    reading : Reading
        How the files of a folder become images; its ``size`` is that of wafer maps too.
        Arrays and stacks keep their size.
    key : str, optional
        Name of the array in an .npz file, HDF5 or zarr. By default "images", or the
        only array; an archive of MixedWM38 is then read as wafer maps.
    channels : tuple of int, optional
        Channels to take of an array, from 0; by default all.
    exclude : tuple of Path, default=()
        Files and folders in a folder that are left out.
    on_error : {"raise", "skip"}, default="raise"
        Whether files of a folder that cannot be read are an error or left out.
    cache : Path, optional
        Folder that keeps the decoded images of a folder.
    n_jobs : int, default=1
        Number of files that are read at a time.
    verbose : int, default=0
        Whether to show a progress bar.
    of_model : bool, default=False
        Whether ``reading`` is that of a model instead of the user's, so that arrays,
        which are not read so, are no mistake.
    """

    reading: Reading
    key: str | None = None
    channels: tuple[int, ...] | None = None
    exclude: tuple[Path, ...] = ()
    on_error: str = "raise"
    cache: Path | None = None
    n_jobs: int = 1
    verbose: int = 0
    of_model: bool = False


class NamedImages(NamedTuple):
    """Images with their names.

    Attributes
    ----------
    images : ndarray of shape (n, h, w) or (n, h, w, c)
        The images.
    names : list of str
        File of each image, or its row in the array.
    sizes : ndarray of shape (n, 2) or None
        Height and width of each file in pixels; None of arrays.
    reading : Reading or None
        How the files were read; None of arrays.
    skipped : DataFrame or None
        Files that were left out, and why; None of arrays.
    """

    images: NDArray
    names: list[str]
    sizes: NDArray | None = None
    reading: Reading | None = None
    skipped: pd.DataFrame | None = None


class Draw(NamedTuple):
    """Images drawn from more.

    Attributes
    ----------
    given : NamedImages
        The drawn images.
    n_images : int
        Number of images from which they were drawn.
    """

    given: NamedImages
    n_images: int


def read_images(
    path: Path, intake: Intake | None = None, *, size: int = 32
) -> NamedImages:
    """Return the images of a folder or a file.

    Parameters
    ----------
    path : Path
        Folder of images; file .npy, .npz, .h5 or .hdf5; store .zarr; particles in
        .mrc, .mrcs, .star, .cs, .txt or a folder of stacks; table of wafer maps such as
        LSWMD.pkl; or dies in .csv, .parquet, KLARF or a folder of these.
    intake : Intake, optional
        How they are read. By default folders are read with the side ``size``.
    size : int, default=32
        Side in pixels without ``intake``.

    Returns
    -------
    NamedImages
        Images and their names. Arrays of .npy, .mrc and .mrcs files stay on disk.

    Raises
    ------
    FileNotFoundError
        If the path does not exist.
    ValueError
        If the path is of another kind, or cannot be read.
    ImportError
        If a package that reads the file is not installed.

    See Also
    --------
    open_path : Read images when rows of them are taken.
    """
    intake = intake or Intake(Reading(size=size))
    return draw_images(path, None, intake).given


def draw_images(
    path: Path,
    n_images: int | None,
    intake: Intake | None = None,
    *,
    size: int = 32,
    seed: int = 0,
) -> Draw:
    """Return all images of a path, or as many as asked for, drawn at random.

    Parameters
    ----------
    path, intake, size
        As for :func:`read_images`.
    n_images : int or None
        Most images; None for all.
    seed : int, default=0
        Seed of the draw.

    Returns
    -------
    Draw
        The images, and the number of images of the path. Files of a folder that are
        not drawn are not read.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        As :func:`read_images`.

    See Also
    --------
    read_images : Return all images.
    """
    intake = intake or Intake(Reading(size=size))
    if is_image_folder(path):
        _check_wafer_options(path, intake)
        return _draw_files(path, n_images, intake, seed)
    opened = open_path(path, intake)
    names = getattr(opened, "names", None)
    if n_images is None or len(opened) <= n_images:
        images, rows = np.asarray(opened), np.arange(len(opened))
    else:
        images, rows = sample_images(
            opened, n_images, random_state=seed, return_rows=True
        )
    shown = [str(row) if names is None else name_as_text(names[row]) for row in rows]
    reading = getattr(opened, "reading", None)
    return Draw(NamedImages(images, shown, reading=reading), len(opened))


def open_path(path: Path, intake: Intake) -> Any:
    """Return the images of a folder or a file, without reading them if possible.

    Parameters
    ----------
    path, intake
        As for :func:`read_images`.

    Returns
    -------
    StoredImages or ndarray
        The images; ndarray of .npz and tables of wafer maps.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        As :func:`read_images`; files of a folder after the first are read later, unless
        bad ones are left out.

    See Also
    --------
    read_images : Read all images.
    """
    _check_exists(path)
    _check_key(path, intake.key)
    _check_wafer_options(path, intake)
    if is_image_folder(path):
        _check_no_channels(path, intake.channels)
        return open_images(
            path,
            reading=intake.reading,
            exclude=intake.exclude,
            on_error=intake.on_error,
            n_jobs=intake.n_jobs,
            verbose=intake.verbose,
        )
    _check_no_options_of_files(path, intake)
    exact = not intake.of_model  # the user's own palette is for these images
    if intake.key is None:
        wafers = open_wafers(path, intake.reading, exact=exact)
        if wafers is not None:
            return wafers
    images = pick_channels(path, _open_file(path, intake), intake.channels)
    if not _is_array(path, intake):
        return images
    return as_fail_maps(images, intake.reading, exact=exact)


def is_image_folder(path: Path) -> bool:
    """Return whether a path is a folder of image files.

    Parameters
    ----------
    path : Path
        Any path.

    Returns
    -------
    bool
        False for zarr stores and for folders of stacks, tables of dies or KLARF.
    """
    holds_others = is_zarr_store(path) or holds_particles(path) or holds_dies(path)
    return path.is_dir() and not holds_others


def _is_array(path: Path, intake: Intake) -> bool:
    """Return whether a path holds an array, whose values may be those of dies."""
    is_table = intake.key is None and holds_wafers(path)
    return not is_table and not holds_particles(path)


def _draw_files(path: Path, n_images: int | None, intake: Intake, seed: int) -> Draw:
    """Return the images of a folder of files, or of some of them."""
    _check_key(path, intake.key)
    _check_no_channels(path, intake.channels)
    bunch = load_image_folder(
        path,
        reading=intake.reading,
        exclude=intake.exclude,
        on_error=intake.on_error,
        max_images=n_images,
        random_state=seed,
        n_jobs=intake.n_jobs,
        cache=intake.cache,
        verbose=intake.verbose,
    )
    names = [name_as_text(os.path.relpath(name, path)) for name in bunch.filenames]
    given = NamedImages(bunch.images, names, bunch.sizes, bunch.reading, bunch.skipped)
    is_drawn = n_images is not None and bunch.n_files > n_images
    return Draw(given, bunch.n_files if is_drawn else len(names))


def _open_file(path: Path, intake: Intake) -> Any:
    """Open what is no folder of image files, with the reader of its kind."""
    suffix = path.suffix.lower()
    if path.is_dir() or suffix in _STORED:
        return open_images(path, dataset=intake.key)
    if intake.key is None and holds_wafers(path):
        return read_wafers(path, intake.reading.size)
    if suffix == ".npz":
        return read_npz(path, intake.key)
    raise ValueError(
        f"{path} is of an unknown kind: give a folder of images, "
        f"{', '.join((*_STORED, '.npz'))}, a pickled table of wafer maps, such as "
        "LSWMD.pkl, or dies of wafers in .csv, .parquet or KLARF."
    )


def _check_exists(path: Path) -> None:
    """Raise a FileNotFoundError if there is nothing at a path."""
    if not path.exists():
        told = "is a link to nothing" if path.is_symlink() else "does not exist"
        raise FileNotFoundError(f"{path} {told}: give a folder or a file.")


def _check_key(path: Path, key: str | None) -> None:
    """Raise a ValueError if --key is given for a file that is no group of arrays."""
    if key is not None and path.suffix.lower() not in _GROUPS:
        raise ValueError(
            f"--key {key} is for .npz files, HDF5 and zarr, not for {path}: omit --key."
        )


def _check_no_channels(path: Path, channels: tuple[int, ...] | None) -> None:
    """Raise a ValueError if --channels is given for image files."""
    if channels is not None:
        raise ValueError(
            f"--channels {','.join(map(str, channels))} but {path} holds image files: "
            "convert them with --color of fit instead."
        )


def _check_no_options_of_files(path: Path, intake: Intake) -> None:
    """Raise a ValueError if an option was given that arrays do not have."""
    given = [] if intake.of_model else _given_of_files(intake.reading)
    given += ["skip_unreadable"] * (intake.on_error == "skip")
    given += ["cache"] * (intake.cache is not None)
    if given:
        raise ValueError(
            f"{_as_option(given[0])} is for folders of image files, not for {path}: "
            "omit it."
        )
    framed = [name for name in _given_of_files(intake.reading) if name in _FRAMING]
    if framed:
        warnings.warn(
            f"The model was trained on files read with {_as_option(framed[0])}, but "
            f"{path} is read as it is: give images prepared in the same way.",
            UserWarning,
            stacklevel=3,
        )


def _check_wafer_options(path: Path, intake: Intake) -> None:
    """Raise a ValueError if the user says of wafers what a path does not tell."""
    if intake.of_model:
        return
    reading, are_dies = intake.reading, holds_dies(path)
    if reading.pass_bins is not None and not are_dies:
        raise ValueError(
            f"--pass-bins {','.join(reading.pass_bins)} is for tables of dies, not for "
            f"{path}: omit it."
        )
    if isinstance(reading.palette, tuple) and (are_dies or holds_particles(path)):
        raise ValueError(
            f"--palette says what colours mean, but {path} has none: omit it."
        )


def _given_of_files(reading: Reading) -> list[str]:
    """Return the parameters of files that differ from their defaults."""
    default = Reading()
    return [
        name for name in _OF_FILES if getattr(reading, name) != getattr(default, name)
    ]


def _as_option(name: str) -> str:
    """Return the option that sets a parameter."""
    return f"--{name.replace('_', '-')}"
