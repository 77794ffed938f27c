"""What directions of z mean."""

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
    """Images drawn from z that moves along its principal directions.

    Each row starts in the mean of z (or in one image's z) and moves along one principal
    component of z. All in canonical orientation. An implicit network is continuous: it
    draws at any resolution.

    Make it by :meth:`from_estimator`.

    Parameters
    ----------
    pictures : ndarray of shape (n_components, n_steps, h, w) or (..., h, w, c)
        With values in [0, 1].
    shifts : ndarray of shape (n_steps,)
        By how many standard deviations z is moved.
    explained : ndarray of shape (n_components,)
        Share of the variance of z along each component.

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
        """Embed images, and draw what lies along the principal directions of z.

        Parameters
        ----------
        estimator : fitted embedder that draws, or Pipeline with one
        X : array-like of n images
            Whose z the directions are of, at least 2.
        start : int, optional
            Index of the image in whose z the rows have their middle; by default the
            mean of z.
        n_components : int, default=4
        n_steps : int, default=7
        extent : float, default=2.0
            How far rows reach to both sides, in standard deviations.
        resolution : int, optional
            Pixels of the longer side; by default those of the images.
        ax : matplotlib Axes, optional
            By default those of a new figure.
        cmap : str or Colormap, default="gray"
            Of images with one channel.

        Raises
        ------
        TypeError
            When the estimator has no ``draw``, such as SimCLREmbedder.
        ValueError
            A number out of range.
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
            By default those of a new figure.
        cmap : str or Colormap, default="gray"
            Of images with one channel.

        Returns
        -------
        self
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
    if len(z) < 2:
        raise ValueError(f"X has {len(z)} image: directions of z need at least 2.")
    if not 1 <= n_components <= min(z.shape):
        raise ValueError(
            f"n_components={n_components!r} but z of X has shape {z.shape}: give 1 to "
            f"{min(z.shape)}."
        )
    if start is not None and not -len(z) <= start < len(z):
        raise ValueError(
            f"start={start!r} is no index into the {len(z)} images of X: give one, or "
            "None for the mean of z."
        )
    if n_steps < 1:
        raise ValueError(f"n_steps={n_steps!r}: draw at least 1 image a row.")
