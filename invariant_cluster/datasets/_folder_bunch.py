"""What a user gets of a folder that was read."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import compress

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invariant_cluster.datasets._bunch import Dataset, make_bunch
from invariant_cluster.datasets._folder_images import FolderImages
from invariant_cluster.datasets._folder_listing import Listing, class_of
from invariant_cluster.datasets._folder_records import show_name
from invariant_cluster.datasets._palette import describe_palette
from invariant_cluster.datasets._reading import Reading

_DESCR = """Images of {path}
==========

{n} images{classes}. {how}
"""
_RESIZED = (
    "Each image was padded to a square{frame} with the median of its own\nborder "
    "pixels and resized to {size}x{size} (bicubic, antialiased, clipped to its "
    "own\nrange)."
)
_FAILS = (
    "Wafer maps in the colours {colors}\nwere read as 1 for a failing die and 0 "
    "elsewhere, {size}x{size}."
)


def bunch_of_folder(
    listing: Listing, found: FolderImages, n_files: int, return_X_y: bool
) -> Dataset:
    """Return the Bunch of the files that were read.

    Parameters
    ----------
    listing : Listing
        The files of the folder.
    found : FolderImages
        What was read of them, at least one image.
    n_files : int
        Number of files of the folder, of which some may have been drawn.
    return_X_y : bool
        Whether to return (images, target) instead.

    Returns
    -------
    Bunch or (images, target)
        As :func:`load_image_folder` returns it.

    Warns
    -----
    UserWarning
        If images lie beside the class folders; the caller's caller is blamed.
    """
    assert found.images is not None
    read = [one.reason is None for one in found.records]
    names = list(compress(listing.names, read))
    target, classes = _classes(names)
    descr = _describe(listing, found.reading, len(names), len(classes))
    sides = [one.sides for one in found.records if one.reason is None]
    return make_bunch(
        found.images,
        target,
        classes,
        descr,
        return_X_y=return_X_y,
        filenames=np.array(list(compress(listing.paths, read))),
        sizes=np.array(sides, dtype=np.int64),
        skipped=_list_skipped(listing, found),
        n_files=n_files,
        reading=found.reading,
    )


def _describe(listing: Listing, reading: Reading, n: int, n_classes: int) -> str:
    """Return what the Bunch says of n images."""
    return _DESCR.format(
        path=listing.folder,
        n=n,
        classes=f" of {n_classes} classes" if n_classes else ", without classes",
        how=_describe_reading(reading),
    )


def _describe_reading(reading: Reading) -> str:
    """Return how files became images."""
    if isinstance(reading.palette, tuple):
        colors = describe_palette(reading.palette)
        return _FAILS.format(colors=colors, size=reading.size)
    frame = "" if reading.frame is None else f" of {reading.frame} pixels"
    return _RESIZED.format(frame=frame, size=reading.size)


def _classes(names: Sequence[str]) -> tuple[NDArray | None, NDArray]:
    """Return the class of each file and the classes' names, from its folder."""
    folders = [class_of(name) for name in names]
    loose = folders.count(None)
    if 0 < loose < len(folders):
        warnings.warn(
            "Images lie beside the class folders, such as "
            f"{show_name(names[folders.index(None)])}: all were read without classes. "
            "Move them into class folders to get classes.",
            UserWarning,
            stacklevel=4,
        )
    if loose:
        return None, np.array([], dtype=str)
    classes, target = np.unique(np.array(folders, dtype=str), return_inverse=True)
    return target, classes


def _list_skipped(listing: Listing, found: FolderImages) -> pd.DataFrame:
    """Return the files that were not read and why."""
    rows = [
        (path, record.reason)
        for path, record in zip(listing.paths, found.records, strict=True)
        if record.reason is not None
    ]
    return pd.DataFrame(rows, columns=["file", "reason"], dtype=object)
