"""Decoders of TIFF files: tifffile's, and Pillow's where tifffile has none."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.readers._orientation import TAG
from invariant_cluster.readers._picture import Refused
from invariant_cluster.readers._pillow_file import import_pillow

# (bits, SampleFormat, samples of a pixel) that Pillow returns as they are stored
_KEPT_BY_PILLOW = {(1, 1, 1), (8, 1, 1), (8, 1, 3), (16, 1, 1), (32, 3, 1)}
_KEPT_WITH_OPACITY = {(8, 1, 2), (8, 1, 4)}  # it divides colours by the other kind
_UNASSOCIATED = (2,)
_WHITE_IS_ZERO = 0
_INTERLEAVED = 1  # PlanarConfiguration


_NO_CODEC = ("imagecodecs", "not supported")  # as releases of tifffile say it


def decode(series: Any, handle: BinaryIO) -> NDArray:
    """Return the samples of a series in the order of its axes.

    Parameters
    ----------
    series : tifffile.TiffPageSeries
        The image.
    handle : binary file
        The file that holds it.

    Returns
    -------
    ndarray
        Samples as they are stored.

    Raises
    ------
    Refused
        If neither tifffile nor Pillow decodes the compression without loss.
    """
    try:
        return series.asarray(maxworkers=1)
    except ValueError as error:
        # LZW, JPEG and others are in the package imagecodecs, which may be missing.
        if not any(words in str(error) for words in _NO_CODEC):
            raise
        if _is_kept_by_pillow(series):
            return _decode_with_pillow(series.keyframe, handle)
        name = series.keyframe.compression.name
        raise Refused(
            f"its compression {name} needs a package that is not installed: run "
            "'pip install imagecodecs', or save it without compression"
        ) from error


def _is_kept_by_pillow(series: Any) -> bool:
    """Return whether Pillow returns the samples of a single page unchanged."""
    page = series.keyframe
    if len(series.pages) > 1 or int(page.planarconfig) != _INTERLEAVED:
        return False
    orientation = page.tags.get(TAG)
    # Some versions of Pillow turn the image, others leave it to the caller.
    if orientation is not None and int(orientation.value) != 1:
        return False
    kind = (page.bitspersample, int(page.sampleformat), page.samplesperpixel)
    if page.extrasamples:
        return kind in _KEPT_WITH_OPACITY and page.extrasamples == _UNASSOCIATED
    return kind in _KEPT_BY_PILLOW


def _decode_with_pillow(page: Any, handle: BinaryIO) -> NDArray:
    """Return the samples of the page as tifffile would."""
    handle.seek(0)
    with import_pillow().open(handle, formats=("TIFF",)) as image:
        image.seek(page.index)
        samples = np.asarray(image)
    if int(page.photometric) == _WHITE_IS_ZERO:  # Pillow has inverted these
        samples = ~samples
    return samples
