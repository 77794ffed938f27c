"""The noise of images, and the smoothing that removes it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from invariant_cluster.geometry import smooth_images
from invariant_cluster.images._tone import NO_TONE
from invariant_cluster.runtime import at_most, evenly_spaced

_MOST_VALUES = 2**22  # on which noise is measured
_BAND = 0.1  # of the shorter side, and at least two pixels
_LEAST_SHARE_OF_WHITE = 0.7
_LARGEST_SNR = 5.0
_SURE = 5.0  # standard errors
_NOISE_LEFT = 0.45  # of the signal's standard deviation
_WIDTHS = 1 / 32, 1 / 16  # of the shorter side
_REACH_OF_NOISE_LEFT = 3.0  # standard deviations
# Standard deviation of smoothed white noise, at width 1 and standard deviation 1.
_OF_SMOOTHED = 1 / (2 * math.sqrt(math.pi))


class Noise(NamedTuple):
    """White noise of images.

    Attributes
    ----------
    level : float
        Standard deviation of the part that is independent from pixel to pixel, in the
        units of the images.
    signal : float
        Standard deviation of what remains inside the border, 0 if it may be chance.
    share : float
        Share of that part in the variance of the border, from 0 to 1: near 1 if there
        is nothing but noise at the border.

    See Also
    --------
    measure_noise : Measure it.
    """

    level: float
    signal: float
    share: float


class Smoothing(NamedTuple):
    """How images are smoothed before anything else is done with them.

    Attributes
    ----------
    width : float
        Standard deviation of the Gaussian, in pixels; 0 for none.
    noise_level : float
        Standard deviation of the white noise before smoothing, in the units of the
        images.

    See Also
    --------
    choose_smoothing : Choose it for images.
    """

    width: float
    noise_level: float

    @property
    def noise_left(self) -> float:
        """Standard deviation of the noise after smoothing, in the images' units."""
        return self.noise_level * _OF_SMOOTHED / self.width if self.width else 0.0

    @property
    def noise_floor(self) -> float:
        """Distance from the background that the noise left reaches: three times it."""
        return _REACH_OF_NOISE_LEFT * self.noise_left


NO_SMOOTHING = Smoothing(0.0, 0.0)


def measure_noise(images: NDArray) -> Noise:
    """Return the white noise at the border of images.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype, at least one.

    Returns
    -------
    Noise
        Its level, the signal and the share of noise at the border.

    See Also
    --------
    choose_smoothing : Choose a smoothing by it.

    Notes
    -----
    Neighbouring pixels share the signal and not the noise. The variance of the noise is
    therefore what the autocovariance loses from no shift to a shift by one pixel, in a
    band along the border where the objects are not.

    References
    ----------
    J. T. L. Thong, K. S. Sim and J. C. H. Phang, "Single-image signal-to-noise ratio
    estimation", Scanning 23, 2001.
    """
    most = max(2, _MOST_VALUES // max(1, images[0].size))
    sample = at_most(images, most).astype(np.float64)
    height, width = sample.shape[-2:]
    band = max(2, round(_BAND * min(height, width)))
    sample = sample.reshape(-1, height, width)
    rows = np.concatenate([sample[:, :band], sample[:, -band:]], axis=1)
    columns = np.concatenate([sample[:, :, :band], sample[:, :, -band:]], axis=2)
    middle = np.median(rows, axis=(1, 2), keepdims=True)
    rows, columns = rows - middle, columns - middle
    variance = float(np.square(rows).mean() + np.square(columns).mean()) / 2
    beside = (rows[..., 1:] * rows[..., :-1]).mean()
    below = (columns[:, 1:] * columns[:, :-1]).mean()
    noise = max(0.0, variance - float(beside + below) / 2)
    inside = sample[:, band:-band, band:-band].var(axis=(1, 2)).mean()
    signal = float(inside) - noise
    # Both variances of nothing but noise differ by chance.
    if signal < _SURE * noise * math.sqrt(2 / rows.size):
        signal = 0.0
    share = noise / variance if variance > 0 else 0.0
    return Noise(math.sqrt(noise), math.sqrt(signal), min(1.0, share))


def choose_smoothing(images: NDArray, given: Any = "auto") -> Smoothing:
    """Return the smoothing of images.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Training images.
    given : "auto" or float, default="auto"
        The user's ``smoothing``. "auto" smooths images whose border is white noise and
        whose signal-to-noise ratio, of variances, is below 5; not images in which no
        signal is found.

    Returns
    -------
    Smoothing
        Its width and the level of the noise; 0 where the border is no white noise.

    Raises
    ------
    ValueError
        If the given width is above a quarter of the shorter side.

    See Also
    --------
    measure_noise : Measure the noise.
    smoothed_sample : Smooth images for further measurements.

    Notes
    -----
    "auto" is a thirty-second of the shorter side, or up to twice as much where that
    would leave more noise than 0.45 of the signal's standard deviation; at least one
    pixel. The widths were chosen by the error of the poses of MNIST(U)'s training
    images with noise, without labels.
    """
    shorter = min(images.shape[-2:])
    if not isinstance(given, str) and given > shorter / 4:
        raise ValueError(
            f"smoothing={given!r} would leave nothing of images whose shorter side has "
            f"{shorter} pixels: give at most {shorter / 4:g}, or 'auto'."
        )
    noise = measure_noise(images)
    is_white = noise.share >= _LEAST_SHARE_OF_WHITE
    level = noise.level if is_white else 0.0
    if not isinstance(given, str):
        return Smoothing(float(given), level)
    if not is_white or not 0 < noise.signal**2 < _LARGEST_SNR * noise.level**2:
        return NO_SMOOTHING
    least, most = (max(1.0, share * shorter) for share in _WIDTHS)
    width = noise.level / noise.signal * _OF_SMOOTHED / _NOISE_LEFT
    return Smoothing(min(max(least, width), most), level)


def smoothed_sample(images: NDArray, smoothing: Smoothing) -> NDArray:
    """Return images as range and background are measured on them.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Training images.
    smoothing : Smoothing
        Their smoothing.

    Returns
    -------
    ndarray of shape (m, c, h, w)
        The images themselves if there is no smoothing, else evenly spaced ones,
        smoothed, float32.
    """
    if not smoothing.width:
        return images
    sample = torch.from_numpy(evenly_spaced(images).astype(np.float32))
    return smooth_images(sample, smoothing.width).numpy()


def range_of(embedder: Any) -> tuple[float, float] | None:
    """Return the range in which images as they were given are shown.

    Parameters
    ----------
    embedder : object
        A fitted embedder, or anything else.

    Returns
    -------
    low, high : float
        Its ``intensity_range_``; None without such an attribute, or if brightness or
        colour are changed before it applies.
    """
    limits = getattr(embedder, "intensity_range_", None)
    return limits if getattr(embedder, "tone_", NO_TONE).keeps_values else None
