"""Images of all the kinds of files that the command line takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets import load_image_folder, load_wm811k

_KEY = "images"


class NamedImages(NamedTuple):
    """Images (n, h, w[, c]) and what each is called: its file, or its row."""

    images: NDArray
    names: list[str]


def read_images(path: Path, *, size: int, key: str | None = None) -> NamedImages:
    """Return the images of a folder or a file.

    Parameters
    ----------
    path : Path
        A folder of images; .npy, .npz, .mrc or .mrcs; LSWMD.pkl.
    size : int
        Side of the images, where files differ in theirs: a folder and LSWMD.pkl.
    key : str, optional
        Of the array in an .npz file; by default "images", or the only one.

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
        return _read_folder(path, size)
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
    return _number(_READERS[suffix](path, key))


def _read_folder(path: Path, size: int) -> NamedImages:
    bunch = load_image_folder(path, size=size)
    names = [str(Path(name).relative_to(path)) for name in bunch.filenames]
    return NamedImages(bunch.images, names)


def _number(images: NDArray) -> NamedImages:
    return NamedImages(images, [str(row) for row in range(len(images))])


def _read_npy(path: Path, _: str | None) -> NDArray:
    """Return the array of a file, which stays on disk."""
    try:
        images: NDArray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} cannot be read as an array: {error}.") from error
    return images


def _read_npz(path: Path, key: str | None) -> NDArray:
    try:
        with np.load(path, allow_pickle=False) as archive:
            images: NDArray = archive[_choose(path, archive.files, key)]
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path} cannot be read as arrays: {error}") from error
    return images


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
