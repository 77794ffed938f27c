"""PNG, JPEG, BMP, GIF, WebP and PNM files, read with Pillow."""

from __future__ import annotations

from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.readers._orientation import TAG, turn_layers
from invariant_cluster.readers._picture import Layers, Refused, check_size

FIRST_FRAME = "the first of several frames was taken (MPO)"
CMYK = "CMYK became RGB"
# Keys of Image.info that may hold an orientation.
_EXIF_KEYS = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
_LEVELS = {"L;2": 85, "L;4": 17}  # of PNG: step between stored values 0..3 and 0..15


def read_with_pillow(handle: BinaryIO, kind: str) -> Layers:
    """Return the image of a file that Pillow decodes without loss.

    Parameters
    ----------
    handle : binary file
        The file, at its start.
    kind : str
        Pillow's name of its format.

    Returns
    -------
    Layers
        Values of uint8, or uint16 from 16-bit grey.

    Raises
    ------
    ImportError
        If Pillow is not installed.
    Refused
        If the file holds several frames, or more bits than Pillow keeps.
    """
    pillow = import_pillow()
    try:
        image = pillow.open(handle, formats=(kind,))
    except pillow.DecompressionBombError as error:
        raise Refused(f"{str(error).rstrip('.')}: save a smaller image") from error
    check_size(image.height, image.width)
    notes = _check_frames(image)
    layout = _find_layout(image)
    _check_depth(image, layout)
    layers = _to_layers(image, layout)
    layers = layers._replace(notes=(*notes, *layers.notes))
    # PNG may hold its EXIF data after the pixels, so they are looked for after loading.
    if any(key in image.info for key in _EXIF_KEYS):
        return turn_layers(layers, _find_orientation(image))
    return layers


def pillow_states_opacity(handle: BinaryIO, kind: str) -> bool:
    """Return whether the header of a file says that pixels may be transparent.

    Parameters
    ----------
    handle : binary file
        The file, at its start.
    kind : str
        Pillow's name of its format.

    Returns
    -------
    bool
        True for modes and palettes with opacity, and for a transparent colour.
    """
    image = import_pillow().open(handle, formats=(kind,))
    return "A" in image.mode or "transparency" in image.info


def import_pillow() -> ModuleType:
    """Return PIL.Image; Pillow is an optional dependency."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "load_image_folder reads images with Pillow, which is not installed: run "
            "'pip install pillow' or install this package with the extra 'images'."
        ) from error
    return Image


def _check_frames(image: Any) -> tuple[str, ...]:
    """Return a note if the first of several frames is the photo; else refuse them."""
    n_frames = getattr(image, "n_frames", 1)
    if n_frames == 1:
        return ()
    if image.format == "MPO":  # the others are previews, depth or the other eye's view
        return (FIRST_FRAME,)
    raise Refused(f"it holds {n_frames} frames: save each frame as its own file")


def _find_layout(image: Any) -> tuple[str, int]:
    """Return how the file stores values: the raw mode, and the maximum of PNM."""
    args = image.tile[0][3] if image.tile else ""
    if not isinstance(args, tuple):
        args = (args,)
    maximum = args[1] if image.format == "PPM" and len(args) > 1 else 0
    return str(args[0]), maximum


def _check_depth(image: Any, layout: tuple[str, int]) -> None:
    """Refuse colours of 16 bits, which Pillow reduces to 8."""
    raw_mode, maximum = layout
    if image.mode.startswith("I") or image.format not in ("PNG", "PPM"):
        return
    if ";16" in raw_mode or maximum > 255:
        raise Refused(
            f"it has 16 bits per channel in mode {image.mode}, which Pillow reduces to "
            "8: save it as TIFF, as 16-bit grey, or with 8 bits"
        )


def _to_layers(image: Any, layout: tuple[str, int]) -> Layers:
    """Return the values of an opened image."""
    mode, info = image.mode, image.info
    if image.format == "GIF":  # a palette by nature, whatever its colours
        mode = "P"
    if mode in ("L", "RGB") or mode.startswith("I"):
        pixels = _to_array(image)
        return Layers(pixels, _match_colour(pixels, info, layout[0]))
    if mode == "1":
        pixels = np.asarray(image).astype(np.uint8) * np.uint8(255)
        return Layers(pixels, _match_colour(pixels, info, ""))
    if mode in ("LA", "RGBA"):
        return _split(np.asarray(image))
    if "transparency" in info:
        return _split(np.asarray(image.convert("RGBA")))
    notes = (CMYK,) if mode == "CMYK" else ()
    return Layers(np.asarray(image.convert("RGB")), notes=notes)


def _to_array(image: Any) -> NDArray:
    """Return grey or RGB pixels; wide integers of PNG and PNM have 16 bits."""
    pixels = np.asarray(image)
    return pixels if pixels.dtype == np.uint8 else pixels.astype(np.uint16)


def _match_colour(pixels: NDArray, info: Any, raw_mode: str) -> NDArray | None:
    """Return the opacity where one value, stored for the purpose, is transparent."""
    if "transparency" not in info:
        return None
    value = np.asarray(info["transparency"]) * _LEVELS.get(raw_mode, 1)
    differs = pixels != value
    opaque = differs if pixels.ndim == 2 else differs.any(axis=2)
    return opaque.astype(np.uint8) * np.uint8(255)


def _split(pixels: NDArray) -> Layers:
    """Return colours and opacity, the last channel."""
    colour = pixels[..., :-1]
    return Layers(colour[..., 0] if colour.shape[2] == 1 else colour, pixels[..., -1])


def _find_orientation(image: Any) -> object:
    """Return the orientation that the file asks for, 1 if its EXIF data are damaged."""
    try:
        return image.getexif().get(TAG, 1)
    except Exception:  # of the many kinds that damaged data raise; pixels are whole
        return 1
