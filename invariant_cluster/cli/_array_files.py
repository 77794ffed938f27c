"""Arrays and tables of wafer maps that are read whole."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import BadZipFile, is_zipfile

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets import fill_images, load_wm811k, warn_of_missing

_KEY = "images"
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


def holds_wafers(path: Path) -> bool:
    """Return whether a file is a pickled table, or the archive of MixedWM38.

    Parameters
    ----------
    path : Path
        A file.

    Returns
    -------
    bool
        Whether ``load_wm811k`` is to read it.

    Raises
    ------
    ValueError
        If the file is an archive that cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix in _PICKLES:
        return True
    if suffix != ".npz" or not is_zipfile(path):
        return False
    with np.load(path, allow_pickle=False) as archive:
        if sorted(archive.files) != ["arr_0", "arr_1"]:
            return False
        shape: tuple[int, ...] = _try(path, lambda: archive["arr_1"]).shape
    return shape[1:] == (_N_DEFECTS,)


def read_wafers(path: Path, size: int) -> NDArray:
    """Return 1 for each failing die of all wafer maps, 0 elsewhere.

    Parameters
    ----------
    path : Path
        A pickled table of wafer maps, or the archive of MixedWM38.
    size : int
        Side of the maps in pixels.

    Returns
    -------
    ndarray of shape (n, size, size), uint8
        The maps.

    Raises
    ------
    ValueError
        If the file holds no wafer maps.
    """
    bunch = load_wm811k(
        path, subset="all", size=size, fail_map=True, keep_unlabeled=True
    )
    images: NDArray = bunch.images
    return images


def read_npz(path: Path, key: str | None) -> NDArray:
    """Return one array of an .npz file.

    Parameters
    ----------
    path : Path
        The file.
    key : str or None
        Name of the array; by default "images", or the only array.

    Returns
    -------
    ndarray of shape (n, h, w), (n, h, w, c) or (n, n_values)
        Images or flat rows, real numbers; NaN and infinity are background.

    Raises
    ------
    ValueError
        If the file cannot be read, lacks the array, or it holds no images.

    Warns
    -----
    UserWarning
        If pixels are NaN or infinite.
    """
    with path.open("rb") as file:
        archive = _try(path, lambda: np.load(file, allow_pickle=False))
        if isinstance(archive, np.ndarray):  # an .npy file named .npz
            return _without_missing(path, _check_array(path, archive))
        name = _choose(path, archive.files, key)
        images: NDArray = _try(path, lambda: archive[name])
    return _without_missing(path, _check_array(path, images))


def _without_missing(path: Path, images: NDArray) -> NDArray:
    """Return images with background instead of NaN, and warn of it."""
    filled = fill_images(images, path.name)
    warn_of_missing(path.name, filled, len(images))
    return filled.images


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
