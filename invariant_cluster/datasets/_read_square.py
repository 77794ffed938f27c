"""One image file read as a square of one size."""

from __future__ import annotations

import os
from typing import NamedTuple

from numpy.typing import NDArray

from invariant_cluster.datasets._masks import unpack_mask
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
    """

    pixels: NDArray
    sides: tuple[int, int]
    notes: tuple[str, ...]


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
        If the file is no image.
    ValueError
        If the mask has another shape than the image, or nothing is left of it.

    See Also
    --------
    read_cropped : Return the image before it is resized.
    """
    image, notes = read_cropped(path, reading)
    height, width = image.shape[:2]
    if isinstance(reading.palette, tuple):
        pixels = as_eight_bits(image)
        fails, is_strange = draw_fails(pixels, reading.palette, reading.size)
        return Square(fails, (height, width), notes + (_STRANGE,) * is_strange)
    frame = reading.frame or max(height, width)
    fills = height >= frame and width >= frame
    background = None if fills else border_background(image)
    if max(height, width) > frame:
        notes = (*notes, _CUT)
    pixels = fit_square(image, frame, reading.size, background)
    return Square(pixels, (height, width), notes)


def read_cropped(
    path: str | os.PathLike[str], reading: Reading
) -> tuple[NDArray, tuple[str, ...]]:
    """Return the image in a file without what the mask hides and the crop cuts off.

    Parameters
    ----------
    path : path-like
        The file.
    reading : Reading
        How it is read.

    Returns
    -------
    (ndarray of shape (h, w) or (h, w, c), tuple of str)
        The image in the dtype of the file, and what was changed in reading.

    Raises
    ------
    UnreadableError, ValueError
        As :func:`read_square`.
    """
    # Grey and coloured wafer maps may lie side by side.
    color = reading.color if reading.palette is None else "rgb"
    picture = read_image(path, color=color, transparent=reading.transparent)
    image = _crop(path, picture.pixels, reading.crop)
    if reading.mask is None:
        return image, picture.notes
    hidden = unpack_mask(reading.mask)
    if hidden.shape != picture.pixels.shape[:2]:
        raise ValueError(
            f"mask has the shape {hidden.shape}, but {os.fspath(path)} holds "
            f"{picture.pixels.shape[:2]} pixels: give a mask of the files' shape, or "
            "load files of other shapes on their own."
        )
    return _hide(image, _crop(path, hidden, reading.crop)), picture.notes


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
