"""Poses of images, with what an embedder tells of them."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class FoundPoses(NamedTuple):
    """Poses of images.

    Attributes
    ----------
    theta : ndarray of shape (n,)
        Angles in radians.
    tau : ndarray of shape (n, 2)
        Shifts (x, y) in pixels of the images, y up; NaN if the images are textures.
    theta_std : ndarray of shape (n,) or None
        Standard deviations of theta in radians, NaN without a direction; None if the
        embedder does not tell them.
    scale : ndarray of shape (n,) or None
        Sizes; None if all objects keep theirs.
    average : ndarray of shape (n,) or None
        Class average that the pose is relative to; None without such averages.
    """

    theta: NDArray
    tau: NDArray
    theta_std: NDArray | None
    scale: NDArray | None
    average: NDArray | None

    @property
    def has_direction(self) -> NDArray[np.bool_]:
        """Whether theta means something, (n,); True where that is not told."""
        if self.theta_std is None:
            return np.ones(len(self.theta), dtype=bool)
        return ~np.isnan(self.theta_std)


def find_poses(embedder: Any, X: ArrayLike, *, learned: bool = True) -> FoundPoses:
    """Return the poses of images and what the embedder tells of them.

    Parameters
    ----------
    embedder : fitted embedder
        With ``predict_pose``.
    X : array-like of n images
        Images of the shape given to ``fit``.
    learned : bool, default=True
        As for ``predict_pose``.

    Returns
    -------
    FoundPoses
        The poses. Embedders of the user's own need not have all arguments of
        ``predict_pose``.
    """
    _, teller = next(
        (name, member)
        for name, member in getattr(embedder, "embedders_", [("", embedder)])
        if hasattr(member, "predict_pose")
    )
    known = inspect.signature(teller.predict_pose).parameters
    wanted = {
        "return_scale": getattr(teller, "size_", None) is not None,
        "return_std": True,
        "return_average": True,
    }
    asked = {name: True for name, also in wanted.items() if also and name in known}
    theta, tau, *more = teller.predict_pose(X, learned=learned, **asked)
    told = dict(zip(asked, more, strict=True))
    alignment = getattr(teller, "alignment_", None)
    if alignment is not None and alignment.is_texture:
        tau = np.full_like(tau, np.nan)
    return FoundPoses(
        theta,
        tau,
        told.get("return_std"),
        told.get("return_scale"),
        told.get("return_average"),
    )
