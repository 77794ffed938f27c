"""Reading of one image file, whatever its format."""

from __future__ import annotations

import os

import numpy as np

from invariant_cluster.readers._color import convert_color
from invariant_cluster.readers._decoders import decode_image
from invariant_cluster.readers._missing import fill_missing
from invariant_cluster.readers._picture import Picture, Refused, UnreadableError
from invariant_cluster.readers._transparency import flatten


def read_image(
    path: str | os.PathLike[str], *, color: str = "auto", transparent: str = "auto"
) -> Picture:
    """Return the image in a file, without silent loss.

    The first bytes of the file tell its format, not its name; ``FORMATS`` lists what is
    read. Turns that EXIF data or TIFF tags ask for are applied.

    Parameters
    ----------
    path : path-like
        An image file.
    color : {"auto", "grey", "rgb"}, default="auto"
        "auto" keeps the colours of the file; "grey" and "rgb" convert them. Grey is
        0.299 R + 0.587 G + 0.114 B.
    transparent : {"auto", "black", "white"}, default="auto"
        What transparent pixels become: 0, or the largest value of the type (1 for
        floats). "auto" is the one farther from the mean of the opaque pixels.

    Returns
    -------
    Picture
        ``pixels`` (h, w) or (h, w, c) with c = 3, or 4 channels that are no opacity.
        The dtype is that of the file, whatever its values: 1 to 8 bits are uint8, half
        floats float32, and float64 stays. ``notes`` say what reading has changed: NaN,
        infinity and pixels without data become the median of the border.

    Raises
    ------
    ImportError
        If Pillow is needed and not installed.
    UnreadableError
        If the file is damaged, of a format that is not read, or read only with loss, or
        if a package that it needs is missing; ``reason`` says what to do.

    See Also
    --------
    choose_ground : Choose one ground for many files.
    is_image_name : Tell by its name whether a file is an image.
    """
    try:
        with open(path, "rb") as handle:
            layers = flatten(fill_missing(decode_image(handle)), transparent)
        pixels = convert_color(layers.pixels, color)
    except ImportError:
        raise
    # Decoders raise errors of any kind at damaged data, IndexError and KeyError too.
    except Exception as error:
        raise UnreadableError(path, _explain(error)) from error
    pixels, has_alpha = np.ascontiguousarray(pixels), layers.alpha is not None
    return Picture(pixels, layers.notes, has_alpha, layers.n_missing)


def _explain(error: Exception) -> str:
    """Return the reason why a file is not read."""
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be opened ({error.strerror})"
    detail = f"{type(error).__name__}: {error}".partition(" <_io.")[0].rstrip(".: ")
    return (
        f"it is cut off, damaged, or of a variant that is not read ({detail}): copy "
        "it again or, if another program opens it, save it from there as PNG or TIFF"
    )
