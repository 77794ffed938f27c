"""What ``fit`` tells about images that harm the clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.images import (
    Outliers,
    Stretch,
    border_median,
    find_blank,
    find_mark,
    has_few_values,
    notice,
)

_FEW = 0.01  # of the images
_BRIGHTNESS = (
    "If their brightness means nothing, add 'brightness' to invariance, which gives "
    "all images one level. "
)


def notice_outliers(found: Outliers) -> None:
    """Warn of values far outside those of most images.

    Parameters
    ----------
    found : Outliers
        Their number, and the limits.

    Warns
    -----
    UserWarning
        Once in a :func:`noticed_once`.
    """
    low, high = max(found.low, found.lowest), min(found.high, found.highest)
    notice(
        f"X has values from {found.lowest:,g} to {found.highest:,g}, but nearly all "
        f"lie in {low:,g} to {high:,g}: {found.n_values:,} pixel(s) in "
        f"{found.n_images:,} of {found.n_seen:,} images are far outside, and all "
        "images are clipped to that range. Mask or replace hot pixels, saturated marks "
        "and stand-ins for missing values (numpy.ma.masked_outside hides them from "
        "fit). If the values are real, give their logarithm (numpy.log1p), or set "
        "intensity_range=(low, high) of an embedder that has it.",
    )


def notice_stretch(stretch: Stretch, *, levels: bool) -> None:
    """Warn that values of huge range are stretched.

    Parameters
    ----------
    stretch : tuple of float
        Softening, and background of each channel.
    levels : bool
        Whether images get one brightness first.

    Warns
    -----
    UserWarning
        Once in a :func:`noticed_once`.
    """
    means = "" if levels else _BRIGHTNESS
    notice(
        f"X has a huge range: a linear one would show the light of most images in less "
        f"than one of 256 grey levels. Values J are stretched, asinh((J - b) / s) with "
        f"background b = {float(np.mean(stretch[1:])):.3g} and softening s = "
        f"{stretch[0]:.3g}: small ones count linearly, large ones by their logarithm. "
        f"{means}Set stretch='linear' (--stretch linear) to leave values as they are, "
        "or 'asinh' if that is right.",
    )


def notice_unfit(images: NDArray) -> None:
    """Warn of blank images, and of a mark that is the same in all images.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Training images.

    Warns
    -----
    UserWarning
        Each once in a :func:`noticed_once`.
    """
    _notice_blank(images)
    _notice_mark(images)


def _notice_blank(images: NDArray) -> None:
    rows, n_seen = find_blank(images)
    # A few wafers without a failing die, or a few empty masks, are nothing unusual.
    if not len(rows) or (len(rows) < _FEW * n_seen and has_few_values(images)):
        return
    verb = "is" if len(rows) == 1 else "are"
    notice(
        f"{len(rows):,} of {n_seen:,} images {verb} blank (all pixels equal), such as "
        f"number {rows[0]}: they form a cluster of their own or join any. Leave them "
        "out, or check how they were read (transparent or 16-bit files).",
    )


def _notice_mark(images: NDArray) -> None:
    mark = find_mark(images, border_median(images))
    if mark is None:
        return
    notice(
        f"{mark.n_pixels:,} pixels in rows {mark.top} to {mark.bottom - 1} and columns "
        f"{mark.left} to {mark.right - 1} are the same in all images and differ from "
        "the background, such as a scale bar or a caption: it counts as part of every "
        "object. Paint it with the background, or give crop= or mask= of "
        "load_image_folder.",
    )
