"""One image file read as a square of one size."""

from __future__ import annotations

import os
from typing import NamedTuple

from numpy.typing import NDArray

from invariant_cluster.datasets._masks import unpack_mask
from invariant_cluster.datasets._object_masks import (
    MaskedFile,
    read_object,
    show_object,
)
from invariant_cluster.datasets._palette_maps import as_eight_bits, draw_fails
from invariant_cluster.datasets._reading import Reading
from invariant_cluster.datasets._squares import border_background, fit_square
from invariant_cluster.readers import read_image

_STRANGE = "the colours are not those of the palette"
_CUT = "the edges were cut off, beyond the frame of keep_scale=True"


class Square(NamedTuple):
    """A file read as a square image.

    Attributes
    ----------
    pixels : ndarray of shape (size, size) or (size, size, c)
        The image, in the dtype of the file.
    sides : (int, int)
        Height and width before resizing, after cropping.
    notes : tuple of str
        What was changed in reading.
    missing : (int, int)
        Number of pixels of the whole file that had no value, and of all its pixels.
    """

    pixels: NDArray
    sides: tuple[int, int]
    notes: tuple[str, ...]
    missing: tuple[int, int]


class Cropped(NamedTuple):
    """A file read as an image of its own size.

    Attributes
    ----------
    pixels : ndarray of shape (h, w) or (h, w, c)
        The image, in the dtype of the file.
    notes, missing
        As of :class:`Square`.
    """

    pixels: NDArray
    notes: tuple[str, ...]
    missing: tuple[int, int]


def read_square(path: str | os.PathLike[str], reading: Reading) -> Square:
    """Return the image in a file as a square of one size.

    Parameters
    ----------
    path : path-like
        The file.
    reading : Reading
        How it is read.

    Returns
    -------
    Square
        The image on a square of its own background, resized, with its size before.

    Raises
    ------
    UnreadableError
        If the file is no image, or its own mask does not fit.
    ValueError
        If the mask has another shape than the image, or nothing is left of it.

    See Also
    --------
    read_cropped : Return the image before it is resized.
    """
    image, notes, missing = read_cropped(path, reading)
    height, width = image.shape[:2]
    if isinstance(reading.palette, tuple):
        pixels = as_eight_bits(image)
        fails, is_strange = draw_fails(pixels, reading.palette, reading.size)
        return Square(fails, (height, width), notes + (_STRANGE,) * is_strange, missing)
    frame = reading.frame or max(height, width)
    fills = height >= frame and width >= frame
    background = None if fills else border_background(image)
    if max(height, width) > frame:
        notes = (*notes, _CUT)
    pixels = fit_square(image, frame, reading.size, background)
    return Square(pixels, (height, width), notes, missing)


def read_cropped(path: str | os.PathLike[str], reading: Reading) -> Cropped:
    """Return the image in a file without what masks hide and the crop cuts off.

    Parameters
    ----------
    path : path-like
        The file.
    reading : Reading
        How it is read.

    Returns
    -------
    Cropped
        The image in the dtype of the file, and what was changed in reading.

    Raises
    ------
    UnreadableError, ValueError
        As :func:`read_square`.
    """
    # Grey and coloured wafer maps may lie side by side.
    color = reading.color if reading.palette is None else "rgb"
    picture = read_image(path, color=color, transparent=reading.transparent)
    shape = picture.pixels.shape[:2]
    image = _crop(path, picture.pixels, reading.crop)
    if reading.mask is not None:
        image = _hide_region(path, image, shape, reading)
    missing = picture.n_missing, shape[0] * shape[1]
    if not isinstance(path, MaskedFile):
        return Cropped(image, picture.notes, missing)
    inside = read_object(path, shape, reading.invert_masks)
    shown, notes = show_object(path, image, _crop(path, inside, reading.crop))
    return Cropped(shown, (*picture.notes, *notes), missing)


def _hide_region(
    path: str | os.PathLike[str],
    image: NDArray,
    shape: tuple[int, ...],
    reading: Reading,
) -> NDArray:
    """Return a cropped image without the region that is replaced in all files."""
    assert reading.mask is not None
    hidden = unpack_mask(reading.mask)
    if hidden.shape != shape:
        raise ValueError(
            f"mask has the shape {hidden.shape}, but {os.fspath(path)} holds "
            f"{shape} pixels: give a mask of the files' shape, or "
            "load files of other shapes on their own."
        )
    return _hide(image, _crop(path, hidden, reading.crop))


def _crop(
    path: str | os.PathLike[str],
    pixels: NDArray,
    crop: tuple[int, int, int, int] | None,
) -> NDArray:
    """Return pixels (h, w[, c]) without the margins."""
    if crop is None:
        return pixels
    top, right, bottom, left = crop
    height, width = pixels.shape[:2]
    if top + bottom >= height or left + right >= width:
        raise ValueError(
            f"crop={crop} leaves nothing of {os.fspath(path)}, which holds "
            f"{(height, width)} pixels: cut off less."
        )
    return pixels[top : height - bottom, left : width - right]


def _hide(image: NDArray, hidden: NDArray) -> NDArray:
    """Return the image with its background where it is hidden."""
    if not hidden.any():
        return image
    shown = image.copy()
    shown[hidden] = border_background(image, hidden)
    return shown
