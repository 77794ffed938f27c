"""FITS files, read with astropy."""

from __future__ import annotations

from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.readers._picture import Layers, Refused, as_native, check_size

FIRST_IMAGE = "the first of several images was taken (FITS)"
_N_PLANES = (1, 3, 4)


def read_fits(handle: BinaryIO) -> Layers:
    """Return the first image of a FITS file.

    Parameters
    ----------
    handle : binary file
        The file, at its start; it may be compressed by gzip.

    Returns
    -------
    Layers
        Physical values, with BZERO and BSCALE applied: unsigned integers where they
        only shift, else float32 from 8 and 16 bits and float64 from more. FITS counts
        rows from the bottom, so they are returned in the opposite order. Three or four
        planes become channels. Pixels of the value BLANK are missing.

    Raises
    ------
    Refused
        If astropy is missing, or if the file holds no image, or one of other axes.
    """
    fits = _import_fits()
    with fits.open(handle, memmap=False) as units:
        images = [unit for unit in units if unit.is_image and len(unit.shape) > 1]
        if not images:
            raise Refused(
                "it is a FITS file without an image (tables, spectra or headers alone)"
            )
        _check_axes(images[0].shape)
        notes = (FIRST_IMAGE,) if len(images) > 1 else ()
        return _to_layers(images[0], notes)


def _import_fits() -> ModuleType:
    """Return astropy.io.fits, an optional dependency."""
    try:
        from astropy.io import fits
    except ImportError as error:
        raise Refused(
            "FITS files are read with astropy, which is not installed: run "
            "'pip install astropy' or install this package with the extra 'fits'"
        ) from error
    return fits


def _check_axes(shape: tuple[int, ...]) -> None:
    """Refuse shapes that are neither an image nor a few planes of one."""
    check_size(*shape[-2:])
    longer = [n for n in shape[:-2] if n > 1]
    if len(longer) > 1:
        sizes = " x ".join(map(str, shape))
        raise Refused(
            f"it has {len(shape)} axes ({sizes}): save each image as its own file"
        )
    if longer and longer[0] not in _N_PLANES:
        raise Refused(
            f"it holds {longer[0]} planes, and 1, 3 or 4 are read: save the planes "
            "that tell your classes apart, or each as its own file"
        )


def _to_layers(unit: Any, notes: tuple[str, ...]) -> Layers:
    """Return the values of an image, rows from the top, channels last."""
    blank = _find_blank(unit.header)  # reading the data changes the header
    data = unit.data
    planes = as_native(data.reshape(-1, *data.shape[-2:]))
    pixels = planes[0] if len(planes) == 1 else np.moveaxis(planes, 0, -1)
    pixels = pixels[::-1]
    return Layers(pixels, notes=notes, missing=_mark_blank(pixels, blank))


def _find_blank(header: Any) -> int | None:
    """Return the physical value of integers that means "none", or None."""
    if header["BITPIX"] < 0 or "BLANK" not in header:
        return None
    return int(header["BLANK"]) + int(header.get("BZERO", 0))


def _mark_blank(pixels: NDArray, blank: int | None) -> NDArray | None:
    """Return where integers are blank; astropy makes NaN of others."""
    if blank is None or pixels.dtype.kind == "f":
        return None
    missing: NDArray = pixels == blank
    return missing
