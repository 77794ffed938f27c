"""An image without what its own mask leaves out."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.datasets._squares import border_background
from invariant_cluster.readers import UnreadableError, read_image

WHOLE = "the mask leaves out nothing"


class MaskedFile(NamedTuple):
    """An image file with its mask; a path-like object of the image.

    Attributes
    ----------
    path : str
        The image.
    masks : tuple of str
        Files that may be its mask: one, unless something is wrong.
    where : str
        Where its mask should lie, for the message.
    """

    path: str
    masks: tuple[str, ...]
    where: str

    def __fspath__(self) -> str:
        return self.path

    def __str__(self) -> str:
        return self.path


def read_object(
    file: MaskedFile, shape: tuple[int, ...], invert: bool
) -> NDArray[np.bool_]:
    """Return which pixels of an image are its object.

    Parameters
    ----------
    file : MaskedFile
        The image and its mask.
    shape : (int, int)
        Height and width of the image.
    invert : bool
        Whether the object is where the mask is 0, instead of where it is not.

    Returns
    -------
    ndarray of bool of shape (h, w)
        True inside the object.

    Raises
    ------
    UnreadableError
        If there is no mask or more than one, or if it cannot be read or has another
        shape.
    """
    if len(file.masks) != 1:
        told = "no mask" if not file.masks else f"{len(file.masks)} masks"
        names = ", ".join(os.path.basename(mask) for mask in file.masks)
        found = f" ({names})" if names else ""
        raise UnreadableError(file, f"it has {told}{found}; one must lie {file.where}")
    (mask,) = file.masks
    try:
        pixels = read_image(mask, color="grey").pixels
    except UnreadableError as error:
        reason = f"its mask {mask} cannot be read: {error.reason}"
        raise UnreadableError(file, reason) from error
    if pixels.shape != shape:
        raise UnreadableError(
            file,
            f"its mask {mask} has {_show(pixels.shape)} pixels, but the image has "
            f"{_show(shape)}: save them in one size",
        )
    inside: NDArray[np.bool_] = (pixels == 0) if invert else (pixels != 0)
    return inside


def show_object(
    file: MaskedFile, image: NDArray, inside: NDArray[np.bool_]
) -> tuple[NDArray, tuple[str, ...]]:
    """Return an image with background where its object is not.

    Parameters
    ----------
    file : MaskedFile
        Where the image is from, for the message.
    image : ndarray of shape (h, w) or (h, w, c)
        The image.
    inside : ndarray of bool of shape (h, w)
        True inside the object.

    Returns
    -------
    (ndarray of shape (h, w) or (h, w, c), tuple of str)
        The image with the median of its border pixels outside of the object, or of all
        pixels outside of it if the object covers the border; and a note if the object
        is all of the image.

    Raises
    ------
    UnreadableError
        If no pixel is inside.
    """
    if not inside.any():
        raise UnreadableError(
            file,
            f"its mask {file.masks[0]} marks no object in what is read of the image: "
            "mark it with values other than 0, or use invert_masks=True if all objects "
            "are marked by 0",
        )
    if inside.all():
        return image, (WHOLE,)
    shown = image.copy()
    shown[~inside] = border_background(image, inside)
    return shown, ()


def _show(shape: tuple[int, ...]) -> str:
    """Return a shape in words: "20 x 30"."""
    return " x ".join(map(str, shape))
