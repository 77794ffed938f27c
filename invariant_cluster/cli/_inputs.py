"""Images of all the kinds of files that the command line takes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets import load_image_folder, load_wm811k
from invariant_cluster.runtime import evenly_spaced

_KEY = "images"


class NamedImages(NamedTuple):
    """Images (n, h, w[, c]) and what each is called: its file, or its row."""

    images: NDArray
    names: list[str]


def read_images(
    path: Path, *, size: int, key: str | None = None, color: str = "auto"
) -> NamedImages:
    """Return the images of a folder or a file.

    Parameters
    ----------
    path : Path
        A folder of images; .npy, .npz, .mrc or .mrcs; LSWMD.pkl.
    size : int
        Side of the images, where files differ in theirs: a folder and LSWMD.pkl.
    key : str, optional
        Of the array in an .npz file; by default "images", or the only one.
    color : {"auto", "grey", "rgb"}, default="auto"
        What the files of a folder are converted to.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it is none of these kinds, or cannot be read.
    ImportError
        When a package is missing that reads it.
    """
    if path.is_dir():
        return _read_folder(path, size, color)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: give a folder or a file.")
    suffix = path.suffix.lower()
    if suffix == ".pkl":
        bunch = load_wm811k(
            path, subset="all", size=size, fail_map=True, keep_unlabeled=True
        )
        return _number(bunch.images)
    if suffix not in _READERS:
        raise ValueError(
            f"{path} is of no known kind: give a folder of images, "
            f"{', '.join(_READERS)} or LSWMD.pkl."
        )
    return _number(_check_array(path, _READERS[suffix](path, key)))


def _read_folder(path: Path, size: int, color: str) -> NamedImages:
    bunch = load_image_folder(path, size=size, color=color)
    names = [str(Path(name).relative_to(path)) for name in bunch.filenames]
    # Names that are no text on this system could not be written.
    shown = [os.fsencode(name).decode("utf-8", "replace") for name in names]
    return NamedImages(bunch.images, shown)


def _check_array(path: Path, images: Any) -> NDArray:
    if not isinstance(images, np.ndarray) or images.ndim not in (2, 3, 4):
        found = getattr(images, "shape", type(images).__name__)
        raise ValueError(
            f"{path} holds {found}, no images: give an array (n, h, w) or (n, h, w, c)."
        )
    return images


def share_outside(images: NDArray, limits: tuple[float, float] | None) -> float:
    """Return the share of values outside of limits, over at most 64 MiB of images."""
    if limits is None:
        return 0.0
    sample, (low, high) = evenly_spaced(images), limits
    return float(np.mean((sample < low) | (sample > high)))


def _number(images: NDArray) -> NamedImages:
    return NamedImages(images, [str(row) for row in range(len(images))])


def _read_npy(path: Path, _: str | None) -> NDArray:
    """Return the array of a file, which stays on disk."""
    images = _try(path, lambda: np.load(path, mmap_mode="r", allow_pickle=False))
    if isinstance(images, np.ndarray):
        return images
    images.close()
    raise ValueError(f"{path} is an archive of arrays: name it .npz.")


def _read_npz(path: Path, key: str | None) -> NDArray:
    with path.open("rb") as file:
        archive = _try(path, lambda: np.load(file, allow_pickle=False))
        if isinstance(archive, np.ndarray):  # an .npy of another name
            return archive
        name = _choose(path, archive.files, key)
        images: NDArray = _try(path, lambda: archive[name])
    return images


def _try(path: Path, read: Callable[[], Any]) -> Any:
    """Return what is read; name the file if it cannot be."""
    try:
        return read()
    except (BadZipFile, EOFError, OSError, UnpicklingError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as arrays: {error}.") from error


def _choose(path: Path, names: list[str], key: str | None) -> str:
    """Return which array of an archive holds the images."""
    wanted = key or (_KEY if len(names) != 1 else names[0])
    if wanted not in names:
        raise ValueError(
            f"{path} holds {', '.join(names) or 'nothing'}, no {wanted!r}: name the "
            "array of the images with --key."
        )
    return wanted


def _read_mrc(path: Path, _: str | None) -> NDArray:
    """Return the stack of a cryo-EM file, which stays on disk."""
    try:
        import mrcfile
    except ImportError as error:
        raise ImportError(
            f"{path} needs the package mrcfile: pip install mrcfile."
        ) from error
    try:
        with mrcfile.mmap(path, mode="r") as file:
            images: Any = np.asarray(file.data)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as an MRC file: {error}.") from error
    return images[None] if images.ndim == 2 else images


_READERS: dict[str, Callable[[Path, str | None], NDArray]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".mrc": _read_mrc,
    ".mrcs": _read_mrc,
}
