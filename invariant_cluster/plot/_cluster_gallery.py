"""Gallery of the images of each cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from invariant_cluster.images import Disc, as_pictures, find_disc
from invariant_cluster.inspection import (
    find_step,
    pick_exemplars,
    predict_clusters,
    take_pictures,
)
from invariant_cluster.metrics import matched_classes
from invariant_cluster.plot._label_names import name_labels
from invariant_cluster.plot._mosaic import draw_mosaic
from invariant_cluster.validation import (
    check_choice,
    check_finite_array,
    check_labels,
    check_same_length,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

_OUTLINES: list[object] = ["auto", True, False]


class ClusterGalleryDisplay:
    """Gallery of the images of each cluster, one cluster per row.

    Use :meth:`from_estimator` or :meth:`from_predictions` to create the display.

    Parameters
    ----------
    pictures : dict of int to ndarray of shape (k, h, w) or (k, h, w, c)
        Images of each cluster in the order shown, with values in [0, 1].
    exemplars : dict of int to ndarray of shape (k,)
        Indices of these images in the input.
    titles : dict of int to str
        Title of each cluster's row.
    disc : Disc, optional
        Outline drawn on each image, in fractions of its width and height.

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
    EmbeddingDisplay : Plot images on a map of z.
    invariant_cluster.cluster_report : Write galleries and scores to an HTML file.

    Notes
    -----
    The gallery corresponds to figures 11 and 12 of the paper (Kwon, Choi and Ryu, ICML
    2023).

    A title such as "mostly ring (62 %)" names the class that the Hungarian method
    matches with the cluster, and the share of the cluster's images that are of it.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from invariant_cluster.datasets import load_oriented_digits
    >>> from invariant_cluster.plot import ClusterGalleryDisplay
    >>> images, labels = load_oriented_digits(return_X_y=True)
    >>> display = ClusterGalleryDisplay.from_predictions(images, labels, n_images=6)
    >>> print(display.titles[3])
    cluster 3: 183 images
    >>> plt.close(display.figure_)
    """

    image_: AxesImage
    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        pictures: dict[int, NDArray],
        *,
        exemplars: dict[int, NDArray],
        titles: dict[int, str],
        disc: Disc | None = None,
    ) -> None:
        self.pictures = pictures
        self.exemplars = exemplars
        self.titles = titles
        self.disc = disc

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        target_names: Sequence[str] | None = None,
        n_images: int = 12,
        order: str = "most_confident",
        random_state: int | np.random.RandomState | None = None,
        outline: bool | str = "auto",
        ax: Any = None,
        cmap: Any = "gray",
    ) -> ClusterGalleryDisplay:
        """Predict the clusters of images and plot images of each.

        Parameters
        ----------
        estimator : fitted Pipeline of an embedder and a clusterer
            Model to plot. It needs ``predict_proba``, or only ``predict`` for
            ``order="random"``.
        X : array-like of n images
            Images of the shape given to ``fit``.
        y : array-like of shape (n,), optional
            Classes. Each cluster is then titled with its matched class and that class's
            share of the cluster.
        target_names : sequence of str, optional
            Names of the classes 0, 1, ... in ``y``. By default the classes themselves.
        n_images : int, default=12
            Largest number of images per cluster.
        order : {"most_confident", "least_confident", "random"}
            Which images of a cluster are shown, and in which order. The default is
            "most_confident". Confidence is the probability of the image's cluster.
        random_state : int, RandomState instance or None, default=None
            Seed of the order "random".
        outline : bool or "auto", default="auto"
            Whether to draw a thin circle around the disc that all images share, such as
            the wafer of wafer maps, whose corners say nothing. "auto" draws it if there
            is such a disc; True draws the largest circle in the image if there is none.
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.
        cmap : str or Colormap, default="gray"
            Colour map of images with one channel.

        Returns
        -------
        ClusterGalleryDisplay
            The display, already drawn.

        Raises
        ------
        TypeError
            If the estimator has no embedder of images, or lacks ``predict_proba`` or
            ``predict``.
        ValueError
            If an option is out of range, or lengths differ.
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        ClusterGalleryDisplay.from_predictions : Plot known clusters.
        """
        embedder, images = find_step(estimator, X, "layout_")
        labels, confidence = _predict(estimator, X, order)
        pictures = take_pictures(embedder, images)
        return cls._from_pictures(
            pictures,
            labels,
            confidence,
            y,
            target_names,
            n_images=n_images,
            order=order,
            random_state=random_state,
            outline=outline,
        ).plot(ax, cmap=cmap)

    @classmethod
    def from_predictions(
        cls,
        images: ArrayLike,
        labels: ArrayLike,
        confidence: ArrayLike | None = None,
        *,
        y: ArrayLike | None = None,
        target_names: Sequence[str] | None = None,
        n_images: int = 12,
        order: str = "most_confident",
        random_state: int | np.random.RandomState | None = None,
        intensity_range: tuple[float, float] | None = None,
        image_shape: Sequence[int] | None = None,
        outline: bool | str = "auto",
        ax: Any = None,
        cmap: Any = "gray",
    ) -> ClusterGalleryDisplay:
        """Plot images of each cluster, given the clusters.

        Parameters
        ----------
        images : array-like of shape (n, h, w), (n, h, w, c), (n, c, h, w) or flat rows
            Images to show.
        labels : array-like of int of shape (n,)
            Cluster of each image.
        confidence : array-like of shape (n,), optional
            Confidence of each image's cluster, such as
            ``predict_proba(X).max(axis=1)``. By default all images are equally
            confident and keep their order.
        y : array-like of shape (n,), optional
            Classes. Each cluster is then titled with its matched class and that class's
            share of the cluster.
        target_names : sequence of str, optional
            Names of the classes 0, 1, ... in ``y``. By default the classes themselves.
        n_images : int, default=12
            Largest number of images per cluster.
        order : {"most_confident", "least_confident", "random"}
            Which images of a cluster are shown, and in which order. The default is
            "most_confident". The order follows ``confidence``.
        random_state : int, RandomState instance or None, default=None
            Seed of the order "random".
        intensity_range : (low, high), optional
            Values shown as black and white. By default measured on the images.
        image_shape : tuple of int, optional
            Shape of one image, for flat rows that are not square images and where the
            shape of the array is ambiguous.
        outline : bool or "auto", default="auto"
            Whether to draw a thin circle around the disc that all images share, such as
            the wafer of wafer maps, whose corners say nothing. "auto" draws it if there
            is such a disc; True draws the largest circle in the image if there is none.
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.
        cmap : str or Colormap, default="gray"
            Colour map of images with one channel.

        Returns
        -------
        ClusterGalleryDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If lengths differ, labels are not integers, or an option is out of range.
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        ClusterGalleryDisplay.from_estimator : Predict the clusters first.
        """
        pictures = as_pictures(
            images, intensity_range=intensity_range, image_shape=image_shape
        )
        return cls._from_pictures(
            pictures,
            labels,
            confidence,
            y,
            target_names,
            n_images=n_images,
            order=order,
            random_state=random_state,
            outline=outline,
        ).plot(ax, cmap=cmap)

    def plot(self, ax: Any = None, *, cmap: Any = "gray") -> ClusterGalleryDisplay:
        """Draw the gallery.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.
        cmap : str or Colormap, default="gray"
            Colour map of images with one channel.

        Returns
        -------
        ClusterGalleryDisplay
            The display itself, with ``image_``, ``ax_`` and ``figure_`` set.
        """
        self.image_ = draw_mosaic(
            list(self.pictures.values()),
            row_titles=list(self.titles.values()),
            disc=self.disc,
            ax=ax,
            cmap=cmap,
        )
        self.ax_ = self.image_.axes
        self.figure_ = self.ax_.figure  # type: ignore[assignment]
        return self

    @classmethod
    def _from_pictures(
        cls,
        pictures: NDArray,
        labels: ArrayLike,
        confidence: ArrayLike | None,
        y: ArrayLike | None,
        target_names: Sequence[str] | None,
        *,
        n_images: int,
        outline: bool | str,
        **choice: Any,
    ) -> ClusterGalleryDisplay:
        """Pick the exemplars of each cluster and title the clusters."""
        clusters = _check_clusters(labels, n_images)
        sure = np.ones(len(clusters)) if confidence is None else confidence
        sure = check_finite_array(sure, "confidence", (None,))
        check_same_length(images=pictures, labels=clusters, confidence=sure)
        exemplars = pick_exemplars(clusters, sure, n_images, **choice)
        return cls(
            {cluster: pictures[rows] for cluster, rows in exemplars.items()},
            exemplars=exemplars,
            titles=_title_clusters(clusters, y, target_names),
            disc=_choose_disc(pictures, outline),
        )


def _predict(
    estimator: Any, X: ArrayLike, order: str
) -> tuple[NDArray, NDArray | None]:
    """Return the cluster and confidence of each image, (n,); None if unknown."""
    needed = "predict" if order == "random" else "predict_proba"
    if not hasattr(estimator, needed):
        raise TypeError(
            f"order={order!r} needs {needed}, which estimator="
            f"{type(estimator).__name__} does not have: give a Pipeline that ends in a "
            "SCANClusterer, or use order='random', which needs only predict."
        )
    prediction = predict_clusters(estimator, X)
    return prediction.labels, prediction.confidence


def _check_clusters(labels: ArrayLike, n_images: int) -> NDArray:
    """Return the clusters if they are integers; check n_images."""
    clusters = check_labels(labels, "labels")
    if clusters.dtype.kind not in "iu":
        raise ValueError(
            f"labels has dtype {clusters.dtype}, not integer: give clusters as "
            "integers, such as np.unique(labels, return_inverse=True)[1]."
        )
    if n_images < 1:
        raise ValueError(f"n_images={n_images!r}: show at least 1 image per cluster.")
    return clusters


def _title_clusters(
    clusters: NDArray, y: ArrayLike | None, target_names: Sequence[str] | None
) -> dict[int, str]:
    """Return the title of each cluster: number, size, and class with its share."""
    found, sizes = np.unique(clusters, return_counts=True)
    names = {} if y is None else _match_names(clusters, y, target_names)
    return {
        cluster: "\n".join([_tell_size(cluster, size), *names.get(cluster, [])])
        for cluster, size in zip(found.tolist(), sizes.tolist(), strict=True)
    }


def _tell_size(cluster: int, size: int) -> str:
    """Return the number and the size of a cluster."""
    return f"cluster {cluster}: {size} image{'' if size == 1 else 's'}"


def _match_names(
    clusters: NDArray, y: ArrayLike, target_names: Sequence[str] | None
) -> dict[int, list[str]]:
    """Return the lines that tell the class matched with each cluster."""
    classes, codes = np.unique(check_labels(y, "y"), return_inverse=True)
    prefix = "class " if target_names is None and classes.dtype.kind in "iu" else ""
    names = [prefix + name for name in name_labels(classes, target_names)]
    check_same_length(labels=clusters, y=codes)
    matched = matched_classes(codes, clusters, target_names=names)
    return {cluster: found.parts for cluster, found in matched.items()}


def _choose_disc(pictures: NDArray, outline: bool | str) -> Disc | None:
    """Return the disc to outline, None for none."""
    check_choice("outline", outline, _OUTLINES)
    if not outline:
        return None
    disc = find_disc(pictures)
    return Disc() if disc is None and outline is True else disc
