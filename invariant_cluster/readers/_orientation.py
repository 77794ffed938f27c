"""Turns and mirrors that a file asks of its viewers."""

from __future__ import annotations

from numpy.typing import NDArray

from invariant_cluster.readers._picture import Layers

TAG = 274
TURNED = "turned as its EXIF tag says"


def turn(pixels: NDArray, orientation: int) -> NDArray:
    """Return an image as viewers show it.

    Parameters
    ----------
    pixels : ndarray of shape (h, w, ...)
        The image as it is stored.
    orientation : int
        Value of the tag "Orientation" of EXIF and TIFF, 1 to 8.

    Returns
    -------
    ndarray of shape (h, w, ...), or (w, h, ...) from 5 on
        A view of the pixels.

    Notes
    -----
    The tag names the sides at which the first stored row and column are shown, TIFF
    6.0, section 8: 1 top and left, 2 top right, 3 bottom right, 4 bottom left, and 5
    to 8 the same with the first row at a side: left top, right top, right bottom, left
    bottom.
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
        # Now rows are the stored columns: 5 needs no more, 6 to 8 mirrors.
        orientation = {5: 1, 6: 2, 7: 3, 8: 4}[orientation]
    if orientation in (3, 4):
        pixels = pixels[::-1]
    if orientation in (2, 3):
        pixels = pixels[:, ::-1]
    return pixels


def turn_layers(layers: Layers, orientation: object) -> Layers:
    """Return an image as viewers show it, and a note if that is not as it is stored.

    Parameters
    ----------
    layers : Layers
        The image as it is stored.
    orientation : object
        Value of the tag; what is no int from 2 to 8 asks for no turn.

    Returns
    -------
    Layers
        The image, its opacity and its missing pixels, turned alike.

    See Also
    --------
    turn : The turns of each value.
    """
    if not isinstance(orientation, int) or not 2 <= orientation <= 8:
        return layers
    alpha, missing = layers.alpha, layers.missing
    return layers._replace(
        pixels=turn(layers.pixels, orientation),
        alpha=None if alpha is None else turn(alpha, orientation),
        missing=None if missing is None else turn(missing, orientation),
        notes=(*layers.notes, TURNED),
    )
