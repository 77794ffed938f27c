"""What embedders measure of the values of images."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from invariant_cluster.embedders._image_notices import notice_outliers, notice_unfit
from invariant_cluster.images import (
    NO_TONE,
    choose_smoothing,
    clip_outliers,
    find_outliers,
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
        ``background``, and perhaps ``intensity_range``. Gets ``smoothing_``,
        ``noise_level_``, ``tone_`` and ``background_``.
    images : ndarray of shape (n, c, h, w)
        Training images.

    Returns
    -------
    ndarray of shape (m, c, h, w)
        The images, clipped, smoothed and toned if they are to be; the background is
        measured on these.

    Raises
    ------
    ValueError
        If ``background`` does not fit the images, or the invariance.

    Warns
    -----
    UserWarning
        If values lie far outside those of most images, images are blank, or a mark is
        burnt into all of them.
    """
    if "brightness" in embedder.invariance and not isinstance(embedder.background, str):
        raise ValueError(
            f"background={embedder.background!r} but invariance="
            f"{embedder.invariance!r} gives each image the background of its own "
            "border: set background='auto', or leave out 'brightness'."
        )
    grey = NO_TONE._replace(grey="color" in embedder.invariance.split("+"))
    # Noise is less in grey images, the means of their channels.
    limits = measure_limits(images, getattr(embedder, "intensity_range", None))
    within = clip_outliers(images, limits)
    smoothing = choose_smoothing(toned_sample(within, grey), embedder.smoothing)
    embedder.smoothing_, embedder.noise_level_ = smoothing
    smoothed = smoothed_sample(within, smoothing)
    tone = measure_tone(smoothed, embedder.invariance, embedder.object)
    embedder.tone_ = tone._replace(limits=limits)
    seen = toned_sample(smoothed, tone)
    embedder.background_ = measure_background(seen, embedder.background)
    notice_unfit(images)
    return seen


def measure_limits(images: NDArray, given: Any = None) -> tuple[float, ...]:
    """Return limits of the values of images that leave out outliers.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Training images.
    given : (low, high), optional
        The user's ``intensity_range``: with it, no value is an outlier.

    Returns
    -------
    (low, high) or ()
        Limits; nothing if there are no outliers.

    Warns
    -----
    UserWarning
        If there are outliers.
    """
    found = find_outliers(images) if given is None else None
    if found is None:
        return ()
    notice_outliers(found)
    return found.low, found.high


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
