"""Reading of the image files that the command line accepts."""

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


def read_images(
    path: Path, *, size: int, key: str | None = None, color: str = "auto"
) -> NamedImages:
    """Return the images of a folder or a file.

    Parameters
    ----------
    path : Path
        Folder of images; file .npy, .npz, .mrc or .mrcs; or LSWMD.pkl.
    size : int
        Side in pixels to which the images of a folder and of LSWMD.pkl are resized.
        Arrays and stacks keep their size.
    key : str, optional
        Name of the array in an .npz file. By default "images", or the only array.
    color : {"auto", "grey", "rgb"}, default="auto"
        Colours to which the files of a folder are converted; "auto" keeps them.

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
    share_outside : Compare the values with a model's intensity range.
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
            f"{path} is of an unknown kind: give a folder of images, "
            f"{', '.join(_READERS)} or LSWMD.pkl."
        )
    return _number(_check_array(path, _READERS[suffix](path, key)))


def _read_folder(path: Path, size: int, color: str) -> NamedImages:
    """Return the images of a folder, named by their paths in it."""
    bunch = load_image_folder(path, size=size, color=color)
    names = [str(Path(name).relative_to(path)) for name in bunch.filenames]
    # Names that are not valid text on this system could not be written.
    shown = [os.fsencode(name).decode("utf-8", "replace") for name in names]
    return NamedImages(bunch.images, shown)


def _check_array(path: Path, images: Any) -> NDArray:
    """Return the array if it has the dimensions of images or flat rows."""
    if not isinstance(images, np.ndarray) or images.ndim not in (2, 3, 4):
        found = getattr(images, "shape", type(images).__name__)
        raise ValueError(
            f"{path} holds {found}, not images: give an array of shape (n, h, w) or "
            "(n, h, w, c)."
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


def _read_npy(path: Path, _: str | None) -> NDArray:
    """Return the array of an .npy file, memory-mapped."""
    images = _try(path, lambda: np.load(path, mmap_mode="r", allow_pickle=False))
    if isinstance(images, np.ndarray):
        return images
    images.close()
    raise ValueError(f"{path} is an archive of arrays: rename it to .npz.")


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
    except (BadZipFile, EOFError, OSError, UnpicklingError, ValueError) as error:
        raise ValueError(
            f"{path} cannot be read as arrays: {error}. Give an intact .npy or .npz "
            "file."
        ) from error


def _choose(path: Path, names: list[str], key: str | None) -> str:
    """Return the name of the array that holds the images."""
    wanted = key or (_KEY if len(names) != 1 else names[0])
    if wanted not in names:
        raise ValueError(
            f"{path} holds {', '.join(names) or 'nothing'}, but not {wanted!r}: name "
            "the array of images with --key."
        )
    return wanted


def _read_mrc(path: Path, _: str | None) -> NDArray:
    """Return the stack of a cryo-EM file, memory-mapped."""
    try:
        import mrcfile
    except ImportError as error:
        raise ImportError(
            f"{path} needs mrcfile, which is not installed: pip install mrcfile."
        ) from error
    try:
        with mrcfile.mmap(path, mode="r") as file:
            images: Any = np.asarray(file.data)
    except ValueError as error:
        raise ValueError(
            f"{path} cannot be read as an MRC file: {error}. Give an intact .mrc or "
            ".mrcs file."
        ) from error
    return images[None] if images.ndim == 2 else images


_READERS: dict[str, Callable[[Path, str | None], NDArray]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".mrc": _read_mrc,
    ".mrcs": _read_mrc,
}
