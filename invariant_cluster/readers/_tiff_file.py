"""TIFF files, read with tifffile."""

from __future__ import annotations

from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

from invariant_cluster.readers._orientation import TAG, turn_layers
from invariant_cluster.readers._picture import Layers, Refused, as_native, check_size
from invariant_cluster.readers._tiff_codecs import decode
from invariant_cluster.readers._tiff_samples import interpret, is_stored_as_meant

_NO_DATA_TAG = 42113  # of GDAL: the value of pixels that have none


def read_tiff(handle: BinaryIO) -> Layers:
    """Return the image of a TIFF file.

    Parameters
    ----------
    handle : binary file
        The file, at its start.

    Returns
    -------
    Layers
        Values in the type that the file states; 1, 2 and 4 bits are scaled to 8, and
        half floats become float32.

    Raises
    ------
    Refused
        If tifffile or a decoder is missing, if the file holds several images or is cut
        off, or if its samples are neither grey nor colours.
    """
    tifffile = _import_tifffile()
    with tifffile.TiffFile(handle) as tiff:
        series = _choose_series(tiff)
        page = series.keyframe
        check_size(page.imagelength, page.imagewidth)
        _check_whole(series, handle)
        axes, shape = _squeeze_axes(series)
        stored = decode(series, handle).reshape(shape)
        order = [axes.index(axis) for axis in ("Y", "X", *_beside_rows(axes))]
        layers = interpret(page, as_native(stored.transpose(order)), axes)
        tag = page.tags.get(TAG)
        layers = _mark_no_data(layers, page)
        return layers if tag is None else turn_layers(layers, int(tag.value))


def tiff_states_opacity(handle: BinaryIO) -> bool:
    """Return whether the first page of a TIFF file has samples beside its colours.

    Parameters
    ----------
    handle : binary file
        The file, at its start.

    Returns
    -------
    bool
        True if there are samples that may be opacity.
    """
    with _import_tifffile().TiffFile(handle) as tiff:
        return bool(tiff.pages[0].extrasamples)


def _import_tifffile() -> ModuleType:
    """Return tifffile, an optional dependency."""
    try:
        import tifffile
    except ImportError as error:
        raise Refused(
            "TIFF files are read with tifffile, which is not installed: run "
            "'pip install tifffile' or install this package with the extra 'images'"
        ) from error
    return tifffile


def _choose_series(tiff: Any) -> Any:
    """Return the only image of a file, thumbnails apart."""
    series = [part for part in tiff.series if not part.keyframe.is_reduced]
    if not series and tiff.series:
        raise Refused(
            "its pages are previews (of a raw photo?): save the photo as TIFF or PNG"
        )
    if len(series) != 1:
        raise Refused(
            f"it holds {len(series)} images of different kinds: save each as its own "
            "file"
        )
    return series[0]


def _squeeze_axes(series: Any) -> tuple[str, tuple[int, ...]]:
    """Return the axes of a series that are longer than 1, and their lengths.

    They are Y, X and at most S (samples of a pixel) or C (channels of a microscope).
    """
    pairs = zip(series.axes, series.shape, strict=True)
    kept = [(axis, n) for axis, n in pairs if n > 1 or axis in "YX"]
    axes = "".join(axis for axis, _ in kept)
    if _beside_rows(axes) not in ("", "S", "C"):
        frames = int(np.prod([n for axis, n in kept if axis not in "YXS"]))
        raise Refused(
            f"it holds {frames} frames (axes {axes}), which are no channels: save "
            "each frame as its own file"
        )
    return axes, tuple(n for _, n in kept)


def _beside_rows(axes: str) -> str:
    """Return the axes that are neither rows nor columns."""
    return axes.replace("Y", "").replace("X", "")


def _check_whole(series: Any, handle: BinaryIO) -> None:
    """Refuse a file without some of its pixels; tifffile would make them up."""
    size = handle.seek(0, 2)
    for page in series.pages:
        if page is None or not 0 < _find_end(page, series.keyframe) <= size:
            raise Refused(
                "it is cut off or sparse, since some pixels are not in the file: copy "
                "it again, or save it whole"
            )


def _find_end(page: Any, keyframe: Any) -> int:
    """Return where the pixels of a page end in the file, 0 if some have no place."""
    if keyframe.is_contiguous:  # lengths may be stated too large: they do not matter
        return page.dataoffsets[0] + keyframe.nbytes
    parts = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    placed = parts and all(start and n for start, n in parts)
    return max(start + n for start, n in parts) if placed else 0


def _mark_no_data(layers: Layers, page: Any) -> Layers:
    """Return the image with pixels of the value that means "none" as missing."""
    tag = page.tags.get(_NO_DATA_TAG)
    if tag is None or not is_stored_as_meant(page):
        return layers
    value = float(str(tag.value).strip(" \0"))
    missing = np.atleast_3d(layers.pixels) == value
    return layers._replace(missing=missing.all(axis=2))
