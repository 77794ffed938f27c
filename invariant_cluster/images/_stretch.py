"""Values of huge range: stretched by an inverse hyperbolic sine, or as they are."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from invariant_cluster.images._border import edges_of
from invariant_cluster.images._intensity import measure_range
from invariant_cluster.runtime import at_most, evenly_spaced

# Softening, and the background of each channel; empty if values stay as they are.
Stretch: TypeAlias = tuple[float, ...]

STRETCHES = ("auto", "linear", "asinh")
_GREY_LEVELS = 256  # of the linear range; within one of them, nothing is seen
_FAINT = 0.05  # quantile of the images whose light is the softening
_ROUNDING = 1e-6  # of the background; less is no light
_MOST_VALUES = 2**22  # of the images whose light is measured
_LARGEST = 1e30  # softenings; float32 holds the next thousandfolds, but no more


def choose_stretch(images: NDArray, given: str = "auto") -> Stretch:
    """Return how the values of images are stretched.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Training images, at least one.
    given : {"auto", "linear", "asinh"}, default="auto"
        The user's ``stretch``. "auto" stretches floats of which a linear range would
        show little.

    Returns
    -------
    tuple of float
        The softening and the background of each channel, in the units of the images;
        empty if values stay as they are.

    See Also
    --------
    stretched : Apply it.

    Notes
    -----
    The light of a pixel is its distance from the median of its image's border, the
    largest of the channels. The brightness of an image is the light that half of its
    light exceeds, so that faint tails of objects do not count. "auto" stretches where
    the brightness of the median image is below a 256th of the linear range
    (:func:`measure_range`): one grey level. The softening is the brightness that 5 % of
    the images do not reach. That of an image of noise is that of the noise, which the
    stretch therefore does not raise.

    References
    ----------
    R. H. Lupton, J. E. Gunn and A. S. Szalay, "A modified magnitude system that
    produces well-behaved magnitudes, colors, and errors even for low signal-to-noise
    ratio measurements", The Astronomical Journal 118, 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from invariant_cluster.images import choose_stretch
    >>> flux = np.geomspace(1, 1e6, 50)[:, None, None, None]
    >>> images = np.zeros((50, 1, 16, 16))
    >>> images[:, :, 4:12, 4:12] = flux
    >>> choose_stretch(np.clip(images, 0, 1))
    ()
    >>> softening, background = choose_stretch(images)
    >>> bool(1 < softening < 10), background
    (True, 0.0)
    """
    if given == "linear" or (given == "auto" and images.dtype.kind != "f"):
        return ()
    sample = at_most(images, max(2, _MOST_VALUES // max(1, images[0].size)))
    brightness, backgrounds = _measure_light(sample.astype(np.float64))
    lit = brightness[brightness > 0]
    if given == "auto" and not _hides(images, lit):
        return ()
    softening = float(np.quantile(lit, _FAINT)) if len(lit) else 1.0
    return (softening, *np.median(backgrounds, axis=0).tolist())


def stretched(images: Tensor, stretch: Stretch) -> Tensor:
    """Return images with stretched values.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images in the user's units, float.
    stretch : tuple of float
        Softening s and backgrounds b, or nothing.

    Returns
    -------
    Tensor of the same shape
        ``asinh((J - b) / s)``: linear in values near the background, logarithmic in
        those far from it. The images themselves without a stretch.

    See Also
    --------
    unstretched : Return the values before.
    """
    if not stretch:
        return images
    light = (images - _backgrounds(images, stretch)) / stretch[0]
    return light.clamp(-_LARGEST, _LARGEST).asinh()


def unstretched(images: Tensor, stretch: Stretch) -> Tensor:
    """Return images as they were before :func:`stretched`.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Stretched values.
    stretch : tuple of float
        Softening s and backgrounds b, or nothing.

    Returns
    -------
    Tensor of the same shape
        ``b + s sinh(J)``, in the user's units.
    """
    if not stretch:
        return images
    return _backgrounds(images, stretch) + images.sinh() * stretch[0]


def stretched_sample(images: NDArray, stretch: Stretch) -> NDArray:
    """Return images as outliers, smoothing and range are measured on them.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Training images.
    stretch : tuple of float
        Their stretch.

    Returns
    -------
    ndarray of shape (m, c, h, w)
        The images themselves without a stretch, else evenly spaced ones, stretched,
        float32.
    """
    if not stretch:
        return images
    sample = torch.from_numpy(evenly_spaced(images).astype(np.float64))
    return stretched(sample, stretch).float().numpy()


def stretched_values(images: NDArray, stretch: Stretch) -> NDArray:
    """Return all images with stretched values, to show them.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images.
    stretch : tuple of float
        Their stretch.

    Returns
    -------
    ndarray of shape (n, c, h, w)
        The images themselves without a stretch, else float32.
    """
    if not stretch:
        return images
    return stretched(torch.from_numpy(images.astype(np.float32)), stretch).numpy()


def stretched_level(value: float, stretch: Stretch) -> float:
    """Return the stretched value of one intensity of all channels.

    Parameters
    ----------
    value : float
        Intensity in the user's units.
    stretch : tuple of float
        Softening and backgrounds, of which the mean counts, or nothing.

    Returns
    -------
    float
        Its stretched value.

    See Also
    --------
    unstretched_level : Return the intensity again.
    """
    if not stretch:
        return value
    softening, background = stretch[0], float(np.mean(stretch[1:]))
    light = (value - background) / softening
    return float(np.arcsinh(np.clip(light, -_LARGEST, _LARGEST)))


def unstretched_level(value: float, stretch: Stretch) -> float:
    """Return the intensity of all channels that has a stretched value.

    Parameters
    ----------
    value : float
        Stretched value.
    stretch : tuple of float
        Softening and backgrounds, of which the mean counts, or nothing.

    Returns
    -------
    float
        Intensity in the user's units.
    """
    if not stretch:
        return value
    return float(np.mean(stretch[1:])) + stretch[0] * float(np.sinh(value))


def _backgrounds(images: Tensor, stretch: Stretch) -> Tensor:
    """Return the background of each channel, (c, 1, 1)."""
    columns = [torch.full_like(images[0, :1, :1, :1], b) for b in stretch[1:]]
    return torch.cat(columns)


def _measure_light(images: NDArray) -> tuple[NDArray, NDArray]:
    """Return brightness (n,) and background (n, c) of images (n, c, h, w)."""
    backgrounds = np.median(np.concatenate(edges_of(images), axis=-1), axis=-1)
    base = backgrounds[..., None, None]
    light = np.abs(images - base)
    light[light <= _ROUNDING * np.abs(base)] = 0.0
    light = np.sort(light.max(axis=1).reshape(len(images), -1), axis=1)
    reached = np.cumsum(light, axis=1)
    half = np.argmax(reached >= reached[:, -1:] / 2, axis=1)
    return light[np.arange(len(light)), half], backgrounds


def _hides(images: NDArray, brightness: NDArray) -> bool:
    """Return whether a linear range would hide most images, given their brightness."""
    if not len(brightness):
        return False
    seen = float(np.median(brightness)) * _GREY_LEVELS
    if seen >= float(images.max()) - float(images.min()):  # which takes less time
        return False
    low, high = measure_range(images)
    return seen < high - low
