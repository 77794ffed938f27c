"""The user's images, as the pipeline takes them and as a screen shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.images import as_pictures, infer_layout, measure_range
from invariant_cluster.inspection import find_step, steps_of, turned_copy


@dataclass(frozen=True)
class ReportImages:
    """Images and what it takes to show any of them.

    Attributes
    ----------
    pipeline : fitted Pipeline
    given : array-like of n images
        As the user gave them.
    embedder : estimator
        The first step that knows how images are laid out, else the first of all.
    seen : array-like of n images
        As the embedder is given them: the user's, unless a step comes before it.
    array : ndarray of the same
    image_shape : tuple of int or None
        What folds flat rows into images.
    intensity_range : (low, high)
        The values shown as black and white, the same for every picture.
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
        """Measure the images as the pipeline's embedder did.

        Raises
        ------
        ValueError
            When they have a number of channels that no screen shows.
        """
        embedder, seen = _find_embedder(pipeline, X)
        array, shape = np.asarray(seen), getattr(embedder, "image_shape", None)
        as_pictures(array[:1], image_shape=shape)
        channels = infer_layout(array, shape).to_channels(array)
        given_range = getattr(embedder, "intensity_range_", None)
        limits = measure_range(channels, given_range)
        return cls(pipeline, X, embedder, seen, array, shape, limits)

    @property
    def side_lengths(self) -> tuple[int, int]:
        """(h, w) in pixels."""
        layout = infer_layout(self.array, self.image_shape)
        return layout.channels_first_shape[1:]

    def turned(self) -> Any:
        """Return all, each turned by a random angle, in the user's form."""
        return turned_copy(self.pipeline, self.given)

    def pictures(self, indices: NDArray) -> NDArray[np.float32]:
        """Return some images in [0, 1], shape (m, h, w) or (m, h, w, c)."""
        return as_pictures(
            self.array[indices],
            intensity_range=self.intensity_range,
            image_shape=self.image_shape,
        )

    def stretched(self, images: NDArray) -> NDArray[np.float32]:
        """Return images in the user's layout as pictures, each of full contrast."""
        pictures = as_pictures(
            images,
            intensity_range=self.intensity_range,
            image_shape=self.image_shape,
        )
        axes = tuple(range(1, pictures.ndim))
        low = pictures.min(axis=axes, keepdims=True)
        spread = pictures.max(axis=axes, keepdims=True) - low
        return (pictures - low) / np.where(spread > 0, spread, 1)


def _find_embedder(pipeline: Any, X: ArrayLike) -> tuple[Any, Any]:
    """Return the embedder, and X as the embedder receives it."""
    steps = pipeline[:-1]
    if any(hasattr(step, "layout_") for step in steps_of(steps)):
        return find_step(steps, X, "layout_")
    return pipeline[0], X
