"""Images of a report, as the pipeline takes them and as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.images import (
    NO_TONE,
    Disc,
    Tone,
    as_pictures,
    find_disc,
    infer_layout,
    measure_range,
    range_of,
    shown_values,
    unmasked,
)
from invariant_cluster.inspection import find_step, steps_of, turned_copy
from invariant_cluster.runtime import evenly_spaced

_MOST_LOOKED_AT = 256


@dataclass(frozen=True)
class ReportImages:
    """Images of a report, with what is needed to show them.

    Attributes
    ----------
    pipeline : fitted Pipeline
        Model of the report.
    given : array-like of n images
        Images as the user gave them.
    embedder : estimator
        First step that knows the layout of images, or the first step of all.
    seen : array-like of n images
        Images as the embedder receives them: transformed by the steps before it.
    array : ndarray
        ``seen`` as an array, in the user's units.
    image_shape : tuple of int or None
        Shape of one image, for flat rows.
    intensity_range : (low, high)
        Values shown as black and white, the same for all pictures.
    """

    pipeline: Any
    given: Any
    embedder: Any
    seen: Any
    array: NDArray
    image_shape: Sequence[int] | None
    intensity_range: tuple[float, float]

    @classmethod
    def of(cls, pipeline: Any, X: ArrayLike) -> ReportImages:
        """Return the images of a report, on the intensity range of the embedder.

        Parameters
        ----------
        pipeline : fitted Pipeline
            Model of the report.
        X : array-like of n images
            Images as the user gave them.

        Returns
        -------
        ReportImages
            The images and their intensity range.

        Raises
        ------
        ValueError
            If the images have a number of channels other than 1, 3 and 4.
        """
        embedder, seen = _find_embedder(pipeline, X)
        shape = getattr(embedder, "image_shape", None)
        layout = infer_layout(np.asarray(seen), shape)
        array = np.asarray(unmasked(seen, layout))
        as_pictures(array[:1], image_shape=shape)
        shown = shown_values(
            layout.to_channels(evenly_spaced(array)), _tone_of(embedder)
        )
        limits = measure_range(shown, range_of(embedder))
        return cls(pipeline, X, embedder, seen, array, shape, limits)

    @property
    def side_lengths(self) -> tuple[int, int]:
        """Height and width in pixels."""
        layout = infer_layout(self.array, self.image_shape)
        return layout.channels_first_shape[1:]

    def turned(self) -> Any:
        """Return a copy of the given images, each turned by a random angle."""
        return turned_copy(self.pipeline, self.given)

    def disc(self) -> Disc | None:
        """Return the disc that all images share, such as the wafer of wafer maps."""
        n = len(self.array)
        return find_disc(self.pictures(np.arange(0, n, -(-n // _MOST_LOOKED_AT))))

    def pictures(self, indices: NDArray) -> NDArray[np.float32]:
        """Return pictures of some images.

        Parameters
        ----------
        indices : ndarray of shape (m,)
            Indices of the images.

        Returns
        -------
        ndarray of shape (m, h, w) or (m, h, w, c), float32
            Pictures with values in [0, 1].
        """
        return self._pictures_of(self.array[indices])

    def _pictures_of(self, images: NDArray) -> NDArray[np.float32]:
        """Return pictures of images in the user's units, as the embedder tones them."""
        channels = infer_layout(images, self.image_shape).to_channels(images)
        return as_pictures(
            shown_values(channels, _tone_of(self.embedder)),
            intensity_range=self.intensity_range,
            image_shape=channels.shape[1:],
        )

    def stretched(self, images: NDArray) -> NDArray[np.float32]:
        """Return pictures with full contrast each.

        Parameters
        ----------
        images : ndarray of m images
            Images in the layout of ``array``.

        Returns
        -------
        ndarray of shape (m, h, w) or (m, h, w, c), float32
            Pictures with values from 0 to 1; constant pictures become 0.
        """
        pictures = self._pictures_of(images)
        axes = tuple(range(1, pictures.ndim))
        low = pictures.min(axis=axes, keepdims=True)
        spread = pictures.max(axis=axes, keepdims=True) - low
        return (pictures - low) / np.where(spread > 0, spread, 1)


def _tone_of(embedder: Any) -> Tone:
    """Return the tone of an embedder; another package's has none."""
    tone: Tone = getattr(embedder, "tone_", NO_TONE)
    return tone


def _find_embedder(pipeline: Any, X: ArrayLike) -> tuple[Any, Any]:
    """Return the embedder, and X as the embedder receives it."""
    steps = pipeline[:-1]
    if any(hasattr(step, "layout_") for step in steps_of(steps)):
        return find_step(steps, X, "layout_")
    return pipeline[0], X
