"""Archives of labelled images in a folder of the user's: what each should hold."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np

from invariant_cluster.datasets._archives import find_archive, read_split
from invariant_cluster.datasets._arguments import check_option
from invariant_cluster.datasets._bunch import Dataset, make_bunch

_FORM = (
    "{file} is an .npz archive with train_images (n, h, w{axes}) uint8, train_labels "
    "(n,), test_images, test_labels and class_names; numpy.savez_compressed writes it."
)
_DESCR = """{title}
{underline}

{n} images of {height}x{width} pixels, part "{subset}" of {file}.

{about}

{terms}
"""


class LabelledArchive(NamedTuple):
    """What an archive of labelled images should hold, and what is to be said of it.

    Attributes
    ----------
    file : str
        Name of the file.
    title : str
        Title of the data set.
    about : str
        What the images show.
    source : str
        Sentence on where the images come from.
    terms : str
        What to cite, and what the licence permits.
    is_color : bool
        Whether images are (h, w, 3) instead of (h, w).
    class_names : tuple of str or None
        Names of the classes in their order; None accepts any.
    """

    file: str
    title: str
    about: str
    source: str
    terms: str
    is_color: bool = False
    class_names: tuple[str, ...] | None = None


def load_labelled(
    archive: LabelledArchive,
    *,
    data_home: str | os.PathLike[str] | None,
    subset: str,
    return_X_y: bool,
) -> Dataset:
    """Return a subset of an archive as a Bunch, or (images, target).

    Parameters
    ----------
    archive : LabelledArchive
        The archive.
    data_home : path-like or None
        Folder that holds the file; None takes the environment variable
        ``INVARIANT_CLUSTER_DATA``.
    subset : {"train", "test", "all"}
        Part to load.
    return_X_y : bool
        Whether to return only (images, target).

    Returns
    -------
    Bunch or (images, target)
        The data set, as :func:`make_bunch` returns it.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`read_labelled`.

    See Also
    --------
    read_labelled : Return the arrays.
    """
    images, target, names = read_labelled(archive, data_home, subset)
    descr = describe(archive, subset, images)
    return make_bunch(images, target, names, descr, return_X_y=return_X_y)


def read_labelled(
    archive: LabelledArchive,
    data_home: str | os.PathLike[str] | None,
    subset: str,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the images, labels and class names of a subset of an archive.

    Parameters
    ----------
    archive : LabelledArchive
        The archive.
    data_home : path-like or None
        Folder that holds the file; None takes the environment variable
        ``INVARIANT_CLUSTER_DATA``.
    subset : {"train", "test", "all"}
        Part to read; "all" puts the training images first.

    Returns
    -------
    images : ndarray of shape (n, h, w) or (n, h, w, 3), uint8
        Images of the subset.
    labels : ndarray of shape (n,), integer
        Indices into the class names.
    class_names : ndarray of str
        Name of each class.

    Raises
    ------
    FileNotFoundError
        If the folder lacks the file; the message names the path that was tried and the
        form of the file.
    ValueError
        If ``subset`` is unknown, or the file is truncated or holds other data.

    See Also
    --------
    load_labelled : Return a Bunch.
    """
    check_option("subset", subset, ("train", "test", "all"))
    form = _FORM.format(file=archive.file, axes=", 3" if archive.is_color else "")
    path = find_archive(data_home, archive.file, f"{archive.source} {form}")
    images, labels, names = read_split(path, subset)
    expected = archive.class_names
    if images.shape[3:] != ((3,) if archive.is_color else ()):
        raise ValueError(f"{path} holds images of shape {images.shape}. {form}")
    if expected is not None and tuple(names.tolist()) != expected:
        raise ValueError(
            f"{path} holds the classes {names.tolist()} instead of {list(expected)}: "
            f"give the archive of {archive.title}, or read your own with numpy.load."
        )
    return images, labels, names


def describe(archive: LabelledArchive, subset: str, images: np.ndarray) -> str:
    """Return the description of a subset, with what to cite.

    Parameters
    ----------
    archive : LabelledArchive
        The archive.
    subset : str
        Name of the part.
    images : ndarray of shape (n, h, w) or (n, h, w, 3)
        Its images.

    Returns
    -------
    str
        Title, content and terms.
    """
    n, height, width = images.shape[:3]
    return _DESCR.format(
        underline="=" * len(archive.title),
        n=n,
        height=height,
        width=width,
        subset=subset,
        **archive._asdict(),
    )
