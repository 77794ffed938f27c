"""How the model sees turned copies of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.images import take_rows
from invariant_cluster.inspection import find_step, take_pictures, turn_images
from invariant_cluster.plot._mosaic import draw_mosaic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage


class ReconstructionDisplay:
    """Turned copies of images, and what an embedder makes of them.

    Rows: the copies; their reconstruction; the reconstruction in canonical orientation;
    the copies' own pixels in canonical orientation (paper, figures 3, 8 and 10). The
    last two shall be alike for all copies of one image. An embedder that draws nothing
    (SimCLR) has the first and the last row.

    Make it by :meth:`from_estimator`.

    Parameters
    ----------
    rows : dict of str to ndarray of shape (n_columns, h, w) or (n_columns, h, w, c)
        Pictures with values in [0, 1], by the row's title.
    angles : ndarray of shape (n_columns,)
        By which the copies are turned, in radians.

    Attributes
    ----------
    image_ : AxesImage
        All rows in one picture.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    """

    image_: AxesImage
    ax_: Axes
    figure_: Figure

    def __init__(self, rows: dict[str, NDArray], *, angles: NDArray) -> None:
        self.rows = rows
        self.angles = angles

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        n_turns: int = 8,
        ax: Any = None,
        cmap: Any = "gray",
    ) -> ReconstructionDisplay:
        """Turn images by evenly spaced angles, and show what becomes of them.

        Parameters
        ----------
        estimator : fitted embedder, or Pipeline with one
        X : array-like of a few images
            Each fills ``n_turns`` columns.
        n_turns : int, default=8
            Copies of each image, the first one not turned.
        ax : matplotlib Axes, optional
            By default those of a new figure.
        cmap : str or Colormap, default="gray"
            Of images with one channel.

        Raises
        ------
        TypeError
            When the estimator has no ``canonicalize``.
        ValueError
            ``n_turns`` under 1, images of another shape than at fit.
        """
        if n_turns < 1:
            raise ValueError(f"n_turns={n_turns!r}: show at least 1 copy of an image.")
        embedder, images = find_step(estimator, X, "canonicalize")
        turns = np.arange(n_turns) * (2 * np.pi / n_turns)
        angles = np.tile(turns, len(images))
        repeated = np.repeat(np.arange(len(images)), n_turns)
        copies = turn_images(embedder, take_rows(images, repeated), angles)
        rows = {
            title: take_pictures(embedder, seen)
            for title, seen in _views(embedder, copies).items()
        }
        return cls(rows, angles=angles).plot(ax, cmap=cmap)

    def plot(self, ax: Any = None, *, cmap: Any = "gray") -> ReconstructionDisplay:
        """Draw the rows.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            By default those of a new figure.
        cmap : str or Colormap, default="gray"
            Of images with one channel.

        Returns
        -------
        self
        """
        self.image_ = draw_mosaic(
            list(self.rows.values()),
            row_titles=list(self.rows),
            column_titles=[f"{angle:.0f}°" for angle in np.rad2deg(self.angles)],
            ax=ax,
            cmap=cmap,
        )
        self.ax_ = self.image_.axes
        self.figure_ = self.ax_.figure  # type: ignore[assignment]
        return self


def _views(embedder: Any, copies: NDArray) -> dict[str, NDArray]:
    views = {"input, turned": copies}
    if hasattr(embedder, "reconstruct"):
        views["reconstruction"] = embedder.reconstruct(copies)
        canonical = embedder.reconstruct(copies, canonical=True)
        views["canonical reconstruction"] = canonical
    views["input, canonical view"] = embedder.canonicalize(copies)
    return views
