"""Images from a folder of class folders."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np

from invariant_cluster.datasets._arguments import check_option, check_side
from invariant_cluster.datasets._bunch import Dataset, make_bunch
from invariant_cluster.datasets._framing import embed_in_frame, frame_background
from invariant_cluster.datasets._resizing import resize_smoothly
from invariant_cluster.datasets._stored_images import Source
from invariant_cluster.readers import read_image

COLORS = ("auto", "grey", "rgb")
_SYSTEM_FILES = ("thumbs.db", "desktop.ini")
_DESCR = """Images of {path}
==========

{n} images{classes}. Each image was padded to a square with the median of its own border
pixels and resized to {size}x{size} (bicubic, antialiased, clipped to its own range).
"""


def load_image_folder(
    path: str | os.PathLike[str],
    *,
    size: int = 64,
    color: str = "auto",
    return_X_y: bool = False,
) -> Dataset:
    """Return the images of a folder of class folders, resized to one size.

    In ``path/class_a/*.png``, ``path/class_b/*.png``, ... each folder in ``path`` is a
    class; images in its subfolders belong to it as well. A folder without class folders
    is read as images without classes. Names that start with a dot, ``Thumbs.db`` and
    ``desktop.ini`` are skipped; every other file must be an image. Reading needs
    Pillow.

    Parameters
    ----------
    path : path-like
        Folder that holds the class folders or the images.
    size : int, default=64
        Side of the returned images in pixels, at least 8.
    color : {"auto", "grey", "rgb"}, default="auto"
        "auto" keeps the colours of the files, which must then be all grey or all RGB.
        "grey" and "rgb" convert the others; grey is 0.299 R + 0.587 G + 0.114 B.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (n, size, size) or (n, size, size, 3) of uint8, uint16 or float32,
        ``target`` (n,) int64 or None without class folders, ``target_names`` in
        alphabetical order, ``filenames`` (n,) and ``DESCR``. Rows are in the order of
        the class folders, then of the file names.

    Raises
    ------
    FileNotFoundError
        If path is not a folder.
    ImportError
        If Pillow is not installed.
    ValueError
        If there are no images, a class folder is empty, a file cannot be read without
        loss (the message names it), or the images differ in colour or depth.

    See Also
    --------
    make_oriented : Rotate and shift images at random.

    Notes
    -----
    Each image is padded to a square with the median of its own border pixels, for each
    channel, and then resized with an antialiased bicubic kernel and clipped to its own
    range. Palettes become RGB and transparent pixels white. Files of 8 bits stay uint8,
    of 16 bits uint16 and of floats float32: nothing is reduced to 8 bits.
    """
    size = check_side("size", size)
    check_option("color", color, COLORS)
    folder = Path(path).expanduser()
    names, files = _list_files(folder)
    paths = [file for part in files for file in part]
    images = _load_images(paths, size, color)
    target = np.repeat(np.arange(len(files)), [len(part) for part in files])
    classes = f" of {len(names)} classes" if names else ", without classes"
    descr = _DESCR.format(path=folder, n=len(paths), classes=classes, size=size)
    return make_bunch(
        images,
        target if names else None,
        np.array(names, dtype=str),
        descr,
        return_X_y=return_X_y,
        filenames=np.array([str(file) for file in paths]),
    )


def _list_files(folder: Path) -> tuple[list[str], list[list[Path]]]:
    """Return the class names and the files of each class, both sorted.

    Without class folders there are no names and one list of files.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"path={str(folder)!r} is not a folder: give the folder that holds the "
            "images or the class folders."
        )
    entries = sorted(entry for entry in folder.iterdir() if not _is_hidden(entry))
    classes = [entry for entry in entries if entry.is_dir()]
    loose = [entry for entry in entries if not entry.is_dir()]
    if not entries:
        raise ValueError(f"path={str(folder)!r} is empty: give a folder of images.")
    if not classes:
        return [], [loose]
    if loose:
        raise ValueError(
            f"path={str(folder)!r} holds class folders and also the file {loose[0]}: "
            "move the file into a class folder or out of this folder."
        )
    files = [_list_class(entry) for entry in classes]
    return [entry.name for entry in classes], files


def _list_class(folder: Path) -> list[Path]:
    """Return the files of a class folder and its subfolders, sorted."""
    files = [
        entry
        for entry in sorted(folder.rglob("*"))
        if entry.is_file() and not _is_hidden_below(entry, folder)
    ]
    if not files:
        raise ValueError(f"{folder} holds no images: fill or remove the class folder.")
    return files


def _is_hidden(entry: Path) -> bool:
    """Return whether a name starts with a dot or belongs to the operating system."""
    return entry.name.startswith(".") or entry.name.lower() in _SYSTEM_FILES


def _is_hidden_below(entry: Path, folder: Path) -> bool:
    """Return whether an entry or a folder between it and the class folder is hidden."""
    parents = entry.relative_to(folder).parents
    return _is_hidden(entry) or any(parent.name.startswith(".") for parent in parents)


def open_folder(path: Path, size: int, color: str) -> Source:
    """Return a folder's images, each of which is read when it is taken.

    Parameters
    ----------
    path : Path
        Folder of class folders or of images.
    size : int
        Side of the images in pixels.
    color : {"auto", "grey", "rgb"}
        Colours to which the files are converted; "auto" keeps those of the first.

    Returns
    -------
    Source
        The images, named by their paths in the folder and equal to those of
        :func:`load_image_folder`.

    Raises
    ------
    ImportError, FileNotFoundError, ValueError
        As :func:`load_image_folder`; errors of files after the first are raised when
        they are read.
    """
    paths = [file for part in _list_files(path)[1] for file in part]
    first = _make_square(read_image(paths[0], color=color).pixels, size)

    def read(start: int, stop: int) -> np.ndarray:
        images = np.empty((stop - start, *first.shape), dtype=first.dtype)
        for image, file in zip(images, paths[start:stop], strict=True):
            square = _make_square(read_image(file, color=color).pixels, size)
            _check_same_kind([paths[0], file], [first, square])
            image[:] = square
        return images

    names = [str(file.relative_to(path)) for file in paths]
    return Source((len(paths), *first.shape), first.dtype, read, names=names)


def _load_images(paths: list[Path], size: int, color: str) -> np.ndarray:
    """Return all images as one array, (n, size, size) or (n, size, size, 3)."""
    # The images differ in size, so they fit one array only after resizing.
    images = [
        _make_square(read_image(path, color=color).pixels, size) for path in paths
    ]
    _check_same_kind(paths, images)
    return np.stack(images)


def _make_square(image: np.ndarray, size: int) -> np.ndarray:
    """Pad an image (h, w[, c]) to a square and resize it to size x size."""
    batch = image[None]
    side = max(image.shape[:2])
    square = embed_in_frame(batch, (side, side), frame_background(batch))
    return resize_smoothly(square, size)[0]


def _check_same_kind(paths: list[Path], images: list[np.ndarray]) -> None:
    """Raise a ValueError if the images differ in channels or depth."""
    kinds = [
        f"{'grey' if image.ndim == 2 else 'RGB'} {image.dtype}" for image in images
    ]
    counts = Counter(kinds)
    if len(counts) > 1:
        found = ", ".join(
            f"{kind} ({counts[kind]}, such as {paths[kinds.index(kind)]})"
            for kind in sorted(counts)
        )
        raise ValueError(
            f"The images differ in colour or depth: {found}. Use color='grey' or "
            "color='rgb' to convert colours; convert different depths before loading."
        )
