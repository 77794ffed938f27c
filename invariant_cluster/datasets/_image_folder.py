"""Images from a folder of image files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from functools import partial
from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar

from invariant_cluster.datasets._arguments import check_option
from invariant_cluster.datasets._bunch import Dataset
from invariant_cluster.datasets._folder_bunch import bunch_of_folder
from invariant_cluster.datasets._folder_images import FolderImages, read_folder
from invariant_cluster.datasets._folder_listing import (
    Listing,
    check_exclude,
    draw_files,
    list_images,
)
from invariant_cluster.datasets._folder_records import (
    check_alike,
    describe_bad,
    warn_of_notes,
)
from invariant_cluster.datasets._mask_pairs import pair_masks
from invariant_cluster.datasets._masks import MaskLike
from invariant_cluster.datasets._palette import PaletteLike
from invariant_cluster.datasets._parallel_files import files_at_a_time, map_files
from invariant_cluster.datasets._reading import Reading, choose_reading


def load_image_folder(
    path: str | os.PathLike[str],
    *,
    size: int = 64,
    color: str = "auto",
    transparent: str = "auto",
    crop: tuple[int, int, int, int] | None = None,
    mask: MaskLike = None,
    masks: str | os.PathLike[str] | None = None,
    invert_masks: bool = False,
    keep_scale: bool = False,
    mixed_depth: str = "raise",
    palette: PaletteLike = None,
    reading: Reading | None = None,
    exclude: Iterable[str | os.PathLike[str]] = (),
    on_error: str = "raise",
    max_images: int | None = None,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    cache: str | os.PathLike[str] | None = None,
    return_X_y: bool = False,
) -> Dataset:
    """Return the images of a folder of class folders, resized to one size.

    In ``path/class_a/*.png``, ``path/class_b/*.png``, ... each folder in ``path`` is a
    class; images in its subfolders belong to it as well. A folder without class folders
    is read as images without classes, and so is one in which images lie beside them.
    Hidden files and folders, those of operating systems (``Thumbs.db``,
    ``desktop.ini``, ``__MACOSX``), tables and texts, and folders of earlier runs of the
    command line are skipped; every other file must be an image. Reading needs Pillow.

    Parameters
    ----------
    path : path-like
        Folder that holds the class folders or the images.
    size : int, default=64
        Side of the returned images in pixels, at least 8.
    color : {"auto", "grey", "rgb"}, default="auto"
        "auto" keeps the colours of the files, which must then be all grey or all RGB.
        "grey" and "rgb" convert the others; grey is 0.299 R + 0.587 G + 0.114 B.
    transparent : {"auto", "black", "white"}, default="auto"
        Ground on which transparent pixels are put. "auto" is the one that differs more
        from the opaque pixels, chosen once for all files.
    crop : (top, right, bottom, left), optional
        Pixels cut off at the sides of each file.
    mask : path-like or array-like of shape (h, w), optional
        Region replaced by the background of each image, such as a scale bar: True or
        not zero inside; or an image file of it. All files must have its shape. It is
        applied before ``crop``.
    masks : "auto", str or path-like, optional
        Masks of the single images: **what is not 0 is the object**, and each pixel
        where the mask is 0 becomes the background of its image. This is the opposite of
        ``mask``. A suffix, which begins with ``_``, ``-`` or a dot, finds them beside
        the images (``galaxy.png`` and ``galaxy_mask.png`` with "_mask"); a folder, in
        ``path``, beside it or from the working directory, under the names of the
        images, in the same class folders. "auto" looks for the suffix "_mask" and for a
        folder "masks" in ``path`` or beside it. Endings may differ. Masks are not read
        as images, and are applied before ``crop``.
    invert_masks : bool, default=False
        Whether the object is where ``masks`` are 0.
    keep_scale : bool, default=False
        Whether a pixel means the same in all images. Each image is put into a frame as
        large as the largest side in the folder, instead of one as large as its own.
        All files are then read twice.
    mixed_depth : {"raise", "widen", "scale"}, default="raise"
        What is done with files of different dtypes. "raise" is an error; "widen" keeps
        the values in a dtype that holds all; "scale" maps the full range of each
        integer type to that of the widest.
    palette : "auto" or mapping of str to str, optional
        Reads wafer maps as maps of failing dies: 1 for a die that fails, 0 elsewhere. A
        mapping gives the meaning of each colour, "outside", "pass", "fail" or
        "ignored", such as ``{"white": "outside", "green": "pass", "#d00000": "fail"}``.
        "auto" finds it on the set of files; images that are no wafer maps are kept as
        they are, with a warning. The box of the disc is stretched to the square.
    reading : Reading, optional
        ``reading`` of a folder loaded before, to read another one in the same way: with
        its scale, its ground of transparent pixels, its palette and its dtype. It
        replaces the ten parameters above.
    exclude : iterable of path-like, default=()
        Files and folders that are left out.
    on_error : {"raise", "skip"}, default="raise"
        "raise" reads all files and names those that cannot be read in one error; "skip"
        leaves them out.
    max_images : int, optional
        Most files to read, at least 1: of more, as many are drawn at random.
    random_state : int, RandomState or None, default=None
        Seed of the draw.
    n_jobs : int, optional
        Number of files that are read at a time; None is 1 unless
        ``joblib.parallel_config`` says otherwise, and -1 is one per processor. Many
        files are read by processes, few by threads.
    verbose : int, default=0
        Whether to show a progress bar.
    cache : path-like, optional
        Folder in which the decoded images are kept. Of files that have the size and
        time that they had before, the images are taken from there; those that could not
        be read are tried again.
    return_X_y : bool, default=False
        Whether to return (images, target) instead of a Bunch.

    Returns
    -------
    Bunch or (images, target)
        ``images`` (n, size, size) or (n, size, size, c) in the dtype of the files,
        ``target`` (n,) int64 or None without class folders, ``target_names`` in
        alphabetical order, ``filenames`` (n,), ``sizes`` (n, 2) int64 with the height
        and width of each file in pixels after cropping, ``skipped`` (a DataFrame of
        file and reason), ``n_files`` in the folder, ``reading`` and ``DESCR``. Rows are
        in the order of the class folders, then of the file names.

    Raises
    ------
    FileNotFoundError
        If path is not a folder.
    ImportError
        If Pillow is not installed.
    TypeError
        If a parameter has the wrong type.
    ValueError
        If a parameter is not allowed, there are no images, files cannot be read (the
        message counts them and names 20), the images differ in colour or depth, a file
        has another shape than ``mask``, or no masks are found. Images without a mask,
        and those whose mask has another size or marks nothing, cannot be read.

    Warns
    -----
    UserWarning
        Once for each kind of change that reading made, with the number of files;
        if no palette is found; if files are named like masks of others and ``masks`` is
        None; if folders of earlier runs are left out; if classes are
        ignored since images lie beside the class folders; and if the cache cannot be
        written.

    See Also
    --------
    open_images : Read the files when they are needed.
    make_oriented : Rotate and shift images at random.

    Notes
    -----
    Each image is padded to a square with the median of its own border pixels, for each
    channel, and then resized with an antialiased bicubic kernel and clipped to its own
    range. An image that has the size keeps its values. The dtype is that of the files
    (uint8, int16, uint16, float32, ...) whatever their values are: nothing is reduced
    to 8 bits.
    """
    check_option("on_error", on_error, ("raise", "skip"))
    reading = choose_reading(
        reading,
        size=size,
        color=color,
        transparent=transparent,
        crop=crop,
        mask=mask,
        masks=masks,
        invert_masks=invert_masks,
        keep_scale=keep_scale,
        mixed_depth=mixed_depth,
        palette=palette,
    )
    if max_images is not None:
        check_scalar(max_images, "max_images", Integral, min_val=1)
    check_exclude(exclude)
    left_out = [*exclude, *([] if cache is None else [cache])]
    listing, reading = pair_masks(list_images(path, left_out), reading, left_out)
    n_files = len(listing.names)
    listing = draw_files(listing, max_images, random_state)
    most = files_at_a_time(reading.size)
    apply = partial(map_files, n_jobs=n_jobs, verbose=verbose, most=most)
    found = read_folder(listing, reading, apply, cache)
    _check_found(listing, found, on_error)
    _warn(listing, found)
    return bunch_of_folder(listing, found, n_files, return_X_y)


def _check_found(listing: Listing, found: FolderImages, on_error: str) -> None:
    """Raise a ValueError if files are bad or of different kinds."""
    bad = [record.reason is not None for record in found.records]
    if all(bad) or (any(bad) and on_error == "raise"):
        known = listing.folder, listing.names, found.records
        raise ValueError(describe_bad(*known, can_skip=not all(bad)))
    check_alike(listing.folder, listing.names, found.records, found.reading.mixed_depth)


def _warn(listing: Listing, found: FolderImages) -> None:
    """Warn of what was changed and left out; the caller's caller is blamed."""
    warn_of_notes(listing.names, found.records, stacklevel=3)
    if listing.runs:
        warnings.warn(
            f"Folders of earlier runs were left out ({len(listing.runs)}, such as "
            f"{listing.runs[0]}): they hold a model, labels.csv and report.html.",
            UserWarning,
            stacklevel=3,
        )
