"""Map of an embedding with thumbnails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.images import as_pictures
from invariant_cluster.inspection import (
    divide,
    find_step,
    map_to_plane,
    predict_clusters,
    take_pictures,
)
from invariant_cluster.plot._axes import get_axes, import_pyplot
from invariant_cluster.plot._label_names import name_labels
from invariant_cluster.plot._thumbnails import choose_apart
from invariant_cluster.validation import (
    check_finite_array,
    check_labels,
    check_same_length,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

_INCHES = 7.0  # longer side of the map
_LEGEND_INCHES, _LETTER_INCHES = 0.7, 0.08  # room of the legend, and of each letter
_FLATTEST = 0.4
_MARKERS = "os^DvPX*<>"
_TITLE_INCHES = 0.6
_MOST_POINTS = 20_000
_METHODS = {
    "pca": ("Principal components", "what further components hold is not seen"),
    "tsne": ("t-SNE", "sizes of groups and distances between them mean little"),
    "umap": ("UMAP", "sizes of groups and distances between them mean little"),
}


class EmbeddingDisplay:
    """Map of an embedding in two dimensions, with images as thumbnails.

    Use :meth:`from_estimator` or :meth:`from_predictions` to create the display.

    Parameters
    ----------
    places : ndarray of shape (n, 2)
        Position of each image on the map.
    pictures : ndarray of shape (n, h, w) or (n, h, w, c), optional
        Images with values in [0, 1]. Without them there are no thumbnails.
    labels : ndarray of shape (n,), optional
        Cluster or class of each image.
    label_names : dict of label to str, optional
        Name of each label in the legend.
    method : {"pca", "tsne", "umap"}, optional
        Method that made the map, told in its title.
    n_images : int, optional
        Number of images that the map was drawn from. By default all are on it.
    meaning : str, optional
        What the colours are, such as "cluster". By default "label".

    Attributes
    ----------
    shown_ : ndarray of shape (k,)
        Indices of the images that have a thumbnail.
    thumbnails_ : list of AxesImage of length k
        The thumbnails.
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    ClusterGalleryDisplay : Plot images of each cluster.
    LatentTraversalDisplay : Plot images along directions of z.

    Notes
    -----
    Colours and markers distinguish clusters or classes. Near points have a similar z.
    Title and axis tell the method, the number of images, and how to read the map.
    The axes have no units, and with t-SNE and UMAP the sizes of groups and the
    distances between far groups have no meaning.

    Of more than 20,000 images the map shows as many drawn at random. ``places``,
    ``pictures`` and ``labels`` are then those of the images drawn.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from invariant_cluster.plot import EmbeddingDisplay
    >>> display = EmbeddingDisplay.from_predictions(
    ...     np.eye(4), labels=[0, 0, 1, 1], target_names=["ring", "blob"], method="pca"
    ... )
    >>> display.label_names
    {0: 'ring', 1: 'blob'}
    >>> plt.close(display.figure_)
    """

    shown_: NDArray[np.intp]
    thumbnails_: list[AxesImage]
    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        places: NDArray,
        *,
        pictures: NDArray | None = None,
        labels: NDArray | None = None,
        label_names: dict[Any, str] | None = None,
        method: str | None = None,
        n_images: int | None = None,
        meaning: str = "label",
    ) -> None:
        self.places = places
        self.pictures = pictures
        self.labels = labels
        self.label_names = label_names
        self.method = method
        self.n_images = n_images
        self.meaning = meaning

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        target_names: Sequence[str] | None = None,
        method: str = "tsne",
        random_state: int | np.random.RandomState | None = None,
        n_thumbnails: int = 80,
        thumbnail_size: float = 0.06,
        ax: Any = None,
        cmap: Any = "gray",
    ) -> EmbeddingDisplay:
        """Embed images and plot a map of z.

        Parameters
        ----------
        estimator : fitted embedder, or Pipeline of an embedder and a clusterer
            Model whose z is mapped.
        X : array-like of n images
            Images of the shape given to ``fit``.
        y : array-like of shape (n,), optional
            Classes that colour the points. By default the predicted clusters, if the
            estimator has a clusterer with ``predict``.
        target_names : sequence of str, optional
            Names of the classes 0, 1, ... in ``y``. Ignored without ``y``.
        method : {"pca", "tsne", "umap"}, default="tsne"
            Method of the map: principal components, t-SNE or UMAP, which needs the
            package umap-learn.
        random_state : int, RandomState instance or None, default=None
            Seed of the map.
        n_thumbnails : int, default=80
            Largest number of thumbnails. They do not overlap. 0 shows points only.
        thumbnail_size : float, default=0.06
            Longer side of a thumbnail, as a fraction of the longer side of the map.
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.
        cmap : str or Colormap, default="gray"
            Colour map of images with one channel.

        Returns
        -------
        EmbeddingDisplay
            The display, already drawn.

        Raises
        ------
        TypeError
            If the estimator has no embedder of images.
        ValueError
            If lengths differ, ``method`` is unknown, or there are too few names.
        ImportError
            If matplotlib is not installed, or umap-learn for ``method="umap"``.

        See Also
        --------
        EmbeddingDisplay.from_predictions : Plot a known embedding.
        """
        embedder, images = find_step(estimator, X, "layout_")
        z, clusters = _embed(estimator, X)
        return cls._from_parts(
            z,
            take_pictures(embedder, images),
            clusters if y is None else y,
            target_names if y is not None else None,
            prefix="cluster " if y is None else "",
            meaning="cluster" if y is None else "class",
            method=method,
            random_state=random_state,
        ).plot(ax, n_thumbnails=n_thumbnails, thumbnail_size=thumbnail_size, cmap=cmap)

    @classmethod
    def from_predictions(
        cls,
        z: ArrayLike,
        images: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        *,
        target_names: Sequence[str] | None = None,
        method: str = "tsne",
        random_state: int | np.random.RandomState | None = None,
        intensity_range: tuple[float, float] | None = None,
        image_shape: Sequence[int] | None = None,
        n_thumbnails: int = 80,
        thumbnail_size: float = 0.06,
        ax: Any = None,
        cmap: Any = "gray",
    ) -> EmbeddingDisplay:
        """Plot a map of a known embedding.

        Parameters
        ----------
        z : array-like of shape (n, d)
            Embedding of the images, at least 2 rows.
        images : array-like of n images, optional
            Images for the thumbnails. By default there are none.
        labels : array-like of shape (n,), optional
            Clusters or classes that colour the points.
        target_names : sequence of str, optional
            Names of the labels 0, 1, ... By default the labels themselves.
        method : {"pca", "tsne", "umap"}, default="tsne"
            Method of the map: principal components, t-SNE or UMAP, which needs the
            package umap-learn.
        random_state : int, RandomState instance or None, default=None
            Seed of the map.
        intensity_range : (low, high), optional
            Values shown as black and white. By default measured on the images.
        image_shape : tuple of int, optional
            Shape of one image, for flat rows that are not square images and where the
            shape of the array is ambiguous.
        n_thumbnails : int, default=80
            Largest number of thumbnails. They do not overlap. 0 shows points only.
        thumbnail_size : float, default=0.06
            Longer side of a thumbnail, as a fraction of the longer side of the map.
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.
        cmap : str or Colormap, default="gray"
            Colour map of images with one channel.

        Returns
        -------
        EmbeddingDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If lengths differ, ``z`` holds NaN or infinity, ``method`` is unknown, or
            there are too few names.
        ImportError
            If matplotlib is not installed, or umap-learn for ``method="umap"``.

        See Also
        --------
        EmbeddingDisplay.from_estimator : Embed the images first.
        """
        pictures = None
        if images is not None:
            pictures = as_pictures(
                images, intensity_range=intensity_range, image_shape=image_shape
            )
        return cls._from_parts(
            z,
            pictures,
            labels,
            target_names,
            method=method,
            random_state=random_state,
        ).plot(ax, n_thumbnails=n_thumbnails, thumbnail_size=thumbnail_size, cmap=cmap)

    def plot(
        self,
        ax: Any = None,
        *,
        n_thumbnails: int = 80,
        thumbnail_size: float = 0.06,
        cmap: Any = "gray",
    ) -> EmbeddingDisplay:
        """Draw points and thumbnails.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.
        n_thumbnails : int, default=80
            Largest number of thumbnails. They do not overlap. 0 shows points only.
        thumbnail_size : float, default=0.06
            Longer side of a thumbnail, as a fraction of the longer side of the map.
        cmap : str or Colormap, default="gray"
            Colour map of images with one channel.

        Returns
        -------
        EmbeddingDisplay
            The display itself, with its attributes set.
        """
        self.ax_ = get_axes(ax, _figure_size(self.places, self.label_names))
        self.figure_ = self.ax_.figure  # type: ignore[assignment]
        colours = self._draw_points()
        self._draw_thumbnails(n_thumbnails, thumbnail_size, colours, cmap)
        self.ax_.set(xticks=[], yticks=[], aspect="equal", anchor="NW")
        self._tell()
        return self

    def _tell(self) -> None:
        """Write what the map shows as title, and how to read it below."""
        title, caution = _METHODS.get(self.method or "", ("Map", ""))
        n, n_images = len(self.places), self.n_images or len(self.places)
        told = f"{n:,} images" if n == n_images else f"{n:,} of {n_images:,} images"
        colours = f", coloured by {self.meaning}" if self.label_names else ""
        self.ax_.set_title(f"{title} of z: {told}{colours}", fontsize="medium")
        if caution:
            self.ax_.set_xlabel(f"no units; {caution}", fontsize="small")

    @classmethod
    def _from_parts(
        cls,
        z: ArrayLike,
        pictures: NDArray | None,
        labels: ArrayLike | None,
        target_names: Sequence[str] | None,
        *,
        prefix: str = "",
        meaning: str = "label",
        method: str,
        **mapping: Any,
    ) -> EmbeddingDisplay:
        """Map z to the plane and name the labels."""
        rows = check_finite_array(np.asarray(z), "z", (None, None))
        if pictures is not None:
            check_same_length(z=rows, images=pictures)
        names = None
        if labels is not None:
            labels = check_labels(labels, "labels")
            check_same_length(z=rows, labels=labels)
            found = np.unique(labels)
            texts = [prefix + name for name in name_labels(found, target_names)]
            names = dict(zip(found.tolist(), texts, strict=True))
        shown = _draw_sample(len(rows))
        return cls(
            map_to_plane(rows[shown], method=method, **mapping),
            pictures=None if pictures is None else pictures[shown],
            labels=None if labels is None else labels[shown],
            label_names=names,
            method=method,
            n_images=len(rows),
            meaning=meaning,
        )

    def _draw_points(self) -> NDArray:
        """Draw the points, coloured and marked by label; return colours (n, 4)."""
        palette = import_pyplot().get_cmap("tab10")
        colours = np.tile(palette(0), (len(self.places), 1))
        x, y = self.places.T
        if self.labels is None or self.label_names is None:
            self.ax_.scatter(x, y, s=12, color=palette(0), linewidths=0)
            return colours
        for i, (label, name) in enumerate(self.label_names.items()):
            members = self.labels == label
            colours[members] = palette(i % palette.N)
            self.ax_.scatter(
                x[members],
                y[members],
                s=16,
                color=palette(i % palette.N),
                marker=_MARKERS[(i + i // palette.N) % len(_MARKERS)],
                linewidths=0,
                label=name,
            )
        self.ax_.legend(
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            fontsize="small",
            title=self.meaning,
        )
        return colours

    def _draw_thumbnails(
        self, most: int, size: float, colours: NDArray, cmap: Any
    ) -> None:
        """Draw at most so many thumbnails that do not overlap."""
        self.shown_, self.thumbnails_ = np.array([], dtype=np.intp), []
        if self.pictures is None:
            return
        side = size * float(np.ptp(self.places, axis=0).max())
        self.shown_ = choose_apart(self.places, side, most)
        limits = self.ax_.axis()
        for index in self.shown_:
            self.thumbnails_.append(self._draw_thumbnail(index, side, colours, cmap))
        self.ax_.axis(limits)

    def _draw_thumbnail(
        self, index: int, side: float, colours: NDArray, cmap: Any
    ) -> AxesImage:
        """Draw one image centred on its point, framed in the point's colour."""
        assert self.pictures is not None
        picture, (x, y) = self.pictures[index], self.places[index]
        # Slightly smaller than the non-overlapping squares, since frames have a width.
        half = 0.45 * side * np.array(picture.shape[1::-1]) / max(picture.shape[:2])
        left, right, bottom, top = x - half[0], x + half[0], y - half[1], y + half[1]
        corners = [left, right, right, left, left], [bottom, bottom, top, top, bottom]
        self.ax_.plot(*corners, color=colours[index], linewidth=1.5, zorder=4)
        return self.ax_.imshow(
            picture,
            extent=(left, right, bottom, top),
            cmap=cmap,
            vmin=0,
            vmax=1,
            interpolation="nearest",
            zorder=3,
        )


def _figure_size(places: NDArray, names: dict[Any, str] | None) -> tuple[float, float]:
    """Return (width, height) in inches of a figure with the proportions of the map."""
    longest = max(map(len, names.values())) if names else 0
    legend = _LEGEND_INCHES + _LETTER_INCHES * longest
    extent = np.ptp(places, axis=0)
    width, height = _INCHES * np.maximum(extent / extent.max(), _FLATTEST)
    return float(width) + legend, float(height) + _TITLE_INCHES


def _draw_sample(n: int) -> NDArray[np.intp]:
    """Return the indices of at most 20,000 of n images, sorted."""
    if n <= _MOST_POINTS:
        return np.arange(n)
    drawn = np.random.default_rng(0).choice(n, _MOST_POINTS, replace=False)
    return np.sort(drawn)


def _embed(estimator: Any, X: ArrayLike) -> tuple[NDArray, NDArray | None]:
    """Return z, and the clusters if the estimator has a clusterer with ``predict``."""
    embedder, clusterer = divide(estimator)
    z = (embedder or estimator).transform(X)
    if clusterer is None or not hasattr(clusterer, "predict"):
        return np.asarray(z), None
    return np.asarray(z), predict_clusters(clusterer, z).labels
