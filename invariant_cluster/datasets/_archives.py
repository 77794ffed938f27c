"""Reading image archives: .npz files of images, labels and class names.

An archive holds ``class_names`` (str) and, under each of the prefixes ``train_`` and
``test_`` or none, ``images`` (uint8, (n, h, w) or (n, h, w, c)) and ``labels``
(int64, (n,), indices into the class names).
"""

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
    """Return the path of a data file in data_home or $INVARIANT_CLUSTER_DATA.

    Raises
    ------
    FileNotFoundError
        Saying where it looked and how to get the file.
    """
    folder = data_home or os.environ.get(DATA_VARIABLE)
    if not folder:
        raise FileNotFoundError(
            f"{name} was not looked for: data_home is None and the environment "
            f"variable {DATA_VARIABLE} is not set. Set one of them to the folder that "
            f"holds {name}. {how_to_get}"
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
    subset : {"train", "test", "all"} or None
        None reads an archive that is not split.

    Returns
    -------
    images : ndarray of shape (n, h, w) or (n, h, w, c), uint8
    labels : ndarray of shape (n,), int64
    class_names : ndarray of str

    Raises
    ------
    ValueError
        Naming the file and what is wrong in it.
    """
    prefixes = SUBSETS[subset]
    keys = [prefix + kind for prefix in prefixes for kind in ("images", "labels")]
    arrays = read_arrays(path, [*keys, "class_names"])
    images = [arrays[f"{prefix}images"] for prefix in prefixes]
    labels = [arrays[f"{prefix}labels"] for prefix in prefixes]
    for prefix, image_part, label_part in zip(prefixes, images, labels, strict=True):
        check_part(path, prefix, image_part, label_part, len(arrays["class_names"]))
    # One part needs no copy.
    joined = images[0] if len(images) == 1 else np.concatenate(images)
    return joined, np.concatenate(labels), arrays["class_names"]


def read_arrays(
    path: str | os.PathLike[str], keys: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file under the keys; nothing is unpickled.

    Raises ValueError, naming the file, if it is no .npz archive, is cut off or has
    no such key.
    """
    try:
        with open(path, "rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("it holds a single array")
            missing = [key for key in keys if key not in archive.files]
            if missing:
                raise ValueError(f"no {missing[0]!r} among its keys {archive.files}")
            return {key: archive[key] for key in keys}
    except FileNotFoundError:
        raise
    except _READ_ERRORS as error:
        raise ValueError(
            f"{path} is no readable .npz archive with the keys {list(keys)}: {error}. "
            "Get or make the file again."
        ) from error


def check_part(
    path: str | os.PathLike[str],
    prefix: str,
    images: np.ndarray,
    labels: np.ndarray,
    n_classes: int,
) -> None:
    """Raise ValueError, naming the file, unless images and labels fit together."""
    shape = images.shape
    _require(
        images.dtype == np.uint8 and images.ndim in (3, 4) and len(images) > 0,
        f"{path}: {prefix}images is {images.dtype} of shape {shape}, it must be uint8 "
        "of shape (n, h, w) or (n, h, w, c)",
    )
    _require(
        np.issubdtype(labels.dtype, np.integer) and labels.shape == shape[:1],
        f"{path}: {prefix}labels is {labels.dtype} of shape {labels.shape}, it must "
        f"hold an integer for each of the {shape[0]} images",
    )
    _require(
        labels.min() >= 0 and labels.max() < n_classes,
        f"{path}: {prefix}labels runs from {labels.min()} to {labels.max()}, but there "
        f"are {n_classes} classes",
    )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(f"{message}. Get or make the file again.")
