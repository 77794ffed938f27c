"""What is done to the values of images: range, object, brightness and colour."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from invariant_cluster.images._border import edges_of, quantile_of
from invariant_cluster.images._central_object import isolate_central
from invariant_cluster.images._stretch import (
    Stretch,
    stretched,
    stretched_values,
    unstretched,
)
from invariant_cluster.runtime import evenly_spaced, to_tensor

_HIGH = 0.995  # quantile of the distance from the background
_SMALL = 0.1  # of the largest distance; below, the object has fewer pixels than that
_LEAST_LEVEL = 1e-3  # of the common level; below, an image is blank


class Tone(NamedTuple):
    """Background and level that all images get, and what of them remains.

    Attributes
    ----------
    background : tuple of float, default=()
        Common background, one value a channel, in the units of the images; empty if the
        brightness of images stays as it is.
    level : float, default=0.0
        Common distance of the brightest pixels from the background.
    grey : bool, default=False
        Whether channels are replaced by their mean.
    central : bool, default=False
        Whether all but the object nearest the middle is replaced by background, first.
    limits : tuple of float, default=()
        Limits (low, high) that raw images are clipped to before all else; empty if the
        training images had no values far outside.
    stretch : tuple of float, default=()
        Softening, and background of each channel, of the inverse hyperbolic sine that
        values become; empty if they stay as they are. It applies before all else but
        the limits, or, if there is a common background, last.
    least : float, default=0.001
        Share of the common level below which an image is blank, and not scaled.

    See Also
    --------
    measure_tone : Measure it on training images.
    toned : Apply it.
    """

    background: tuple[float, ...] = ()
    level: float = 0.0
    grey: bool = False
    central: bool = False
    limits: tuple[float, ...] = ()
    stretch: Stretch = ()
    least: float = _LEAST_LEVEL

    @property
    def keeps_values(self) -> bool:
        """Whether images within the limits stay as they are."""
        return self._replace(limits=()) == NO_TONE


NO_TONE = Tone()


def as_tone(values: Iterable[Any]) -> Tone:
    """Return a tone from its values as JSON holds them.

    Parameters
    ----------
    values : iterable
        Its fields in their order; older files hold the first three.

    Returns
    -------
    Tone
        The tone.
    """
    background, *others = values
    tone = Tone(tuple(background), *others)
    return tone._replace(limits=tuple(tone.limits), stretch=tuple(tone.stretch))


def measure_tone(images: NDArray, invariance: str, shown: str = "all") -> Tone:
    """Return the tone of training images.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Training images, at least one.
    invariance : str
        Words joined by "+"; "brightness" and "color" count.
    shown : {"all", "central"}, default="all"
        What of an image counts; see :func:`isolate_central`.

    Returns
    -------
    Tone
        Medians over the images of background and level, so that a typical image stays
        as it is.

    See Also
    --------
    toned : Apply the tone.
    """
    words = invariance.split("+")
    tone = NO_TONE._replace(grey="color" in words, central=shown == "central")
    if "brightness" not in words:
        return tone
    sample = toned(to_tensor(evenly_spaced(images)).float(), tone)
    background, level = _frame_of(sample)
    is_seen = level > 0
    common = level[is_seen].median() if bool(is_seen.any()) else torch.ones(())
    typical = background.flatten(1).median(dim=0).values
    return tone._replace(background=tuple(typical.tolist()), level=float(common))


def with_faint(tone: Tone, faintest: float) -> Tone:
    """Return a tone to which faint images are not blank.

    Parameters
    ----------
    tone : Tone
        Common background and level.
    faintest : float
        Brightness of faint images; a thousandth of it is blank.

    Returns
    -------
    Tone
        The same, if images do not get one level.
    """
    if not tone.background:
        return tone
    return tone._replace(least=_LEAST_LEVEL * min(1.0, faintest / tone.level))


def entered(images: Tensor, tone: Tone) -> Tensor:
    """Return raw images clipped to the limits of a tone, and stretched.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images in the user's units, float.
    tone : Tone
        Its limits apply, if any, and its stretch, unless images get one level first.

    Returns
    -------
    Tensor of the same shape
        Images to smooth and tone: a hot pixel would spread, or set the level.

    See Also
    --------
    find_outliers : Find the limits.
    choose_stretch : Choose the stretch.
    """
    if tone.limits:
        images = images.clamp(*tone.limits)
    return images if tone.background else stretched(images, tone.stretch)


def toned(images: Tensor, tone: Tone) -> Tensor:
    """Return images with the common background and level, grey or isolated.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images in the user's units, float.
    tone : Tone
        Common background and level.

    Returns
    -------
    Tensor of the same shape
        ``J' = B + (J - b) L / l`` with the tone's background B and level L. The image's
        own background b is the median of its border, and its level l the 99.5
        percentile of ``max |J - b|`` over channels, or the largest value if that is
        more than ten times as large. A blank image is not scaled. J' is stretched.

    See Also
    --------
    untoned : Give images their own background and level again.
    """
    images = _reduced(images, tone)
    if not tone.background:
        return images
    background, gain = _own_frame(images, tone)
    levelled = _common(images, tone) + (images - background) / gain
    return stretched(levelled, tone.stretch)


def toned_sample(images: NDArray, tone: Tone) -> NDArray:
    """Return images as range and background are measured on them.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Training images, smoothed if they are to be.
    tone : Tone
        Their tone.

    Returns
    -------
    ndarray of shape (m, c, h, w)
        The images themselves without a tone, else evenly spaced ones, toned, float32.
    """
    if tone.keeps_values:
        return images
    return toned(to_tensor(evenly_spaced(images)).float(), tone).numpy()


def shown_values(images: NDArray, tone: Tone) -> NDArray:
    """Return images as they are shown: stretched, and with one level if all get one.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images in the user's units.
    tone : Tone
        The tone of an embedder. Colours and neighbours are shown whatever it says.

    Returns
    -------
    ndarray of shape (n, c, h, w)
        The images themselves, or toned ones, float32.
    """
    if not tone.background:
        return stretched_values(images, tone.stretch)
    shown = tone._replace(grey=False, central=False)
    return toned(to_tensor(images).float(), shown).numpy()


def untoned(images: Tensor, like: Tensor, tone: Tone) -> Tensor:
    """Return toned images with the background and level of others, not stretched.

    Parameters
    ----------
    images : Tensor of shape (n, c, h, w)
        Images with the common background and level.
    like : Tensor of shape (n, c, h, w)
        Images in the user's units, whose own background and level are taken.
    tone : Tone
        Common background and level.

    Returns
    -------
    Tensor of the same shape
        The inverse of :func:`toned` for the images ``like``, and of the stretch, if
        any; grey images stay grey.
    """
    images = unstretched(images, tone.stretch)
    if not tone.background:
        return images
    background, gain = _own_frame(_reduced(like, tone), tone)
    return background + (images - _common(images, tone)) * gain


def toned_noise(noise: float, tone: Tone) -> float:
    """Return how far noise reaches from the background of toned images.

    Parameters
    ----------
    noise : float
        How far it reaches in images that are smoothed, before they are toned.
    tone : Tone
        Common background and level.

    Returns
    -------
    float
        The same, or its stretched value if images are stretched when they are toned.
    """
    if not (tone.background and tone.stretch):
        return noise
    return math.asinh(noise / tone.stretch[0])


def own_backgrounds(images: NDArray) -> NDArray:
    """Return the background of each image: the medians of its border.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype.

    Returns
    -------
    ndarray of shape (n, c)
        Medians in the units of the images.

    See Also
    --------
    border_median : Return the medians over all images.
    """
    return np.median(np.concatenate(edges_of(images), axis=-1), axis=-1)


def _reduced(images: Tensor, tone: Tone) -> Tensor:
    """Return images without neighbours and colour, where the tone says so."""
    if tone.central:
        images = isolate_central(images)
    if tone.grey:
        images = images.mean(dim=1, keepdim=True).expand_as(images)
    return images


def _common(images: Tensor, tone: Tone) -> Tensor:
    """Return the common background, (c, 1, 1)."""
    columns = [torch.full_like(images[0, :1, :1, :1], b) for b in tone.background]
    return torch.cat(columns)


def _own_frame(images: Tensor, tone: Tone) -> tuple[Tensor, Tensor]:
    """Return backgrounds (n, c, 1, 1) and gains (n, 1, 1, 1), not 0."""
    background, level = _frame_of(images)
    gain = level / tone.level
    return background, torch.where(gain < tone.least, 1.0, gain)[:, None, None, None]


def _frame_of(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return each image's background (n, c, 1, 1) and level (n,)."""
    background = quantile_of(torch.cat(edges_of(images), dim=-1), 0.5)[..., None]
    distance = (images - background).abs().amax(dim=1).flatten(1).sort(dim=1).values
    level, largest = distance[:, int(_HIGH * (distance.shape[1] - 1))], distance[:, -1]
    return background, torch.where(level < _SMALL * largest, largest, level)
