"""What embedders measure of the values of images."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray

from invariant_cluster.embedders._image_notices import (
    notice_outliers,
    notice_stretch,
    notice_unfit,
)
from invariant_cluster.images import (
    NO_TONE,
    Outliers,
    Stretch,
    choose_smoothing,
    choose_stretch,
    clip_outliers,
    find_outliers,
    measure_background,
    measure_range,
    measure_tone,
    smoothed_sample,
    stretched_sample,
    toned_sample,
    unstretched,
    unstretched_level,
    with_faint,
)


def measure_background_of(embedder: Any, images: NDArray) -> NDArray:
    """Set stretch, smoothing, tone and background of an embedder.

    Parameters
    ----------
    embedder : estimator
        Has the parameters ``stretch``, ``smoothing``, ``object``, ``invariance`` and
        ``background``, and perhaps ``intensity_range``. Gets ``smoothing_``,
        ``noise_level_``, ``tone_`` and ``background_``.
    images : ndarray of shape (n, c, h, w)
        Training images.

    Returns
    -------
    ndarray of shape (m, c, h, w)
        The images, clipped, stretched, smoothed and toned if they are to be; the
        background is measured on these.

    Raises
    ------
    ValueError
        If ``background`` does not fit the images, or the invariance.

    Warns
    -----
    UserWarning
        If values lie far outside those of most images, "auto" stretches them, images
        are blank, or a mark is burnt into all of them.
    """
    _check_background(embedder)
    asked, levels = _asked_stretch(embedder, images), _levels(embedder)
    wide = choose_stretch(images, asked)
    limits = measure_limits(images, getattr(embedder, "intensity_range", None), wide)
    within = clip_outliers(images, limits)
    seen = _smooth(embedder, within if levels else stretched_sample(within, wide))
    tone = measure_tone(seen, embedder.invariance, embedder.object)
    tone = with_faint(tone, wide[0]) if wide else tone
    seen = toned_sample(seen, tone)
    # What images of one level span is within them.
    stretch = choose_stretch(seen, asked) if levels else wide
    seen = stretched_sample(seen, stretch) if levels else seen
    embedder.tone_ = tone._replace(limits=limits, stretch=stretch)
    embedder.background_ = _background_before(seen, embedder.background, stretch)
    if stretch and embedder.stretch == "auto":
        notice_stretch(stretch, levels=levels)
    notice_unfit(images)
    return seen


def _check_background(embedder: Any) -> None:
    """Raise if a background is given for images that each have their own."""
    if _levels(embedder) and not isinstance(embedder.background, str):
        raise ValueError(
            f"background={embedder.background!r} but invariance="
            f"{embedder.invariance!r} gives each image the background of its own "
            "border: set background='auto', or leave out 'brightness'."
        )


def _levels(embedder: Any) -> bool:
    """Return whether images get one background and level."""
    return "brightness" in embedder.invariance


def _asked_stretch(embedder: Any, images: NDArray) -> str:
    """Return the stretch that is asked for; images of one level are always floats."""
    stretch: str = embedder.stretch
    return "linear" if stretch == "auto" and images.dtype.kind != "f" else stretch


def _smooth(embedder: Any, images: NDArray) -> NDArray:
    """Return smoothed images, and set how an embedder smooths."""
    grey = NO_TONE._replace(grey="color" in embedder.invariance.split("+"))
    # Noise is less in grey images, the means of their channels.
    smoothing = choose_smoothing(toned_sample(images, grey), embedder.smoothing)
    embedder.smoothing_, embedder.noise_level_ = smoothing
    return smoothed_sample(images, smoothing)


def _background_before(images: NDArray, given: Any, stretch: Stretch) -> NDArray:
    """Return the background (c,) of stretched images, in the user's units."""
    background = measure_background(images, given)
    if not isinstance(given, str) or not stretch:
        return background
    ground = torch.from_numpy(background)[None, :, None, None]
    return unstretched(ground, stretch).flatten().numpy()


def measure_limits(
    images: NDArray, given: Any = None, stretch: Stretch = ()
) -> tuple[float, ...]:
    """Return limits of the values of images that leave out outliers.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Training images.
    given : (low, high), optional
        The user's ``intensity_range``: with it, no value is an outlier.
    stretch : tuple of float, default=()
        Stretch of images of huge range: outliers are those of stretched values.

    Returns
    -------
    (low, high) or ()
        Limits in the user's units; nothing if there are no outliers.

    Warns
    -----
    UserWarning
        If there are outliers.
    """
    found = find_outliers(stretched_sample(images, stretch)) if given is None else None
    if found is None:
        return ()
    # Mean backgrounds serve all channels: limits are far from them.
    lowest, highest, low, high = (unstretched_level(v, stretch) for v in found[:4])
    notice_outliers(Outliers(lowest, highest, low, high, *found[4:]))
    return low, high


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
    low, high = measure_range(seen, embedder.intensity_range)
    if embedder.intensity_range is None:
        low, high = (unstretched_level(v, embedder.tone_.stretch) for v in (low, high))
    embedder.intensity_range_ = low, high
