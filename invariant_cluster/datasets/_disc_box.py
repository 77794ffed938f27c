"""Where the disc of a wafer lies in its picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from invariant_cluster.datasets._resizing import resize_nearest

_SIDE = 32  # at which discs are compared with ellipses
_GAP = 1 / 32  # of the side: widest line between dies
_MARGIN = 1 / 16  # of the side: margins below do no harm
_LEAST_OVERLAP = 0.8  # a square has 0.785

Box = tuple[slice, slice]


def find_box(inside: NDArray[np.bool_]) -> Box:
    """Return the box of the largest object of a picture.

    Parameters
    ----------
    inside : ndarray of bool of shape (h, w)
        Where the colour is not that of the outside.

    Returns
    -------
    (slice, slice)
        Rows and columns of the object. Pieces join over gaps of a thirty-second of the
        side, such as lines between dies. The whole picture if its margins are below a
        sixteenth of the side, or there is nothing.
    """
    whole = tuple(slice(0, side) for side in inside.shape)
    pieces, n_pieces = ndimage.label(_close(inside), np.ones((3, 3)))
    if n_pieces == 0:
        return whole[0], whole[1]
    largest = 1 + np.argmax(np.bincount(pieces[inside], minlength=n_pieces + 1)[1:])
    object_ = (pieces == largest) & inside
    rows, columns = ndimage.find_objects(object_.astype(np.int8))[0]
    box = (rows, columns)
    return (whole[0], whole[1]) if _fills(box, inside.shape) else box


def is_disc(inside: NDArray[np.bool_]) -> bool:
    """Return whether an object has the form of an ellipse that touches its box.

    Parameters
    ----------
    inside : ndarray of bool of shape (h, w)
        The object, in its box.

    Returns
    -------
    bool
        Whether the overlap with the ellipse is at least 0.8 of their union.
    """
    shown = resize_nearest(_close(inside), _SIDE)
    row, column = np.indices(shown.shape) - (_SIDE - 1) / 2
    ellipse = np.hypot(row, column) <= _SIDE / 2
    overlap = np.count_nonzero(shown & ellipse) / np.count_nonzero(shown | ellipse)
    return bool(overlap >= _LEAST_OVERLAP)


def _close(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask whose narrow gaps are closed."""
    width = 2 * int(_GAP * min(inside.shape) / 2) + 1
    if width < 3:
        return inside
    padded = np.pad(inside, width)
    closed = ndimage.minimum_filter(ndimage.maximum_filter(padded, width), width)
    cropped: NDArray[np.bool_] = closed[width:-width, width:-width]
    return cropped


def _fills(box: Box, shape: tuple[int, ...]) -> bool:
    """Return whether the margins around a box are small."""
    return all(
        max(part.start, side - part.stop) < max(1, _MARGIN * side)
        for part, side in zip(box, shape, strict=True)
    )
