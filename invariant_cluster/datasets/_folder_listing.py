"""Which files of a folder are images."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from invariant_cluster.datasets._object_masks import MaskedFile
from invariant_cluster.readers import is_image_name

_SYSTEM_NAMES = frozenset({"thumbs.db", "desktop.ini", "icon\r", "__macosx"})
_RUN = frozenset({"model.safetensors", "labels.csv", "report.html"})


class Masks(NamedTuple):
    """The masks of images.

    Attributes
    ----------
    files : list of tuple of str
        Paths of the files that may be the mask of each image: one, unless something is
        wrong.
    where : str
        Where a mask lies, for messages.
    """

    files: list[tuple[str, ...]]
    where: str


class Listing(NamedTuple):
    """The image files of a folder.

    Attributes
    ----------
    folder : str
        The folder.
    names : list of str
        Paths of the files in the folder, in the order of their parts.
    paths : list of str
        Paths of the files.
    runs : list of str
        Folders in it that hold a model, its table and its report, and are left out.
    masks : Masks or None
        Masks of the images, which are not among the files then.
    """

    folder: str
    names: list[str]
    paths: list[str]
    runs: list[str]
    masks: Masks | None = None

    @property
    def files(self) -> Sequence[str | MaskedFile]:
        """The files to read: their paths or, with masks, path-like objects."""
        if self.masks is None:
            return self.paths
        pairs = zip(self.paths, self.masks.files, strict=True)
        return [MaskedFile(path, files, self.masks.where) for path, files in pairs]

    def take(self, rows: Sequence[int]) -> Listing:
        """Return a listing of some of the files, in the order of their numbers."""
        masks = self.masks
        if masks is not None:
            masks = masks._replace(files=[masks.files[row] for row in rows])
        return self._replace(
            names=[self.names[row] for row in rows],
            paths=[self.paths[row] for row in rows],
            masks=masks,
        )


def list_images(
    path: str | os.PathLike[str], exclude: Iterable[str | os.PathLike[str]] = ()
) -> Listing:
    """Return the files of a folder and its sub-folders that may be images.

    Parameters
    ----------
    path : path-like
        The folder.
    exclude : iterable of path-like, default=()
        Files and folders that are left out.

    Returns
    -------
    Listing
        The files. Hidden files, those of operating systems and those whose suffix says
        that they are no images are left out, and so are folders of earlier runs.

    Raises
    ------
    FileNotFoundError
        If the path is not a folder.
    ValueError
        If no image file is in it.
    """
    folder = os.path.expanduser(os.fspath(path))
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"path={folder!r} is not a folder: give the folder that holds the images "
            "or the class folders."
        )
    left_out = frozenset(place for one in exclude for place in _places(one))
    runs: list[str] = []
    names = list(_walk(folder, "", (os.path.realpath(folder),), left_out, runs))
    if not names:
        raise ValueError(
            f"path={folder!r} holds no image files: give a folder of images. Hidden "
            "files, tables, texts and folders of earlier runs are no images."
        )
    start = os.path.join(folder, "")
    return Listing(folder, names, [start + name for name in names], runs)


def check_exclude(exclude: Iterable[str | os.PathLike[str]]) -> None:
    """Raise a TypeError if what is left out is no list: a text is one of letters.

    Parameters
    ----------
    exclude : iterable of path-like
        As for :func:`list_images`.

    Raises
    ------
    TypeError
        If it is a single path.
    """
    if isinstance(exclude, str | bytes | os.PathLike):
        raise TypeError(
            f"exclude={exclude!r} is a single path: give a list of paths, "
            f"exclude=[{os.fspath(exclude)!r}]."
        )


def _places(path: str | os.PathLike[str]) -> tuple[str, str]:
    """Return where a path lies, and where the link leads if it is one."""
    given = os.path.abspath(os.path.expanduser(os.fspath(path)))
    above, name = os.path.split(given)
    return os.path.join(os.path.realpath(above), name), os.path.realpath(given)


def _walk(
    folder: str,
    below: str,
    trail: tuple[str, ...],
    left_out: frozenset[str],
    runs: list[str],
) -> Iterator[str]:
    """Yield the names of images under a folder, and note the runs in it.

    ``trail`` holds the real paths of the folder and those above it: a link to one of
    them would never end.
    """
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    if below and _RUN.issubset(entry.name for entry in entries):
        runs.append(below.rstrip(os.sep))
        return
    for entry in entries:
        if _is_hidden(entry.name):
            continue
        if left_out and os.path.join(trail[-1], entry.name) in left_out:
            continue
        if _is_folder(entry):
            real = os.path.realpath(entry.path)
            if real not in trail and real not in left_out:
                inside = below + entry.name + os.sep
                yield from _walk(entry.path, inside, (*trail, real), left_out, runs)
        elif _may_be_image(entry):
            yield below + entry.name


def _is_hidden(name: str) -> bool:
    """Return whether a name starts with a dot or is that of a system or a run."""
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES or name in _RUN


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder or a link to one.

    Only links are looked up, and os.path says False of those that lead to themselves,
    where the entry raises.
    """
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def _may_be_image(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a file, or a broken link, that may be an image."""
    if is_image_name(entry.name) is False:
        return False
    if not entry.is_symlink():
        return entry.is_file()
    return os.path.isfile(entry.path) or not os.path.exists(entry.path)


def draw_files(
    listing: Listing, most: int | None, random_state: int | np.random.RandomState | None
) -> Listing:
    """Return a listing of at most some files, drawn at random, in their order.

    Parameters
    ----------
    listing : Listing
        The files.
    most : int or None
        Most files; None for all.
    random_state : int, RandomState or None
        Seed of the draw.

    Returns
    -------
    Listing
        The files drawn, or the listing itself if there are no more.
    """
    n_files = len(listing.names)
    if most is None or n_files <= most:
        return listing
    drawn = check_random_state(random_state).choice(n_files, most, replace=False)
    return listing.take(np.sort(drawn).tolist())


def class_of(name: str) -> str | None:
    """Return the class folder of a file.

    Parameters
    ----------
    name : str
        Path of the file in the folder.

    Returns
    -------
    str or None
        First part of the path; None for a file that lies in the folder itself.
    """
    first, _, below = name.partition(os.sep)
    return first if below else None
