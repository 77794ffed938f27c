"""Comparison of new images with the training images, for all embedders."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from invariant_cluster.drift import (
    MOST_NEW,
    Finding,
    Reference,
    Span,
    Watch,
    as_table,
    is_told,
    measure_reference,
    measure_span,
    one_warning,
    warn_of_drift,
    watch_for,
)
from invariant_cluster.images import NO_TONE
from invariant_cluster.persistence import Part, decode, encode
from invariant_cluster.runtime import at_most

_VALUES, _Z = "reference.values", "reference.z"


class DriftWatch:
    """Methods that compare new images with the training images.

    A subclass has the parameter ``invariance``, calls ``_remember`` in ``fit`` and
    ``_watch`` wherever it takes new images, and defines ``_new_images`` and
    ``_represent``.

    See Also
    --------
    Reference : What is remembered of the training images.
    """

    invariance: str
    reference_: Reference | None = None

    def check_drift(self, X: ArrayLike) -> pd.DataFrame:
        """Compare new images with the training images.

        Parameters
        ----------
        X : array-like of n images, of the shape given to ``fit``

        Returns
        -------
        DataFrame
            As :func:`invariant_cluster.check_drift` returns it; without rows if the
            model is of an older version or was fitted on fewer than 40 images.
        """
        sample = at_most(self._new_images(X), MOST_NEW)
        if self.reference_ is None:
            return as_table([])
        z = self.reference_.compare_z(self._represent(sample))
        return as_table([*self.reference_.compare(sample), *z])

    def _new_images(self, X: ArrayLike) -> NDArray:
        """Return new images, checked, as (n, c, h, w)."""
        raise NotImplementedError

    def _represent(self, images: NDArray) -> NDArray[np.float32]:
        """Return z of images (n, c, h, w)."""
        raise NotImplementedError

    def _watched(self) -> Watch:
        """Return what must not change in new images."""
        return watch_for(self.invariance)

    def _remember(self, images: NDArray) -> None:
        """Set ``reference_`` from the training images (n, c, h, w), last in ``fit``."""
        # What the embedder clips away is no drift.
        watch = self._watched()._replace(limits=getattr(self, "tone_", NO_TONE).limits)
        self.reference_ = measure_reference(images, watch, self._represent)

    def _watch(self, images: NDArray) -> None:
        """Warn if new images (n, c, h, w) are unlike the training images."""
        if self.reference_ is not None and not is_told():
            _warn(self.reference_, images, self.reference_.compare(images))

    def _with_reference(self, part: Part) -> Part:
        """Return a part of a model file that holds the reference too."""
        reference = self.reference_
        if reference is None or reference.z is None:
            return part
        state = {
            **part.spec["state"],
            "reference": {
                "watch": list(reference.watch),
                "span": list(reference.span),
                "reach": encode(reference.reach),
            },
        }
        tensors = {_VALUES: _tensor(reference.values), _Z: _tensor(reference.z)}
        return Part({**part.spec, "state": state}, {**part.tensors, **tensors})

    def _take_reference(self, part: Part) -> Part:
        """Set ``reference_`` from a part, and return the part without it."""
        found = part.spec["state"].get("reference")  # older files hold none
        self.reference_ = None
        if not found:
            return part
        tensors = dict(part.tensors)
        values, z = tensors.pop(_VALUES).numpy(), tensors.pop(_Z).numpy()
        aspects, grey, moves, limits = found["watch"]
        watch = Watch(tuple(aspects), grey, moves, tuple(limits))
        span = Span(*found["span"])
        self.reference_ = Reference(watch, span, values, decode(found["reach"]), z)
        return Part(part.spec, tensors)


def watched(
    represent: Callable[[NDArray], NDArray[np.float32]],
    images: NDArray,
    reference: Reference | None,
    *,
    is_told: bool = False,
) -> NDArray[np.float32]:
    """Return z of new images; warn if it is unlike that of the training images.

    Parameters
    ----------
    represent : callable
        Returns z (n, d) of images (n, c, h, w).
    images : ndarray of shape (n, c, h, w)
        New images.
    reference : Reference or None
        What is known of the training images.
    is_told : bool, default=False
        Whether a warning was given already.

    Returns
    -------
    ndarray of shape (n, d), float32
        z.
    """
    z = represent(images)
    if reference is not None:
        with one_warning(silent=is_told):
            _warn(reference, images, reference.compare_z(z))
    return z


def _warn(reference: Reference, images: NDArray, findings: list[Finding]) -> None:
    """Warn if a finding is drift; the values are measured only then."""
    if any(found.is_drift for found in findings) and not is_told():
        new = measure_span(at_most(images, MOST_NEW))
        warn_of_drift(findings, reference.span, new, len(images))


def _tensor(values: NDArray) -> Tensor:
    return torch.from_numpy(values.copy())
