"""What the samples of a TIFF file mean: grey, colours, opacity, palette."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.readers._picture import Layers, Refused

# PhotometricInterpretation, TIFF 6.0, section 8
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_JPEG = (6, 7)  # compressions whose decoders turn YCbCr into RGB
_ASSOCIATED, _UNASSOCIATED = 1, 2  # ExtraSamples, section 18
_N_CHANNELS = (1, 3, 4)


def interpret(page: Any, samples: NDArray, axes: str) -> Layers:
    """Return colours and opacity of the samples of an image.

    Parameters
    ----------
    page : tifffile.TiffPage
        The page with the tags of the image.
    samples : ndarray of shape (h, w) or (h, w, n)
        Its samples as they are stored, in native byte order.
    axes : str
        Axes of the file that are longer than 1, with "C" if its channels are pages.

    Returns
    -------
    Layers
        Black is zero, palettes are resolved, and fewer than 8 bits are scaled to 8.

    Raises
    ------
    Refused
        If the samples are neither 1, 3 or 4 channels nor colours, or not real numbers.
    """
    if samples.dtype.kind not in "buif":
        raise Refused(f"its values are of type {samples.dtype}: save real numbers")
    photometric = int(page.photometric)
    if photometric == _PALETTE:
        return Layers(_look_up(page.colormap, samples))
    if not _is_plain(page, photometric):
        raise Refused(
            f"its colours are stored as {page.photometric.name}, which is not read: "
            "save it as grey or RGB"
        )
    samples = _scale_bits(samples, page.bitspersample)
    colour, alpha, associated = _split(page, samples)
    _check_channels(colour, axes)
    if photometric == _WHITE_IS_ZERO:
        colour = _invert(colour, page.bitspersample)
    return Layers(colour, alpha, premultiplied=associated)


def is_stored_as_meant(page: Any) -> bool:
    """Return whether :func:`interpret` returns the colours of a page as stored."""
    return page.photometric in (_BLACK_IS_ZERO, _RGB) and page.bitspersample >= 8


def _is_plain(page: Any, photometric: int) -> bool:
    """Return whether samples are grey or RGB once they are decoded."""
    if photometric == _YCBCR:
        return int(page.compression) in _JPEG
    return photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB)


def _look_up(table: NDArray, indices: NDArray) -> NDArray:
    """Return the colours, (h, w, 3) uint8, of indices into a palette (3, n)."""
    # Palettes are of 16 bits; some programs fill 8 of them only.
    eight_bits = table >> 8 if table.max() > 255 else table
    return eight_bits.astype(np.uint8).T[indices]


def _scale_bits(samples: NDArray, bits: int) -> NDArray:
    """Return samples of 1, 2 or 4 bits as uint8 from 0 to 255; others as they are."""
    if bits not in (1, 2, 4):
        return samples
    return samples.astype(np.uint8) * np.uint8(255 // (2**bits - 1))


def _invert(samples: NDArray, bits: int) -> NDArray:
    """Return samples stored with white as zero so that black is zero."""
    if samples.dtype.kind == "f":
        raise Refused(
            "zero is white in it, but its floats have no black: save it with zero as "
            "black"
        )
    if samples.dtype.kind == "i" or bits < 8:
        return ~samples
    return samples.dtype.type(2**bits - 1) - samples


def _split(page: Any, samples: NDArray) -> tuple[NDArray, NDArray | None, bool]:
    """Return colours, opacity or None, and whether one is multiplied by the other."""
    extra = [int(kind) for kind in page.extrasamples]
    if samples.ndim == 2 or not {_ASSOCIATED, _UNASSOCIATED} & set(extra):
        return samples, None, False
    n_colours = samples.shape[2] - len(extra)
    if len(extra) > 1:
        raise Refused(
            f"it has {len(extra)} channels beside its {n_colours} of colour: save the "
            "colours, with at most one channel of opacity"
        )
    colour = samples[..., 0] if n_colours == 1 else samples[..., :n_colours]
    return colour, samples[..., -1], extra[0] == _ASSOCIATED


def _check_channels(colour: NDArray, axes: str) -> None:
    """Refuse numbers of channels that are neither grey, RGB nor four."""
    n_channels = colour.shape[2] if colour.ndim == 3 else 1
    if n_channels not in _N_CHANNELS:
        raise Refused(
            f"it has {n_channels} channels (axes {axes}), and images of 1, 3 or 4 are "
            "read: save the one, or the three, that tell your classes apart"
        )
