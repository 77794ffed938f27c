"""What embedders measure of the values of images."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from invariant_cluster.images import (
    NO_TONE,
    choose_smoothing,
    measure_background,
    measure_range,
    measure_tone,
    smoothed_sample,
    toned_sample,
)


def measure_background_of(embedder: Any, images: NDArray) -> NDArray:
    """Set smoothing, tone and background of an embedder.

    Parameters
    ----------
    embedder : estimator
        Has the parameters ``smoothing``, ``object``, ``invariance`` and
        ``background``. Gets ``smoothing_``, ``noise_level_``, ``tone_`` and
        ``background_``.
    images : ndarray of shape (n, c, h, w)
        Training images.

    Returns
    -------
    ndarray of shape (m, c, h, w)
        The images, smoothed and toned if they are to be; the background is measured on
        these.

    Raises
    ------
    ValueError
        If ``background`` does not fit the images, or the invariance.
    """
    if "brightness" in embedder.invariance and not isinstance(embedder.background, str):
        raise ValueError(
            f"background={embedder.background!r} but invariance="
            f"{embedder.invariance!r} gives each image the background of its own "
            "border: set background='auto', or leave out 'brightness'."
        )
    grey = NO_TONE._replace(grey="color" in embedder.invariance.split("+"))
    # Noise is less in grey images, the means of their channels.
    smoothing = choose_smoothing(toned_sample(images, grey), embedder.smoothing)
    embedder.smoothing_, embedder.noise_level_ = smoothing
    smoothed = smoothed_sample(images, smoothing)
    embedder.tone_ = measure_tone(smoothed, embedder.invariance, embedder.object)
    seen = toned_sample(smoothed, embedder.tone_)
    embedder.background_ = measure_background(seen, embedder.background)
    return seen


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
    seen = measure_background_of(embedder, images)
    embedder.intensity_range_ = measure_range(seen, embedder.intensity_range)
