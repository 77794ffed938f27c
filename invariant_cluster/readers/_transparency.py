"""Transparent pixels become black or white, whichever shows the object."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.readers._picture import Layers

GROUNDS = ("black", "white")
_NOTES = {ground: f"transparent pixels became {ground}" for ground in GROUNDS}


def flatten(layers: Layers, transparent: str) -> Layers:
    """Lay an image over a ground, so that it needs no opacity.

    Parameters
    ----------
    layers : Layers
        An image with or without opacity alpha.
    transparent : {"auto", "black", "white"}
        The ground. "auto" is the one farther from the opaque pixels.

    Returns
    -------
    Layers
        ``alpha`` times the image plus ``1 - alpha`` times the ground, rounded in the
        type of the image, and a note; the image itself if all of it is opaque.

    See Also
    --------
    farther_ground : The ground that "auto" chooses.
    """
    opacity = _opacity(layers)
    if opacity is None:
        return layers
    if transparent == "auto":
        transparent = farther_ground([opaque_mean(layers)])
    white = full_scale(layers.pixels.dtype)
    ground = white if transparent == "white" else 0.0
    colour = layers.pixels if layers.premultiplied else layers.pixels * opacity
    mixed = colour + ground * (1 - opacity)
    if layers.pixels.dtype.kind != "f":
        mixed = np.clip(np.rint(mixed), None, white)
    return layers._replace(
        pixels=mixed.astype(layers.pixels.dtype),
        notes=(*layers.notes, _NOTES[transparent]),
    )


def opaque_mean(layers: Layers) -> float | None:
    """Return the mean of the opaque pixels, as a share of white.

    Parameters
    ----------
    layers : Layers
        An image.

    Returns
    -------
    float or None
        Mean over pixels and channels, weighted by the opacity; None if no pixel is
        transparent, or all are.
    """
    opacity = _opacity(layers)
    if opacity is None or not opacity.any():
        return None
    colour = layers.pixels if layers.premultiplied else layers.pixels * opacity
    weight = opacity.sum() * (colour.size / opacity.size)
    return float(colour.sum() / weight / full_scale(layers.pixels.dtype))


def farther_ground(means: Iterable[float | None]) -> str:
    """Return "white" if the opaque pixels of some images are dark, else "black".

    Parameters
    ----------
    means : iterable of float or None
        Result of :func:`opaque_mean` of each image.

    Returns
    -------
    {"black", "white"}
        "black" if no image has both opaque and transparent pixels.
    """
    known = [mean for mean in means if mean is not None]
    return "white" if known and sum(known) / len(known) < 0.5 else "black"


def full_scale(dtype: np.dtype) -> float:
    """Return what white is in a dtype: its largest integer, or 1 for floats."""
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)


def _opacity(layers: Layers) -> NDArray[np.float64] | None:
    """Return the opacity, 0 to 1, (h, w) or (h, w, 1); None if all is opaque."""
    alpha = layers.alpha
    if alpha is None or alpha.min() >= full_scale(alpha.dtype):
        return None
    opacity = np.clip(alpha / full_scale(alpha.dtype), 0, 1)
    return opacity[..., None] if layers.pixels.ndim == 3 else opacity
