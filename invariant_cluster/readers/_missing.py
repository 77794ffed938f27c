"""Pixels without a value become background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.readers._picture import Layers, Refused

NAN = "NaN became background"
INFINITY = "infinity became background"
NO_DATA = "no-data pixels became background"
# What to call the pixels that a note is of, in a sentence.
MISSING = {NAN: "NaN", INFINITY: "infinite", NO_DATA: "without data"}


def fill_missing(layers: Layers) -> Layers:
    """Fill pixels without a value by the background of each channel.

    Parameters
    ----------
    layers : Layers
        An image. NaN, infinity and the pixels of ``missing`` have no value.

    Returns
    -------
    Layers
        The image with the median of the border pixels that have a value, or of all
        pixels that have one if none at the border has; and a note for each kind.

    Raises
    ------
    Refused
        If a channel has no value at all.
    """
    pixels = layers.pixels
    missing, notes = layers.missing, layers.notes
    if missing is not None and missing.any():
        notes = (*notes, NO_DATA)
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        notes = (*notes, *_name_values(pixels))
        infinite = ~np.isfinite(pixels)
        missing = infinite if missing is None else missing | infinite
    if missing is None or not missing.any():
        return layers
    n_missing = int(np.count_nonzero(np.atleast_3d(missing).any(axis=2)))
    filled = _fill(pixels, missing)
    return layers._replace(
        pixels=filled, notes=notes, missing=None, n_missing=n_missing
    )


def fill_pixels(pixels: NDArray) -> NDArray:
    """Fill NaN and infinity of one image by the background of each channel.

    Parameters
    ----------
    pixels : ndarray of shape (h, w) or (h, w, c)
        An image of any real dtype.

    Returns
    -------
    ndarray of the same shape
        The image, filled as :func:`fill_missing` does.

    Raises
    ------
    Refused
        If a channel has no value at all.
    """
    return fill_missing(Layers(pixels)).pixels


def _name_values(pixels: NDArray) -> list[str]:
    """Return the notes on the kinds of values that are not finite."""
    found = {NAN: np.isnan(pixels), INFINITY: np.isinf(pixels)}
    return [note for note, where in found.items() if where.any()]


def _fill(pixels: NDArray, missing: NDArray) -> NDArray:
    """Return a copy with the missing pixels of each channel filled."""
    filled = pixels.copy()
    channels = np.atleast_3d(filled)  # a view
    masks = np.broadcast_to(np.atleast_3d(missing), channels.shape)
    for c in range(channels.shape[2]):
        channel, mask = channels[..., c], masks[..., c]
        channel[mask] = _find_background(channel, ~mask)
    return filled


def _find_background(channel: NDArray, known: NDArray) -> np.generic:
    """Return the median of the known pixels at the border, or of all known ones."""
    border = np.ones(channel.shape, dtype=bool)
    border[1:-1, 1:-1] = False
    values = channel[known & border]
    if not values.size:
        values = channel[known]
    if not values.size:
        raise Refused("none of its pixels has a value (all are NaN): leave it out")
    # Of an even number the lower one: a value of the file, in its type.
    return np.sort(values)[(values.size - 1) // 2]
