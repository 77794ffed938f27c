"""What embedders measure of the values of images."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from invariant_cluster.images import (
    choose_smoothing,
    measure_background,
    measure_range,
    smoothed_sample,
)


def measure_background_of(embedder: Any, images: NDArray) -> NDArray:
    """Set smoothing and background of an embedder.

    Parameters
    ----------
    embedder : estimator
        Has the parameters ``smoothing`` and ``background``. Gets ``smoothing_``,
        ``noise_level_`` and ``background_``.
    images : ndarray of shape (n, c, h, w)
        Training images.

    Returns
    -------
    ndarray of shape (m, c, h, w)
        The images, smoothed if they are to be; the background is measured on these.

    Raises
    ------
    ValueError
        If ``background`` does not fit the images.
    """
    smoothing = choose_smoothing(images, embedder.smoothing)
    embedder.smoothing_, embedder.noise_level_ = smoothing
    smoothed = smoothed_sample(images, smoothing)
    embedder.background_ = measure_background(smoothed, embedder.background)
    return smoothed


def measure_intensities(embedder: Any, images: NDArray) -> None:
    """Set smoothing, background and intensity range of an embedder.

    Parameters
    ----------
    embedder : estimator
        As in :func:`measure_background_of`, and with ``intensity_range``. Gets
        ``intensity_range_`` too.
    images : ndarray of shape (n, c, h, w)
        Training images.

    Raises
    ------
    ValueError
        If a parameter does not fit the images.
    """
    smoothed = measure_background_of(embedder, images)
    embedder.intensity_range_ = measure_range(smoothed, embedder.intensity_range)
