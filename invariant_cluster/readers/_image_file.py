"""Reading of one image file with Pillow, without silent loss."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

_UINT16_MAX = np.iinfo(np.uint16).max
_ALPHA_MODES = ("RGBA", "RGBa", "LA", "La", "PA")


def read_image(path: Path, color: str) -> np.ndarray:
    """Return the image in a file.

    Parameters
    ----------
    path : Path
        An image file of any format that Pillow reads.
    color : {"auto", "grey", "rgb"}
        "auto" keeps the colours of the file; "grey" and "rgb" convert them.

    Returns
    -------
    ndarray of shape (h, w) or (h, w, 3), uint8, uint16 or float32
        Grey or RGB image. Integers beyond 16 bits become float32; transparent pixels
        become white.

    Raises
    ------
    ImportError
        If Pillow is not installed.
    ValueError
        If the file is not an image, is truncated, holds several frames, NaN or
        infinity, or has more bits than Pillow keeps; the message names the file.

    See Also
    --------
    load_image_folder : Read a folder of such files.
    """
    pillow = _import_pillow()
    try:
        with pillow.open(path) as image:
            _check_lossless(image)
            pixels = _to_array(image)
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        raise ValueError(
            f"{path} cannot be read as an image: {error}. Repair or remove it."
        ) from error
    return _convert_color(pixels, color)


def _import_pillow() -> ModuleType:
    """Return PIL.Image; Pillow is an optional dependency."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "load_image_folder reads images with Pillow, which is not installed: run "
            "'pip install pillow' or install this package with the extra 'images'."
        ) from error
    return Image


def _check_lossless(image: Any) -> None:
    """Raise a ValueError if Pillow would drop frames or bits of an opened image."""
    n_frames = getattr(image, "n_frames", 1)
    if n_frames > 1:
        raise ValueError(f"it holds {n_frames} frames; save each as a separate file")
    # Pillow's tile names the layout of the file; it reads "RGB;16B" as 8-bit RGB.
    cut = ";16" in str(image.tile) and not image.mode.startswith(("I", "F"))
    if cut:
        raise ValueError(
            f"it has 16 bits per channel in mode {image.mode}, which Pillow reduces to "
            "8; save it with 8 bits, or as 16-bit grey"
        )


def _to_array(image: Any) -> np.ndarray:
    """Return the pixels, (h, w) or (h, w, 3), as uint8, uint16 or float32."""
    if image.mode.startswith("I"):
        return _narrow(np.asarray(image))
    if image.mode == "F":
        return _check_finite(np.asarray(image, dtype=np.float32))
    if image.mode == "1":
        return np.asarray(image.convert("L"))
    if image.mode == "L" and "transparency" not in image.info:
        return np.asarray(image)
    return _flatten(image)


def _narrow(pixels: np.ndarray) -> np.ndarray:
    """Return integers as uint16 if they fit, else as float32."""
    if pixels.min() >= 0 and pixels.max() <= _UINT16_MAX:
        return pixels.astype(np.uint16)
    return pixels.astype(np.float32)


def _check_finite(pixels: np.ndarray) -> np.ndarray:
    """Return the pixels, or raise a ValueError if they hold NaN or infinity."""
    if not np.isfinite(pixels).all():
        raise ValueError("it holds NaN or infinity; replace these pixels")
    return pixels


def _flatten(image: Any) -> np.ndarray:
    """Return a grey or RGB image: transparent pixels white, palettes resolved."""
    mode = "L" if image.mode in ("L", "LA", "La") else "RGB"
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        pillow = _import_pillow()
        rgba = image.convert("RGBA")
        white = pillow.new("RGBA", rgba.size, "white")
        image = pillow.alpha_composite(white, rgba)
    return np.asarray(image.convert(mode))


def _convert_color(pixels: np.ndarray, color: str) -> np.ndarray:
    """Convert (h, w) or (h, w, 3) to grey or RGB; "auto" leaves it as it is."""
    if color == "grey" and pixels.ndim == 3:
        grey = pixels @ np.array([0.299, 0.587, 0.114])
        return np.rint(grey).astype(pixels.dtype)
    if color == "rgb" and pixels.ndim == 2:
        return np.repeat(pixels[:, :, None], 3, axis=2)
    return pixels
