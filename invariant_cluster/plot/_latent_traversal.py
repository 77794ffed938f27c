"""Images along directions of z."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA

from invariant_cluster.images import as_pictures
from invariant_cluster.inspection import find_step
from invariant_cluster.plot._mosaic import draw_mosaic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage


class LatentTraversalDisplay:
    """Images decoded from z along its principal components, one component per row.

    Use :meth:`from_estimator` to create the display.

    Parameters
    ----------
    pictures : ndarray of shape (n_components, n_steps, h, w) or (..., h, w, c)
        Decoded images with values in [0, 1].
    shifts : ndarray of shape (n_steps,)
        Shift of z along the component, in standard deviations.
    explained : ndarray of shape (n_components,)
        Share of the variance of z along each component.

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
    ReconstructionDisplay : Plot reconstructions of given images.
    EmbeddingDisplay : Plot images on a map of z.

    Notes
    -----
    The middle of each row is the mean of z, or z of one image. All images are in
    canonical orientation. An implicit neural representation is continuous, so it can be
    drawn at any resolution.
    """

    image_: AxesImage
    ax_: Axes
    figure_: Figure

    def __init__(
        self, pictures: NDArray, *, shifts: NDArray, explained: NDArray
    ) -> None:
        self.pictures = pictures
        self.shifts = shifts
        self.explained = explained

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        start: int | None = None,
        n_components: int = 4,
        n_steps: int = 7,
        extent: float = 2.0,
        resolution: int | None = None,
        ax: Any = None,
        cmap: Any = "gray",
    ) -> LatentTraversalDisplay:
        """Embed images and plot images along the principal components of z.

        Parameters
        ----------
        estimator : fitted embedder with ``draw``, or Pipeline with one
            Model that decodes z.
        X : array-like of n images
            At least 2 images whose z defines the components.
        start : int, optional
            Index of the image whose z is the middle of each row. By default the mean of
            z.
        n_components : int, default=4
            Number of rows, at most min(n, d).
        n_steps : int, default=7
            Number of images per row.
        extent : float, default=2.0
            Largest shift to either side, in standard deviations.
        resolution : int, optional
            Longer side of the decoded images in pixels. By default that of the input
            images.
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.
        cmap : str or Colormap, default="gray"
            Colour map of images with one channel.

        Returns
        -------
        LatentTraversalDisplay
            The display, already drawn.

        Raises
        ------
        TypeError
            If no step of the estimator has ``draw``; ``SimCLREmbedder`` does not.
        ValueError
            If a number is out of range, or there are fewer than 2 images.
        ImportError
            If matplotlib is not installed.
        """
        embedder, images = find_step(estimator, X, "draw")
        z = np.asarray(embedder.transform(images))
        _check_numbers(z, start, n_components, n_steps)
        pca = PCA(n_components).fit(z)
        shifts = np.linspace(-extent, extent, n_steps)
        middle = z.mean(axis=0) if start is None else z[start]
        steps = pca.components_ * np.sqrt(pca.explained_variance_)[:, None]
        moved = middle + shifts[:, None] * steps[:, None]
        drawn = embedder.draw(moved.reshape(-1, z.shape[1]), resolution=resolution)
        pictures = as_pictures(
            drawn,
            intensity_range=embedder.intensity_range_,
            image_shape=drawn.shape[1:],
        )
        return cls(
            pictures.reshape(n_components, n_steps, *pictures.shape[1:]),
            shifts=shifts,
            explained=pca.explained_variance_ratio_,
        ).plot(ax, cmap=cmap)

    def plot(self, ax: Any = None, *, cmap: Any = "gray") -> LatentTraversalDisplay:
        """Draw the rows.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.
        cmap : str or Colormap, default="gray"
            Colour map of images with one channel.

        Returns
        -------
        LatentTraversalDisplay
            The display itself, with ``image_``, ``ax_`` and ``figure_`` set.
        """
        self.image_ = draw_mosaic(
            list(self.pictures),
            row_titles=[
                f"component {i}\n{100 * share:.0f} % of variance"
                for i, share in enumerate(self.explained, start=1)
            ],
            column_titles=[f"{shift:+.1f} sd" for shift in self.shifts],
            ax=ax,
            cmap=cmap,
        )
        self.ax_ = self.image_.axes
        self.figure_ = self.ax_.figure  # type: ignore[assignment]
        return self


def _check_numbers(
    z: NDArray, start: int | None, n_components: int, n_steps: int
) -> None:
    """Raise a ValueError unless the numbers are in range for z."""
    if len(z) < 2:
        raise ValueError(
            f"X has {len(z)} image: directions of z need at least 2, give more."
        )
    if not 1 <= n_components <= min(z.shape):
        raise ValueError(
            f"n_components={n_components!r} but z of X has shape {z.shape}: choose 1 "
            f"to {min(z.shape)}."
        )
    if start is not None and not -len(z) <= start < len(z):
        raise ValueError(
            f"start={start!r} is not an index into the {len(z)} images of X: give one, "
            "or None for the mean of z."
        )
    if n_steps < 1:
        raise ValueError(f"n_steps={n_steps!r}: draw at least 1 image per row.")
