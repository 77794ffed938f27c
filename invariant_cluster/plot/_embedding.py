"""A map of the images: alike ones near each other."""

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

_INCHES = 7.0  # of the longer side of the map
_LEGEND_INCHES = 1.3
_FLATTEST = 0.4
_MARKERS = "os^DvPX*<>"


class EmbeddingDisplay:
    """Representations in the plane, some with their image beside the point.

    Colours and markers tell clusters or classes apart. Directions and units of the map
    mean nothing, nearness does.

    Make it by :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    places : ndarray of shape (n, 2)
    pictures : ndarray of shape (n, h, w) or (n, h, w, c), optional
        With values in [0, 1].
    labels : ndarray of shape (n,), optional
    label_names : dict of label to str, optional

    Attributes
    ----------
    shown_ : ndarray of shape (k,)
        Which images have a thumbnail.
    thumbnails_ : list of AxesImage of length k
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
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
    ) -> None:
        self.places = places
        self.pictures = pictures
        self.labels = labels
        self.label_names = label_names

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
        """Embed images and map what comes out.

        Parameters
        ----------
        estimator : fitted embedder, or Pipeline of one and a clusterer
        X : array-like of n images
        y : array-like of shape (n,), optional
            Classes to colour by. By default the clusterer's clusters, if there is one.
        target_names : sequence of str, optional
            Names of the classes 0, 1, ... in y.
        method : {"pca", "tsne", "umap"}, default="tsne"
        random_state : int, RandomState or None, default=None
            Of the map.
        n_thumbnails, thumbnail_size, ax, cmap
            As in :meth:`plot`.

        Raises
        ------
        TypeError
            When the estimator has no embedder of images.
        """
        embedder, images = find_step(estimator, X, "layout_")
        z, clusters = _embed(estimator, X)
        return cls._from_parts(
            z,
            take_pictures(embedder, images),
            clusters if y is None else y,
            target_names if y is not None else None,
            prefix="cluster " if y is None else "",
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
        """Map representations that are there already.

        Parameters
        ----------
        z : array-like of shape (n, d)
        images : array-like of n images, optional
        labels : array-like of shape (n,), optional
            Clusters or classes to colour by.
        target_names : sequence of str, optional
            Names of the labels 0, 1, ...
        method, random_state
            As in :meth:`from_estimator`.
        intensity_range : (low, high), optional
            The values that are shown black and white.
        image_shape : tuple of int, optional
            Of one image, where the array's shape does not tell.
        n_thumbnails, thumbnail_size, ax, cmap
            As in :meth:`plot`.

        Raises
        ------
        ValueError
            Lengths that differ, NaN, an unknown method, too few names.
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
            By default those of a new figure.
        n_thumbnails : int, default=80
            At most; they do not overlap. 0 shows points alone.
        thumbnail_size : float, default=0.06
            Longer side of a thumbnail, as a fraction of the map's.
        cmap : str or Colormap, default="gray"
            Of images with one channel.

        Returns
        -------
        self
        """
        self.ax_ = get_axes(ax, _figure_size(self.places))
        self.figure_ = self.ax_.figure  # type: ignore[assignment]
        colours = self._draw_points()
        self._draw_thumbnails(n_thumbnails, thumbnail_size, colours, cmap)
        self.ax_.set(xticks=[], yticks=[], aspect="equal", anchor="NW")
        return self

    @classmethod
    def _from_parts(
        cls,
        z: ArrayLike,
        pictures: NDArray | None,
        labels: ArrayLike | None,
        target_names: Sequence[str] | None,
        *,
        prefix: str = "",
        **mapping: Any,
    ) -> EmbeddingDisplay:
        rows = check_finite_array(np.asarray(z), "z", (None, None))
        if pictures is not None:
            check_same_length(z=rows, images=pictures)
        names = None
        if labels is not None:
            labels = check_labels(labels, "labels")
            check_same_length(z=rows, labels=labels)
            found = np.unique(labels)
            shown = [prefix + name for name in name_labels(found, target_names)]
            names = dict(zip(found.tolist(), shown, strict=True))
        return cls(
            map_to_plane(rows, **mapping),
            pictures=pictures,
            labels=labels,
            label_names=names,
        )

    def _draw_points(self) -> NDArray:
        """Scatter the points, each label in its way; return their colours (n, 4)."""
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
        self.ax_.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small")
        return colours

    def _draw_thumbnails(
        self, most: int, size: float, colours: NDArray, cmap: Any
    ) -> None:
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
        """Draw one image about its point, framed in the point's colour."""
        assert self.pictures is not None
        picture, (x, y) = self.pictures[index], self.places[index]
        # A little smaller than the squares that do not overlap: frames have a width.
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


def _figure_size(places: NDArray) -> tuple[float, float]:
    """Return (width, height) in inches of a figure shaped like the map."""
    extent = np.ptp(places, axis=0)
    width, height = _INCHES * np.maximum(extent / extent.max(), _FLATTEST)
    return float(width) + _LEGEND_INCHES, float(height)


def _embed(estimator: Any, X: ArrayLike) -> tuple[NDArray, NDArray | None]:
    """Return z and, of a Pipeline that ends in a clusterer, the clusters."""
    embedder, clusterer = divide(estimator)
    z = (embedder or estimator).transform(X)
    if clusterer is None or not hasattr(clusterer, "predict"):
        return np.asarray(z), None
    return np.asarray(z), predict_clusters(clusterer, z).labels
