"""Reading of the image files that the command line accepts."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple
from zipfile import BadZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.cli._arrays import pick_channels
from invariant_cluster.datasets import (
    load_image_folder,
    load_wm811k,
    open_images,
    sample_images,
)
from invariant_cluster.readers import LISTS, STACKS, holds_particles
from invariant_cluster.runtime import evenly_spaced

_KEY = "images"
_STORED = (".npy", ".h5", ".hdf5", ".zarr", *STACKS, *LISTS)
_PICKLES = (".pkl", ".pickle")
_N_DEFECTS = 8
_READ_ERRORS = (
    BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    UnpicklingError,
    ValueError,
    zlib.error,
)


class NamedImages(NamedTuple):
    """Images with their names.

    Attributes
    ----------
    images : ndarray of shape (n, h, w) or (n, h, w, c)
        The images.
    names : list of str
        File of each image, or its row in the array.
    """

    images: NDArray
    names: list[str]


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
    path: Path,
    *,
    size: int,
    key: str | None = None,
    color: str = "auto",
    channels: Sequence[int] | None = None,
) -> NamedImages:
    """Return the images of a folder or a file.

    Parameters
    ----------
    path : Path
        Folder of images; file .npy, .npz, .h5 or .hdf5; store .zarr; particles in
        .mrc, .mrcs, .star, .cs, .txt or a folder of stacks; or table of wafer maps such
        as LSWMD.pkl.
    size : int
        Side in pixels to which the images of a folder and wafer maps are resized.
        Arrays and stacks keep their size.
    key : str, optional
        Name of the array in an .npz file, HDF5 or zarr. By default "images", or the
        only array; an archive of MixedWM38 is then read as wafer maps.
    color : {"auto", "grey", "rgb"}, default="auto"
        Colours to which the files of a folder are converted; "auto" keeps them.
    channels : sequence of int, optional
        Channels to take of an array, from 0; by default all.

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
    share_outside : Compare the values with a model's intensity range.
    """
    opened = open_path(path, size=size, key=key, color=color, channels=channels)
    return _read_all(path, opened, color)


def draw_images(
    path: Path,
    n_images: int,
    *,
    size: int,
    key: str | None = None,
    color: str = "auto",
    channels: Sequence[int] | None = None,
    seed: int = 0,
) -> Draw:
    """Return all images of a path, or as many as asked for, drawn at random.

    Parameters
    ----------
    path : Path
        As for :func:`read_images`.
    n_images : int
        Maximum number of images.
    size, key, color, channels
        As for :func:`read_images`.
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
    opened = open_path(path, size=size, key=key, color=color, channels=channels)
    if len(opened) <= n_images:
        return Draw(_read_all(path, opened, color), len(opened))
    sample, rows = sample_images(opened, n_images, random_state=seed, return_rows=True)
    names = getattr(opened, "names", None)
    shown = [str(row) if names is None else _show(names[row]) for row in rows]
    return Draw(NamedImages(sample, shown), len(opened))


def open_path(
    path: Path,
    *,
    size: int,
    key: str | None = None,
    color: str = "auto",
    channels: Sequence[int] | None = None,
) -> Any:
    """Return the images of a folder or a file, without reading them if possible.

    Parameters
    ----------
    path, size, key, color, channels
        As for :func:`read_images`.

    Returns
    -------
    StoredImages or ndarray
        The images; ndarray of .npz and tables of wafer maps.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        As :func:`read_images`; files of a folder after the first are read later.

    See Also
    --------
    read_images : Read all images.
    """
    if not path.exists():
        told = "is a link to nothing" if path.is_symlink() else "does not exist"
        raise FileNotFoundError(f"{path} {told}: give a folder or a file.")
    opened = _open(path, size, key, color)
    return pick_channels(path, opened, channels)


def _open(path: Path, size: int, key: str | None, color: str) -> Any:
    """Open the images of a path with the reader of its kind."""
    suffix = path.suffix.lower()
    if path.is_dir() or suffix in _STORED:
        return open_images(path, dataset=key, size=size, color=color)
    if suffix in _PICKLES or (key is None and _holds_mixed_wm38(path)):
        return _read_wafers(path, size)
    if suffix not in _READERS:
        kinds = [*_STORED, *_READERS]
        raise ValueError(
            f"{path} is of an unknown kind: give a folder of images, "
            f"{', '.join(kinds)} or a pickled table of wafer maps, such as LSWMD.pkl."
        )
    return _check_array(path, _READERS[suffix](path, key))


def _read_all(path: Path, opened: Any, color: str) -> NamedImages:
    """Return all images that were opened, and their names."""
    names = getattr(opened, "names", None)
    if names is None:
        return _number(np.asarray(opened))
    if holds_particles(path):
        return NamedImages(np.asarray(opened), [_show(name) for name in names])
    return _read_folder(path, opened.shape[1], color)


def _read_folder(path: Path, size: int, color: str) -> NamedImages:
    """Return the images of a folder, named by their paths in it."""
    bunch = load_image_folder(path, size=size, color=color)
    names = [str(Path(name).relative_to(path)) for name in bunch.filenames]
    return NamedImages(bunch.images, [_show(name) for name in names])


def _show(name: str) -> str:
    """Return a file's name as text: one that is none here could not be written."""
    return os.fsencode(name).decode("utf-8", "replace")


def _check_array(path: Path, images: Any) -> NDArray:
    """Return the array if it has the form of images or flat rows, and real numbers."""
    if not isinstance(images, np.ndarray) or images.ndim not in (2, 3, 4):
        found = getattr(images, "shape", type(images).__name__)
        raise ValueError(
            f"{path} holds {found}, not images: give an array of shape (n, h, w) or "
            "(n, h, w, c)."
        )
    if images.dtype.kind not in "biuf":
        raise ValueError(
            f"{path} holds values of dtype {images.dtype}: give an array of real "
            "numbers."
        )
    if images.size == 0:
        raise ValueError(
            f"{path} holds {images.shape}, no images: give an array of one or more."
        )
    return images


def share_outside(images: NDArray, limits: tuple[float, float] | None) -> float:
    """Return the share of pixel values outside of a range.

    Parameters
    ----------
    images : ndarray of n images
        Images to check. At most 64 MiB of them are read, evenly spaced.
    limits : (low, high) or None
        Range of values.

    Returns
    -------
    float
        Share in [0, 1]; 0 if ``limits`` is None.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.cli._inputs import share_outside
    >>> share_outside(np.array([[0, 1], [2, 3]]), (0, 2))
    0.25
    """
    if limits is None:
        return 0.0
    sample, (low, high) = evenly_spaced(images), limits
    return float(np.mean((sample < low) | (sample > high)))


def _number(images: NDArray) -> NamedImages:
    """Return the images, named by their rows."""
    return NamedImages(images, [str(row) for row in range(len(images))])


def _holds_mixed_wm38(path: Path) -> bool:
    """Return whether an .npz file holds the maps and the eight defects of MixedWM38."""
    if path.suffix.lower() != ".npz" or not is_zipfile(path):
        return False
    with np.load(path, allow_pickle=False) as archive:
        if sorted(archive.files) != ["arr_0", "arr_1"]:
            return False
        shape: tuple[int, ...] = _try(path, lambda: archive["arr_1"]).shape
    return shape[1:] == (_N_DEFECTS,)


def _read_wafers(path: Path, size: int) -> NDArray:
    """Return 1 for each failing die of all wafer maps, 0 elsewhere."""
    bunch = load_wm811k(
        path, subset="all", size=size, fail_map=True, keep_unlabeled=True
    )
    images: NDArray = bunch.images
    return images


def _read_npz(path: Path, key: str | None) -> NDArray:
    """Return one array of an .npz file."""
    with path.open("rb") as file:
        archive = _try(path, lambda: np.load(file, allow_pickle=False))
        if isinstance(archive, np.ndarray):  # an .npy file named .npz
            return archive
        name = _choose(path, archive.files, key)
        images: NDArray = _try(path, lambda: archive[name])
    return images


def _try(path: Path, read: Callable[[], Any]) -> Any:
    """Return what ``read`` returns; turn its errors into one that names the file."""
    try:
        return read()
    except _READ_ERRORS as error:
        if "Object arrays" in str(error):
            raise ValueError(
                f"{path} holds Python objects: save one array of real numbers, such as "
                "numpy.savez(path, images=numpy.stack(images))."
            ) from error
        raise ValueError(
            f"{path} cannot be read as arrays: {error}. Give an intact .npz file."
        ) from error


def _choose(path: Path, names: list[str], key: str | None) -> str:
    """Return the name of the array that holds the images."""
    if not names:
        raise ValueError(
            f"{path} holds no array: save one, numpy.savez(path, images=images)."
        )
    wanted = key or (_KEY if len(names) != 1 else names[0])
    if wanted not in names:
        raise ValueError(
            f"{path} holds {', '.join(names)}, but not {wanted!r}: name "
            "the array of images with --key."
        )
    return wanted


_READERS: dict[str, Callable[[Path, str | None], NDArray]] = {
    ".npz": _read_npz,
}
