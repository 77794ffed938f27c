"""Images of a file or a folder, opened without reading them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from invariant_cluster.datasets._arguments import check_option
from invariant_cluster.datasets._folder_listing import check_exclude
from invariant_cluster.datasets._masks import MaskLike
from invariant_cluster.datasets._open_folder import list_unreadable, open_folder
from invariant_cluster.datasets._open_particles import open_particles
from invariant_cluster.datasets._palette import PaletteLike
from invariant_cluster.datasets._reading import Reading, choose_reading
from invariant_cluster.datasets._stored_images import Source, StoredImages
from invariant_cluster.readers import LISTS, STACKS, holds_particles, is_zarr_store

_DATASET = "images"
_EXTRA = "run 'pip install {0}' or install this package with the extra 'scale'"


def open_images(
    path: str | os.PathLike[str],
    *,
    dataset: str | None = None,
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
    n_jobs: int | None = None,
    verbose: int = 0,
) -> StoredImages:
    """Open images that need not fit in memory.

    Parameters
    ----------
    path : path-like
        Array in a file ``.npy``; array or group of arrays in a file ``.h5`` or
        ``.hdf5``, or in a store ``.zarr``; folder of image files, as in
        :func:`load_image_folder`; or cryo-EM particles: a stack ``.mrc`` or ``.mrcs``,
        a folder that holds stacks at any depth, a list of particles ``.star`` (RELION)
        or ``.cs`` (cryoSPARC), or a list of stacks ``.txt``, one path a line.
    dataset : str, optional
        Name of the array in a group. By default "images", or the only array.
    size : int, default=64
        Side in pixels to which the files of a folder are resized, at least 8. Arrays
        and stacks keep their size.
    color : {"auto", "grey", "rgb"}, default="auto"
        Colours to which the files of a folder are converted. "auto" keeps those of the
        first file; the others must be alike.
    transparent, crop, mask, masks, invert_masks, keep_scale, mixed_depth, palette
        How the files of a folder are read, as in :func:`load_image_folder`. With
        ``keep_scale=True``, and unless ``mixed_depth`` is "raise", all files are read
        once when the folder is opened.
    reading : Reading, optional
        ``reading`` of a folder loaded or opened before, to read another one in the same
        way. It replaces the ten parameters above except ``dataset``.
    exclude : iterable of path-like, default=()
        Files and folders of a folder that are left out.
    on_error : {"raise", "skip"}, default="raise"
        "skip" reads all files of a folder once, and leaves out those that cannot be
        read; ``skipped`` of the result names them.
    n_jobs, verbose
        How the files are read for ``on_error="skip"``, as in
        :func:`load_image_folder`.

    Returns
    -------
    StoredImages
        The images, (n, h, w) or (n, h, w, c): an array-like that reads what is taken of
        it. Particles of a list have the names that it gives them, and those of a folder
        of stacks names such as "000001@job042/mic1.mrcs", relative to it. NaN and
        infinity of an array become the background of their image when it is read.

    Raises
    ------
    FileNotFoundError
        If the path, or a stack that a list names, does not exist.
    ValueError
        If the path is of another kind, is damaged, holds no images, or has several
        arrays none of which is named; in a folder, if the first file is not an image.
        Other files are read later: taking a row of a bad file raises this error. Of
        particles, if a file is a volume, the stacks differ in shape or dtype, or a list
        names an image that its stack has not; taking a particle with NaN raises this
        error, too.
    ImportError
        If h5py, zarr, Pillow, mrcfile or starfile is needed and not installed.

    Warns
    -----
    UserWarning
        When the first rows with NaN or infinity are taken, with their number. If
        headers of MRC files lack the mark "MAP" or a known machine stamp, or fit their
        files badly. They are read all the same.

    See Also
    --------
    sample_images : Take images at random, to fit a model.
    invariant_cluster.out_of_core.predict_shards : Label all images.
    load_image_folder : Read a folder into memory, with its classes.

    Notes
    -----
    Lists name stacks relative to the folder of the project: a stack is looked for in
    the folder of the list and in those above it. Headers of all stacks are read at
    once, images when they are taken; no stack stays open. Poses, classes and contrast
    transfer functions of lists are not read. An ``.mrc`` file of n x n x n values
    whose header does not say "stack of images" is a volume; in ``.mrcs`` files and
    lists it is a stack.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from invariant_cluster.datasets import load_oriented_digits, open_images
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(Path(folder) / "digits.npy", load_oriented_digits().images)
    ...     images = open_images(Path(folder) / "digits.npy")
    ...     some = images[[3, 1, 700]]
    >>> images
    StoredImages(shape=(1797, 24, 24), dtype=uint8)
    >>> some.shape
    (3, 24, 24)
    """
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
    check_option("on_error", on_error, ("raise", "skip"))
    check_exclude(exclude)
    place = Path(path).expanduser().resolve()
    if not place.exists():
        raise FileNotFoundError(
            f"path={str(path)!r} does not exist: give a folder or a file."
        )
    kind = _kind_of(place)
    if kind not in _OPENERS and holds_particles(place):
        # Not resolved: lists lie in their project, even as links to elsewhere.
        return StoredImages(open_particles, Path(path).expanduser().absolute())
    if kind == "folder":
        left_out = [Path(one).expanduser().absolute() for one in exclude]
        if on_error == "raise":
            return StoredImages(open_folder, place, reading, left_out)
        bad = list_unreadable(place, reading, left_out, n_jobs=n_jobs, verbose=verbose)
        images = StoredImages(open_folder, place, reading, [*left_out, *bad.file])
        images.skipped = bad
        return images
    if kind not in _OPENERS:
        raise ValueError(
            f"path={str(path)!r} is of an unknown kind: give a folder of images, "
            f"an array in {', '.join(_OPENERS)}, or particles in "
            f"{', '.join((*STACKS, *LISTS))}."
        )
    return StoredImages(_OPENERS[kind], place, dataset)


def _kind_of(path: Path) -> str:
    """Return the suffix of a file or store; "folder" for other folders."""
    suffix = path.suffix.lower()
    if not path.is_dir():
        return suffix
    return ".zarr" if is_zarr_store(path) else "folder"


def _open_npy(path: Path, _: str | None) -> Source:
    """Return the array of an .npy file, memory-mapped."""
    try:
        images = np.load(path, mmap_mode="r", allow_pickle=False)
    except (EOFError, OSError, ValueError) as error:
        raise _damaged(path, error) from error
    if not isinstance(images, np.ndarray):
        images.close()
        raise ValueError(f"{path} is an archive of arrays: rename it to .npz.")
    _check_images(path, images)
    read = _reading(path, images)
    return Source(images.shape, images.dtype, read, whole=images, fills=path.name)


def _reading(path: Path, images: Any) -> Callable[[int, int], Any]:
    """Return what reads rows of an .npy file.

    It reads the file, not the mapping, whose pages would count as this process's memory
    until the system takes them back.
    """
    if not images.flags.c_contiguous:
        return lambda start, stop: np.array(images[start:stop])
    shape, row_bytes = images.shape[1:], images.strides[0]
    n_values = int(np.prod(shape, dtype=np.int64))

    def read(start: int, stop: int) -> Any:
        rows = np.fromfile(
            path,
            dtype=images.dtype,
            count=int(stop - start) * n_values,
            offset=images.offset + int(start) * row_bytes,
        )
        return rows.reshape(-1, *shape)

    return read


def _open_hdf5(path: Path, dataset: str | None) -> Source:
    """Return an array of an HDF5 file."""
    try:
        import h5py
    except ImportError as error:
        raise _missing("h5py", "HDF5 files") from error
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise _damaged(path, error) from error
    return _slicing(path, file[_choose(path, _arrays_below(file), dataset)])


def _arrays_below(group: Any) -> list[str]:
    """Return the names of all arrays of an HDF5 file."""
    names: list[str] = []
    group.visititems(
        lambda name, item: names.append(name) if hasattr(item, "dtype") else None
    )
    return names


def _open_zarr(path: Path, dataset: str | None) -> Source:
    """Return an array of a zarr store, or the store if it is an array."""
    try:
        import zarr
    except ImportError as error:
        raise _missing("zarr", "zarr stores") from error
    try:
        store = zarr.open(path, mode="r")
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    if hasattr(store, "dtype"):
        return _slicing(path, store)
    names = [name for name, item in store.members(None) if hasattr(item, "dtype")]
    return _slicing(path, store[_choose(path, names, dataset)])


def _slicing(path: Path, array: Any) -> Source:
    """Return the source of an array that reads slices of rows, chunk by chunk."""
    _check_images(path, array)
    return Source(
        tuple(array.shape),
        np.dtype(array.dtype),
        lambda start, stop: np.asarray(array[int(start) : int(stop)]),
        block=(array.chunks or (1,))[0],
        fills=path.name,
    )


def _choose(path: Path, names: list[str], dataset: str | None) -> str:
    """Return the name of the array that holds the images."""
    wanted = dataset or (_DATASET if len(names) != 1 else names[0])
    if wanted not in names:
        raise ValueError(
            f"{path} holds {', '.join(sorted(names)) or 'nothing'}, but not "
            f"{wanted!r}: name the array of images with dataset=."
        )
    return wanted


def _check_images(path: Path, array: Any) -> None:
    """Raise a ValueError unless an array has the form of images or flat rows."""
    shape = tuple(array.shape or ())  # None of an HDF5 dataset without data
    if len(shape) not in (2, 3, 4):
        raise ValueError(
            f"{path} holds {shape}, not images: give an array of shape "
            "(n, h, w) or (n, h, w, c)."
        )
    if np.dtype(array.dtype).kind not in "biuf":
        raise ValueError(
            f"{path} holds values of dtype {array.dtype}: give an array of real "
            "numbers."
        )
    if 0 in shape:
        raise ValueError(
            f"{path} holds {shape}, no images: give an array of one or more."
        )


def _damaged(path: Path, error: Exception) -> ValueError:
    """Return the error of a file that cannot be read."""
    return ValueError(f"{path} cannot be read as arrays: {error}. Give an intact file.")


def _missing(package: str, kind: str) -> ImportError:
    """Return the error of a package that is not installed."""
    return ImportError(
        f"open_images reads {kind} with {package}, which is not installed: "
        f"{_EXTRA.format(package)}."
    )


_OPENERS: dict[str, Callable[[Path, str | None], Source]] = {
    ".npy": _open_npy,
    ".h5": _open_hdf5,
    ".hdf5": _open_hdf5,
    ".zarr": _open_zarr,
}
