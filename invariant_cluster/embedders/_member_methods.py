"""What a joint embedder does because one of its members can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from invariant_cluster.images import ImageLayout, Tone


def _one_can(method: str) -> Callable[[Any], bool]:
    """Return a check that some embedder of a joint one has a method."""

    def check(joint: Any) -> bool:
        members = getattr(joint, "embedders_", joint.embedders)
        return any(hasattr(member, method) for _, member in members)

    return check


class MemberMethodsMixin:
    """Mixin of an embedder made of others, for which one of them speaks.

    Methods are those of the first member that has them, and are there if one has.
    Attributes are those of the learned member, or of the first if none is learned.

    Attributes
    ----------
    embedders : list of (str, transformer)
        Names and unfitted members.
    embedders_ : list of (str, transformer)
        Names and fitted members.
    """

    embedders: Any
    embedders_: list[tuple[str, Any]]
    _learned: int | None

    @available_if(_one_can("predict_pose"))
    def predict_pose(
        self,
        X: ArrayLike,
        *,
        learned: bool = True,
        return_scale: bool = False,
        return_std: bool = False,
    ) -> tuple[NDArray[np.float32], ...]:
        """Return the poses that the first embedder with this method estimates.

        Parameters
        ----------
        X : array-like of n images
            Images of the shape given to ``fit``.
        learned : bool, default=True
            Whether the network estimates the pose, or the symmetry-breaking rule alone.
        return_scale : bool, default=False
            Whether to return the size of the objects too.
        return_std : bool, default=False
            Whether to return how far theta can be off, as the last value.

        Returns
        -------
        theta : ndarray of shape (n,)
            Radians in [0, 2 pi), counter-clockwise as displayed.
        tau : ndarray of shape (n, 2)
            (x, y) in pixels from the image's centre, y up.
        scale : ndarray of shape (n,)
            Only with ``return_scale=True``: multiples of the size of a typical training
            image.
        theta_std : ndarray of shape (n,)
            Only with ``return_std=True``: circular standard deviation of theta in
            radians, from 0 to 1.18; NaN for an image without a direction, whose theta
            means nothing.
        """
        predict = self._first_with("predict_pose")
        # Not every embedder of the user's own tells these.
        given = {"return_scale": return_scale, "return_std": return_std}
        asked = {name: True for name, wanted in given.items() if wanted}
        poses: tuple[NDArray[np.float32], ...] = predict(X, learned=learned, **asked)
        return poses

    @available_if(_one_can("canonicalize"))
    def canonicalize(self, X: ArrayLike, *, learned: bool = True) -> NDArray:
        """Return the pixels in canonical orientation, by the embedder with poses.

        Parameters
        ----------
        X : array-like of n images
            Images of the shape given to ``fit``.
        learned : bool, default=True
            By the estimated pose, or by the symmetry-breaking rule alone.

        Returns
        -------
        ndarray of the shape and in the units of X, float32
        """
        moved: NDArray = self._first_with("canonicalize")(X, learned=learned)
        return moved

    @available_if(_one_can("reconstruct"))
    def reconstruct(self, X: ArrayLike, canonical: bool = False) -> NDArray:
        """Return the images that the embedder with a decoder draws.

        Parameters
        ----------
        X : array-like of n images
            Images of the shape given to ``fit``.
        canonical : bool, default=False
            Whether to draw them in canonical orientation.

        Returns
        -------
        ndarray of the shape and in the units of X, float32
        """
        drawn: NDArray = self._first_with("reconstruct")(X, canonical=canonical)
        return drawn

    @property
    def n_features_in_(self) -> int:
        """Number of values of one image."""
        return int(self._member.n_features_in_)

    @property
    def layout_(self) -> ImageLayout:
        """How the user's arrays hold images."""
        layout: ImageLayout = self._member.layout_
        return layout

    @property
    def background_(self) -> NDArray:
        """Value of empty pixels in the learned embedder, or else in the first."""
        background: NDArray = self._member.background_
        return background

    @property
    def size_(self) -> float | None:
        """Size that objects get, of the same embedder."""
        size: float | None = self._member.size_
        return size

    @property
    def tone_(self) -> Tone:
        """Background and level that images get, of the same embedder."""
        tone: Tone = self._member.tone_
        return tone

    @property
    def smoothing_(self) -> float:
        """Width of the smoothing in pixels, of the same embedder."""
        return float(self._member.smoothing_)

    @property
    def noise_level_(self) -> float:
        """Standard deviation of the noise, of the same embedder."""
        return float(self._member.noise_level_)

    @property
    def intensity_range_(self) -> tuple[float, float]:
        """Values that are scaled to 0 and 1, of the same embedder."""
        low, high = self._member.intensity_range_
        return low, high

    @property
    def _member(self) -> Any:
        """The fitted embedder that speaks for all: the learned one, or the first."""
        return self.embedders_[self._learned or 0][1]

    def _first_with(self, method: str) -> Any:
        """Return a method of the first fitted embedder that has it."""
        check_is_fitted(self, "embedders_")
        members = [member for _, member in self.embedders_]
        return getattr(next(m for m in members if hasattr(m, method)), method)
