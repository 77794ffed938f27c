"""The values of a set of images, and what may have been done to them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.drift._finding import Z_FAR, Finding
from invariant_cluster.images import border_median

_PERCENTILES = (0.5, 99.5)
_DIVIDED = (255, 65535)  # to other units
_MULTIPLIED = {True: (257,), False: (255, 65535)}  # integers, floats
_FACTOR_TOLERANCE = math.log(1.3)
_NEAR, _FAR_APART, _KEPT = 0.25, 0.5, 0.6  # of the intensity range
_ORDER = ("size", "sharpness", "contrast", "coverage", "color")  # ties: the first


class Span(NamedTuple):
    """Values of a set of images.

    Attributes
    ----------
    dtype : str
        Dtype of the images.
    background : float
        Median of the border, the mean over channels.
    low : float
        0.5 percentile of the values.
    high : float
        99.5 percentile, above ``low``.
    """

    dtype: str
    background: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """Width of the range."""
        return self.high - self.low

    def __str__(self) -> str:
        return (
            f"{self.dtype}, background {self.background:.4g}, values {self.low:.4g} to "
            f"{self.high:.4g}"
        )


def measure_span(images: NDArray) -> Span:
    """Return the values of images.

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images of any real dtype, at least one.

    Returns
    -------
    Span
        If the percentiles are equal, the range of all values; of constant images,
        ``low`` to ``low + 1``, or to the next float if that is farther.
    """
    values = images.astype(np.float32) if images.dtype == bool else images
    low, high = (float(value) for value in np.percentile(values, _PERCENTILES))
    if high <= low:
        low, high = float(images.min()), float(images.max())
    if high <= low:
        high = low + max(1.0, float(np.spacing(abs(low))))
    background = float(border_median(images).mean())
    return Span(str(images.dtype), background, low, high)


def likely_cause(old: Span, new: Span, findings: Sequence[Finding]) -> str:
    """Return what may have been done to new images, as a question.

    Parameters
    ----------
    old : Span
        Values of the training images.
    new : Span
        Values of the new images.
    findings : sequence of Finding
        How they compare; at least one is drift.

    Returns
    -------
    str
        Such as "divided by 255?".
    """
    drifted = {found.aspect: found for found in findings if found.is_drift}
    cause = _of_units(old, new) or _of_inversion(old, new)
    if cause:
        return cause
    if "background" in drifted:
        return _of_brightness(drifted) or "another background?"
    if Z_FAR in drifted:
        return "another kind of image?"
    sharper = "sharpness" in drifted and drifted["sharpness"].shift > 0
    if sharper and "coverage" in drifted and drifted["coverage"].shift > 0:
        return "noisier?"
    most = max(_ORDER, key=lambda aspect: _excess(drifted.get(aspect)))
    return _question(drifted[most]) if most in drifted else "another kind of image?"


def _of_units(old: Span, new: Span) -> str:
    """Return the change of units that the widths of the ranges tell, or ""."""
    ratio = math.log(new.width / old.width)
    factors = _MULTIPLIED["int" in old.dtype] if ratio > 0 else _DIVIDED
    factor = min(factors, key=lambda factor: abs(abs(ratio) - math.log(factor)))
    if abs(abs(ratio) - math.log(factor)) < _FACTOR_TOLERANCE:
        return f"{'multiplied' if ratio > 0 else 'divided'} by {factor}?"
    if new.low < 0 <= old.low and new.width < old.width / 4:
        return "standardised?"
    return ""


def _of_inversion(old: Span, new: Span) -> str:
    """Return "inverted?" if the background moved to the other end of the range."""
    mirrored = old.low + old.high - old.background
    moved = abs(new.background - old.background) > _FAR_APART * old.width
    near = abs(new.background - mirrored) < _NEAR * old.width
    kept = new.width > _KEPT * old.width
    return "inverted?" if moved and near and kept else ""


def _of_brightness(drifted: Mapping[str, Finding]) -> str:
    """Return the factor by which background and contrast have changed, if it is one."""
    factors = [
        found.new / found.training
        for aspect in ("background", "contrast")
        if (found := drifted.get(aspect)) and found.training > 0 and found.new > 0
    ]
    if len(factors) < 2 or abs(math.log(factors[0] / factors[1])) > _FACTOR_TOLERANCE:
        return ""
    return f"{factors[1]:.2g} times as bright?"


def _excess(found: Finding | None) -> float:
    return abs(found.shift) if found else 0.0


def _question(found: Finding) -> str:
    """Return what a drift of one aspect suggests."""
    up = found.shift > 0
    ratio = found.new / found.training if found.training else math.nan
    return {
        "size": f"objects of {ratio:.2g} times the size?",
        "sharpness": "sharper?" if up else "blurred?",
        "contrast": f"{ratio:.2g} times as bright?",
        "coverage": "larger objects?" if up else "smaller objects?",
        "color": "other colours?",
    }[found.aspect]
