"""What is read from an image file, and the error if it cannot be read."""

from __future__ import annotations

import os
from typing import NamedTuple

from numpy.typing import NDArray

# The most pixels that are decoded, as in Pillow: a small file may claim to hold more.
MOST_PIXELS = 178_956_970


class Picture(NamedTuple):
    """An image, and what reading it has changed.

    Parameters
    ----------
    pixels : ndarray of shape (h, w) or (h, w, c)
        Values in the type of the file, in native byte order; row 0 is at the top.
    notes : tuple of str
        What was changed, one constant text for each kind of change, so that the notes
        of many files can be counted.
    has_alpha : bool
        Whether the file says how opaque its pixels are. Then ``pixels`` holds no
        opacity any more: it was applied.
    n_missing : int, default=0
        Number of pixels that had no value in some channel, and became background.
    """

    pixels: NDArray
    notes: tuple[str, ...]
    has_alpha: bool
    n_missing: int = 0


class UnreadableError(ValueError):
    """A file cannot be read as an image without loss.

    Parameters
    ----------
    path : path-like
        The file.
    reason : str
        What is wrong with the file, or what this package lacks, and what to do.
    """

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        # Both are kept in args, so that the error can be sent to other processes.
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} cannot be read as an image: {self.reason}."


class Refused(Exception):  # noqa: N818
    """The reason why a file is not read, where its path is not known."""


class Layers(NamedTuple):
    """What a decoder returns: colours and opacity, apart.

    Parameters
    ----------
    pixels : ndarray of shape (h, w) or (h, w, c)
        Values in native byte order.
    alpha : ndarray of shape (h, w) or None
        Opacity from 0 to the largest value of its type, or to 1 if it is of floats.
    notes : tuple of str
        What decoding has changed.
    premultiplied : bool
        Whether the colours are already multiplied by the opacity.
    missing : ndarray of shape (h, w) or (h, w, c) of bool, or None
        Where the file says that there is no value.
    n_missing : int
        Number of pixels that were filled, since some channel had no value.
    """

    pixels: NDArray
    alpha: NDArray | None = None
    notes: tuple[str, ...] = ()
    premultiplied: bool = False
    missing: NDArray | None = None
    n_missing: int = 0


def check_size(height: int, width: int) -> None:
    """Refuse images without pixels, and with more than fit the memory of a reader."""
    if height < 1 or width < 1:
        raise Refused(f"it is {height} x {width} pixels large")
    if height * width > MOST_PIXELS:
        raise Refused(
            f"it has {height} x {width} pixels, and up to {MOST_PIXELS:,} are read: "
            "save a smaller image, or crop it"
        )


def as_native(pixels: NDArray) -> NDArray:
    """Return values in the byte order of the machine; half floats as float32."""
    if pixels.dtype == "float16":
        return pixels.astype("float32")
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
