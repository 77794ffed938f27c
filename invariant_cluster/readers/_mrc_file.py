"""Reading of one MRC file of cryo-EM images: its header once, its images by need."""

from __future__ import annotations

import io
import warnings
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_HEADER_BYTES = 1024
_EXTENDED_BYTES = slice(92, 96)  # the header's word 24, the length of what follows it
_MARK = b"MAP"
_COMPLEX_MODES = (3, 4)


class MrcStack(NamedTuple):
    """Where an MRC file keeps its images.

    Attributes
    ----------
    path : Path
        The file.
    shape : tuple of int
        Number of images, height and width.
    dtype : numpy.dtype
        Dtype of the values, in the byte order of the file.
    offset : int
        Bytes before the first image.
    is_volume : bool
        Whether the header describes a cube that is not a stack of images.
    oddities : tuple of str
        What differs from the standard and was read all the same.
    """

    path: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    offset: int
    is_volume: bool
    oddities: tuple[str, ...]


def open_mrc(path: Path) -> MrcStack:
    """Return where an MRC file keeps its images; only its header is read.

    Parameters
    ----------
    path : Path
        MRC file of a stack of images or of one image. Modes 0, 1, 2, 6 and 12 are read,
        in both byte orders.

    Returns
    -------
    MrcStack
        Place and form of the images. A header without the mark "MAP" or with an unknown
        machine stamp is read if the length of the file fits it.

    Raises
    ------
    ImportError
        If mrcfile is not installed.
    ValueError
        If the file is not an MRC file, is cut off, or holds complex values, values of
        an unknown mode, or a stack of volumes; the message names the file.

    See Also
    --------
    read_mrc : Read images of the file.

    References
    ----------
    Cheng et al., "MRC2014: Extensions to the MRC format header for electron
    cryo-microscopy and tomography", Journal of Structural Biology 192, 2015.
    """
    header, n_extended = _read_header(path)
    shape, dtype = _read_shape(path, header), _read_dtype(path, header)
    offset = _HEADER_BYTES + n_extended
    n_spare = path.stat().st_size - offset - prod(shape) * dtype.itemsize
    oddities = _list_oddities(header, n_spare)
    is_marked = bytes(header.map).startswith(_MARK)
    if n_extended < 0 or (n_spare and not is_marked):
        raise _not_mrc(path, "it lacks the mark MAP, and its length fits no header")
    if n_spare < 0:
        raise ValueError(
            f"{path} is cut off: its header promises {_show(shape)} of {dtype.name}, "
            f"and {-n_spare:,} bytes of them are missing. Copy it again."
        )
    return MrcStack(path, shape, dtype, offset, _is_volume(header), oddities)


def read_mrc(stack: MrcStack, start: int, stop: int) -> NDArray:
    """Return consecutive images of an MRC file.

    Parameters
    ----------
    stack : MrcStack
        Result of :func:`open_mrc`.
    start, stop : int
        First image, and the one after the last, counted from 0.

    Returns
    -------
    ndarray of shape (stop - start, h, w)
        The images, in the byte order of this machine. The file is closed again.

    Raises
    ------
    ValueError
        If the file has become shorter.

    See Also
    --------
    map_mrc : Map all images into memory.
    """
    n_values = prod(stack.shape[1:])
    values = np.fromfile(
        stack.path,
        dtype=stack.dtype,
        count=int(stop - start) * n_values,
        offset=stack.offset + int(start) * n_values * stack.dtype.itemsize,
    )
    if values.size != int(stop - start) * n_values:
        raise ValueError(
            f"{stack.path} has become shorter since it was opened: open it again."
        )
    native = stack.dtype.newbyteorder("=")
    return values.astype(native, copy=False).reshape(-1, *stack.shape[1:])


def map_mrc(stack: MrcStack) -> NDArray | None:
    """Return all images of an MRC file as a memmap that cannot be written to.

    Parameters
    ----------
    stack : MrcStack
        Result of :func:`open_mrc`.

    Returns
    -------
    memmap of shape (n, h, w) or None
        The images; None if they are in the other byte order.

    See Also
    --------
    read_mrc : Read some images.
    """
    if not stack.dtype.isnative:
        return None
    return np.memmap(stack.path, stack.dtype, "r", stack.offset, stack.shape)


def _read_header(path: Path) -> tuple[Any, int]:
    """Return the header in the order of the file, and the bytes between it and data."""
    interpreter = _import_mrcfile().mrcinterpreter.MrcInterpreter
    with path.open("rb") as file:
        raw = bytearray(file.read(_HEADER_BYTES))
    # Without its length, mrcfile does not read the extended header: some hold 1 MB a
    # file, and what is no MRC file may promise 2 GB.
    extended, raw[_EXTENDED_BYTES] = raw[_EXTENDED_BYTES], bytes(4)
    with warnings.catch_warnings(), io.BytesIO(raw) as stream:
        warnings.simplefilter("ignore")  # _list_oddities says the same of this file
        try:
            header = interpreter(stream, permissive=True, header_only=True).header
        except ValueError as error:
            raise _not_mrc(path, str(error)) from error
    order = header.mode.dtype.byteorder
    return header, int(np.frombuffer(extended, np.dtype("i4").newbyteorder(order))[0])


def _import_mrcfile() -> Any:
    """Return mrcfile, an optional dependency."""
    try:
        import mrcfile.mrcinterpreter
        import mrcfile.utils
    except ImportError as error:
        raise ImportError(
            "open_images reads MRC files with mrcfile, which is not installed: run "
            "'pip install mrcfile' or install this package with the extra 'particles'."
        ) from error
    return mrcfile


def _read_shape(path: Path, header: Any) -> tuple[int, int, int]:
    """Return the number of images, their height and width."""
    shape = int(header.nz), int(header.ny), int(header.nx)
    if min(shape) < 1:
        raise _not_mrc(path, f"its header promises {_show(shape)}")
    if _import_mrcfile().utils.spacegroup_is_volume_stack(header.ispg):
        raise ValueError(
            f"{path} is a stack of volumes (space group {int(header.ispg)}), not of "
            "images: give projections, one image a particle."
        )
    return shape


def _read_dtype(path: Path, header: Any) -> np.dtype:
    """Return the dtype of the values, in the order of the file."""
    mode = int(header.mode)
    is_marked = bytes(header.map).startswith(_MARK)
    if mode in _COMPLEX_MODES and is_marked:
        raise ValueError(
            f"{path} holds complex values (mode {mode}), such as a Fourier transform: "
            "give the images themselves."
        )
    try:
        dtype: np.dtype = _import_mrcfile().utils.data_dtype_from_header(header)
    except ValueError as error:
        if is_marked:
            raise ValueError(
                f"{path} holds values of mode {mode}, which mrcfile does not read: "
                "convert them to mode 2 (float32)."
            ) from error
        raise _not_mrc(
            path, f"it has no mark MAP and no known mode ({mode})"
        ) from error
    if dtype.kind == "c":
        raise _not_mrc(path, "it has no mark MAP and complex values")
    return dtype


def _is_volume(header: Any) -> bool:
    """Return whether the header describes a cube, and no stack by its space group.

    A stack has space group 0, or cells of one section each (mz = 1). Many programs
    write space group 1 for stacks, too, so that the form alone decides.
    """
    return _is_cube(header) and bool(header.ispg != 0 and header.mz != 1)


def _is_cube(header: Any) -> bool:
    """Return whether there are as many images as rows and columns of pixels."""
    return bool(header.nx == header.ny == header.nz > 1)


def _list_oddities(header: Any, n_spare: int) -> tuple[str, ...]:
    """Return what of a header is not as in the standard."""
    utils = _import_mrcfile().utils
    found = []
    if not bytes(header.map).startswith(_MARK):
        found.append("no mark MAP")
    try:
        stamped = utils.byte_order_from_machine_stamp(header.machst)
    except ValueError:
        found.append(f"machine stamp {bytes(header.machst).hex(' ')}")
    else:
        if not utils.byte_orders_equal(stamped, header.mode.dtype.byteorder):
            found.append(
                f"machine stamp {bytes(header.machst).hex(' ')} of the other byte order"
            )
    if n_spare > 0:
        found.append(f"{n_spare:,} bytes after the images")
    if _is_cube(header) and header.ispg == 0 and header.mz == header.nz:
        found.append("a cube whose cell is that of a volume")
    return tuple(found)


def _show(shape: tuple[int, int, int]) -> str:
    """Return a shape in words: "5 images of 24 x 24"."""
    n_images, height, width = shape
    return f"{n_images} images of {height} x {width}"


def _not_mrc(path: Path, reason: str) -> ValueError:
    """Return the error of what is no MRC file."""
    return ValueError(
        f"{path} cannot be read as an MRC file: {reason}. Give an intact .mrc or .mrcs "
        "file."
    )
