"""Reading of .npz archives that hold images, labels and class names."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

DATA_VARIABLE = "INVARIANT_CLUSTER_DATA"
SUBSETS: Mapping[str | None, tuple[str, ...]] = {
    "train": ("train_",),
    "test": ("test_",),
    "all": ("train_", "test_"),
    None: ("",),
}
_READ_ERRORS = (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error)


def find_archive(
    data_home: str | os.PathLike[str] | None, name: str, how_to_get: str
) -> Path:
    """Return the path of a data file.

    Parameters
    ----------
    data_home : path-like or None
        Folder that holds the file; None takes the environment variable
        ``INVARIANT_CLUSTER_DATA``.
    name : str
        Name of the file.
    how_to_get : str
        Sentence on how to get the file, for the error message.

    Returns
    -------
    Path
        Path of the existing file.

    Raises
    ------
    FileNotFoundError
        If no folder is given or the folder lacks the file; the message names the path
        that was tried and how to get the file.
    """
    folder = data_home or os.environ.get(DATA_VARIABLE)
    if not folder:
        raise FileNotFoundError(
            f"{name} cannot be located: data_home is None and the environment variable "
            f"{DATA_VARIABLE} is not set. Set either to the folder that holds {name}. "
            f"{how_to_get}"
        )
    path = Path(folder).expanduser() / name
    if not path.is_file():
        raise FileNotFoundError(
            f"{name} was not found: looked for {path} (data_home={data_home!r}, "
            f"{DATA_VARIABLE}={os.environ.get(DATA_VARIABLE)!r}). {how_to_get}"
        )
    return path


def read_split(
    path: str | os.PathLike[str], subset: str | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the images, labels and class names of a subset of an archive.

    Parameters
    ----------
    path : path-like
        An .npz archive.
    subset : {"train", "test", "all"} or None
        Part to read; None reads an archive that is not split.

    Returns
    -------
    images : ndarray of shape (n, h, w) or (n, h, w, c), uint8
        Images of the subset; "all" puts the training images first.
    labels : ndarray of shape (n,), integer
        Indices into the class names.
    class_names : ndarray of str
        Name of each class.

    Raises
    ------
    ValueError
        If the file cannot be read or its arrays do not fit together; the message names
        the file and the fault.

    See Also
    --------
    read_arrays : Return arrays of an archive without checks of their content.

    Notes
    -----
    An archive holds ``class_names`` and, under each of the prefixes ``train_`` and
    ``test_`` or without a prefix, ``images`` and ``labels``.
    """
    prefixes = SUBSETS[subset]
    keys = [prefix + kind for prefix in prefixes for kind in ("images", "labels")]
    arrays = read_arrays(path, [*keys, "class_names"])
    images = [arrays[f"{prefix}images"] for prefix in prefixes]
    labels = [arrays[f"{prefix}labels"] for prefix in prefixes]
    for prefix, image_part, label_part in zip(prefixes, images, labels, strict=True):
        check_part(path, prefix, image_part, label_part, len(arrays["class_names"]))
    # A single part needs no copy.
    joined = images[0] if len(images) == 1 else np.concatenate(images)
    return joined, np.concatenate(labels), arrays["class_names"]


def read_arrays(
    path: str | os.PathLike[str], keys: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return arrays of an .npz archive; nothing is unpickled.

    Parameters
    ----------
    path : path-like
        An .npz archive.
    keys : sequence of str
        Names of the arrays to read.

    Returns
    -------
    dict of str to ndarray
        The arrays by name.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not an .npz archive, is truncated or lacks a key; the message
        names the file.

    See Also
    --------
    read_split : Return checked images and labels of an archive.
    """
    try:
        with open(path, "rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("the file holds a single array")
            missing = [key for key in keys if key not in archive.files]
            if missing:
                raise ValueError(f"no {missing[0]!r} among its keys {archive.files}")
            return {key: archive[key] for key in keys}
    except FileNotFoundError:
        raise
    except _READ_ERRORS as error:
        raise ValueError(
            f"{path} is not a readable .npz archive with the keys {list(keys)}: {error}"
            ". Download or create the file again."
        ) from error


def check_part(
    path: str | os.PathLike[str],
    prefix: str,
    images: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
) -> None:
    """Check that the images and labels of a part fit together.

    Parameters
    ----------
    path : path-like
        The archive, for the error message.
    prefix : str
        Prefix of the part's keys, for the error message.
    images : ndarray
        Must be uint8 of shape (n, h, w) or (n, h, w, c), not empty.
    labels : ndarray
        Must be integers of shape (n,), from 0 to n_classes - 1.
    n_classes : int
        Number of classes.

    Raises
    ------
    ValueError
        If they do not fit; the message names the file and the fault.
    """
    shape = images.shape
    _require(
        images.dtype == np.uint8 and images.ndim in (3, 4) and len(images) > 0,
        f"{path}: {prefix}images is {images.dtype} of shape {shape}, expected uint8 "
        "of shape (n, h, w) or (n, h, w, c)",
    )
    _require(
        np.issubdtype(labels.dtype, np.integer) and labels.shape == shape[:1],
        f"{path}: {prefix}labels is {labels.dtype} of shape {labels.shape}, "
        f"expected an integer for each of the {shape[0]} images",
    )
    _require(
        labels.min() >= 0 and labels.max() < n_classes,
        f"{path}: {prefix}labels runs from {labels.min()} to {labels.max()}, but there "
        f"are {n_classes} classes",
    )


def _require(condition: bool, message: str) -> None:
    """Raise a ValueError with the message unless the condition holds."""
    if not condition:
        raise ValueError(f"{message}. Download or create the file again.")
