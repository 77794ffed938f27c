"""Reconstructions and canonical views of turned images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.drift import one_warning
from invariant_cluster.images import take_rows
from invariant_cluster.inspection import find_step, take_pictures, turn_images
from invariant_cluster.plot._mosaic import draw_mosaic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage


class ReconstructionDisplay:
    """Turned copies of images, their reconstructions and their canonical views.

    Use :meth:`from_estimator` to create the display.

    Parameters
    ----------
    rows : dict of str to ndarray of shape (n_columns, h, w) or (n_columns, h, w, c)
        Pictures with values in [0, 1], by title of the row.
    angles : ndarray of shape (n_columns,)
        Angle in radians by which the copy in each column is turned.

    Attributes
    ----------
    image_ : AxesImage
        All rows as one image.
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    PoseDisplay : Plot predicted against true changes of angle.
    LatentTraversalDisplay : Plot images along directions of z.

    Notes
    -----
    The rows are the copies, their reconstructions, their reconstructions in canonical
    orientation, and the copies' own pixels moved to canonical orientation. For an
    invariant embedder the last two rows are alike for all copies of one image. An
    embedder without ``reconstruct``, such as ``SimCLREmbedder``, has the first and the
    last row only. The plot corresponds to figures 3, 8 and 10 of the paper (Kwon, Choi
    and Ryu, ICML 2023).
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
        """Turn images by evenly spaced angles and plot their reconstructions.

        Parameters
        ----------
        estimator : fitted embedder, or Pipeline with one
            Model with ``canonicalize``.
        X : array-like of a few images
            Images of the shape given to ``fit``. Each fills ``n_turns`` columns.
        n_turns : int, default=8
            Number of copies of each image. The first copy is not turned.
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.
        cmap : str or Colormap, default="gray"
            Colour map of images with one channel.

        Returns
        -------
        ReconstructionDisplay
            The display, already drawn.

        Raises
        ------
        TypeError
            If no step of the estimator has ``canonicalize``.
        ValueError
            If ``n_turns`` is below 1, or the images do not have the shape of the
            training images.
        ImportError
            If matplotlib is not installed.
        """
        if n_turns < 1:
            raise ValueError(f"n_turns={n_turns!r}: show at least 1 copy per image.")
        embedder, images = find_step(estimator, X, "canonicalize")
        turns = np.arange(n_turns) * (2 * np.pi / n_turns)
        angles = np.tile(turns, len(images))
        repeated = np.repeat(np.arange(len(images)), n_turns)
        copies = turn_images(embedder, take_rows(images, repeated), angles)
        with one_warning(silent=True):  # turning smooths images
            views = _views(embedder, copies)
        rows = {title: take_pictures(embedder, seen) for title, seen in views.items()}
        return cls(rows, angles=angles).plot(ax, cmap=cmap)

    def plot(self, ax: Any = None, *, cmap: Any = "gray") -> ReconstructionDisplay:
        """Draw the rows.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.
        cmap : str or Colormap, default="gray"
            Colour map of images with one channel.

        Returns
        -------
        ReconstructionDisplay
            The display itself, with ``image_``, ``ax_`` and ``figure_`` set.
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
    """Return the copies and the embedder's outputs for them, by row title."""
    views = {"input, turned": copies}
    if hasattr(embedder, "reconstruct"):
        views["reconstruction"] = embedder.reconstruct(copies)
        canonical = embedder.reconstruct(copies, canonical=True)
        views["canonical reconstruction"] = canonical
    views["input, canonical view"] = embedder.canonicalize(copies)
    return views
