"""Confusion matrix of classes and matched clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import ConfusionMatrixDisplay

from invariant_cluster.metrics import match_labels, matched_confusion_matrix
from invariant_cluster.plot._axes import get_axes
from invariant_cluster.plot._label_names import name_labels
from invariant_cluster.validation import check_choice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

_INCHES = 0.55  # side of a cell
_WIDE_INCHES, _HIGH_INCHES = 1.9, 1.25  # room of bar, titles and ticks
_LETTER_INCHES = 0.09
_BAR = (1.03, 0.0, 0.04, 1.0)  # left, bottom, width and height, in those of the axes
_NO_CLUSTER = "-"
_LONGEST_LEVEL = 5  # characters that fit below a cell
_NOTHING = "\N{EN DASH}"
_MEANINGS = {
    None: "images",
    "true": "share of the class",
    "pred": "share of the cluster",
    "all": "share of all images",
}
_SUMMED_AXIS: dict[str, Any] = {"true": 1, "pred": 0, "all": (0, 1)}


class MatchedConfusionMatrixDisplay:
    """Confusion matrix of classes and the clusters matched with them.

    Use :meth:`from_estimator` or :meth:`from_predictions` to create the display.

    Parameters
    ----------
    confusion_matrix : ndarray of shape (n_classes, n_columns)
        Number of images of each class (row) in each cluster (column).
    class_names : sequence of str of length n_classes
        Names of the rows.
    cluster_names : sequence of str of length n_columns
        Names of the columns.

    Attributes
    ----------
    image_ : AxesImage
        The coloured cells.
    text_ : ndarray of Text of shape (n_classes, n_columns)
        The number in each cell.
    colorbar_ : Colorbar
        Colour bar of the numbers.
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    invariant_cluster.metrics.matched_confusion_matrix : Compute the matrix.
    invariant_cluster.metrics.clustering_accuracy_score : Compute the accuracy.
    ClusterGalleryDisplay : Plot images of each cluster.

    Notes
    -----
    The Hungarian method matches clusters one to one with classes. Matched pairs are on
    the diagonal. Below each cluster stands the share of its images that are of the
    matched class. Clusters without a class are last; the column of a class without a
    cluster is empty. scikit-learn's ``ConfusionMatrixDisplay`` draws the cells. The
    matrix corresponds to figure 5 of the paper (Kwon, Choi and Ryu, ICML 2023).

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from invariant_cluster.plot import MatchedConfusionMatrixDisplay
    >>> display = MatchedConfusionMatrixDisplay.from_predictions(
    ...     ["ring", "ring", "blob"], [1, 1, 0]
    ... )
    >>> display.class_names, display.cluster_names
    (['blob', 'ring'], ['0', '1'])
    >>> plt.close(display.figure_)
    """

    image_: AxesImage
    text_: NDArray
    colorbar_: Colorbar
    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        confusion_matrix: NDArray,
        *,
        class_names: Sequence[str],
        cluster_names: Sequence[str],
    ) -> None:
        self.confusion_matrix = confusion_matrix
        self.class_names = class_names
        self.cluster_names = cluster_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        target_names: Sequence[str] | None = None,
        normalize: str | None = None,
        ax: Any = None,
        cmap: Any = "viridis",
    ) -> MatchedConfusionMatrixDisplay:
        """Predict the clusters and plot them against the classes.

        Parameters
        ----------
        estimator : fitted clusterer, or Pipeline that ends in one
            Model with ``predict``.
        X : array-like of n images or rows
            Input of ``predict``.
        y : array-like of shape (n,)
            Classes.
        target_names : sequence of str, optional
            Names of the classes 0, 1, ... in ``y``. By default the classes themselves.
        normalize : {"true", "pred", "all"} or None, default=None
            Whether to show shares of each class ("true"), of each cluster ("pred") or
            of all images ("all") instead of counts.
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.
        cmap : str or Colormap, default="viridis"
            Colour map of the cells.

        Returns
        -------
        MatchedConfusionMatrixDisplay
            The display, already drawn.

        Raises
        ------
        TypeError
            If the estimator has no ``predict``.
        ValueError
            If lengths differ, labels are missing, ``normalize`` is unknown, or there
            are too few names.
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        MatchedConfusionMatrixDisplay.from_predictions : Plot known clusters.
        """
        if not hasattr(estimator, "predict"):
            raise TypeError(
                f"estimator={type(estimator).__name__} has no predict: give a Pipeline "
                "that ends in a clusterer."
            )
        return cls.from_predictions(
            y,
            estimator.predict(X),
            target_names=target_names,
            normalize=normalize,
            ax=ax,
            cmap=cmap,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        labels: ArrayLike,
        *,
        target_names: Sequence[str] | None = None,
        normalize: str | None = None,
        ax: Any = None,
        cmap: Any = "viridis",
    ) -> MatchedConfusionMatrixDisplay:
        """Plot known clusters against the classes.

        Parameters
        ----------
        y_true : array-like of shape (n,)
            Classes, of any type that can be sorted.
        labels : array-like of shape (n,)
            Clusters, of any type that can be sorted.
        target_names : sequence of str, optional
            Names of the classes 0, 1, ... in ``y_true``. By default the classes
            themselves.
        normalize : {"true", "pred", "all"} or None, default=None
            Whether to show shares of each class ("true"), of each cluster ("pred") or
            of all images ("all") instead of counts.
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.
        cmap : str or Colormap, default="viridis"
            Colour map of the cells.

        Returns
        -------
        MatchedConfusionMatrixDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If lengths differ, labels are missing, ``normalize`` is unknown, or there
            are too few names.
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        MatchedConfusionMatrixDisplay.from_estimator : Predict the clusters first.
        """
        display = cls(
            matched_confusion_matrix(y_true, labels),
            class_names=name_labels(np.unique(np.asarray(y_true)), target_names),
            cluster_names=_name_columns(y_true, labels),
        )
        return display.plot(ax, normalize=normalize, cmap=cmap)

    def plot(
        self, ax: Any = None, *, normalize: str | None = None, cmap: Any = "viridis"
    ) -> MatchedConfusionMatrixDisplay:
        """Draw the matrix, its numbers, a colour bar and the matched accuracy.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.
        normalize : {"true", "pred", "all"} or None, default=None
            Whether to show shares of each class ("true"), of each cluster ("pred") or
            of all images ("all") instead of counts.
        cmap : str or Colormap, default="viridis"
            Colour map of the cells.

        Returns
        -------
        MatchedConfusionMatrixDisplay
            The display itself, with its attributes set.

        Raises
        ------
        ValueError
            If ``normalize`` is unknown.
        ImportError
            If matplotlib is not installed.
        """
        values = _normalized(self.confusion_matrix, normalize)
        rows, columns = values.shape
        names = _LETTER_INCHES * max(map(len, self.class_names))
        inches = columns * _INCHES + names + _WIDE_INCHES, rows * _INCHES + _HIGH_INCHES
        ax = get_axes(ax, inches)
        if ax is getattr(self, "ax_", None):
            self.colorbar_.remove()  # not a further one for the same axes
        drawn = ConfusionMatrixDisplay(_as_square(values)).plot(
            ax=ax,
            cmap=cmap,
            values_format="d" if normalize is None else ".2f",
            im_kw={"vmin": 0},
            text_kw={"fontsize": "small"},
            colorbar=False,  # its own is higher than the matrix, and far from it
        )
        self.ax_, self.figure_, self.image_ = ax, drawn.figure_, drawn.im_
        self.colorbar_ = self.figure_.colorbar(
            drawn.im_, cax=ax.inset_axes(_BAR), label=_MEANINGS[normalize]
        )
        for text in drawn.text_[rows:].ravel():
            text.remove()
        self.text_ = drawn.text_[:rows]
        self._name_axes()
        return self

    def _name_axes(self) -> None:
        """Name rows and columns, with the shares; write the accuracy as title."""
        ax, counts = self.ax_, self.confusion_matrix
        rows, columns = counts.shape
        is_long = max(map(len, self.cluster_names)) > _LONGEST_LEVEL
        shares = _matched_shares(counts)
        between = ": " if is_long else "\n"
        labels = [
            name if name == _NO_CLUSTER else f"{name}{between}{share}"
            for name, share in zip(self.cluster_names, shares, strict=True)
        ]
        ax.set_xticks(range(columns), labels=labels, fontsize="small")
        ax.tick_params("x", labelrotation=90 if is_long else 0)
        ax.set_yticks(range(rows), labels=self.class_names)
        ax.set(ylim=(rows - 0.5, -0.5), ylabel="class", anchor="NW")
        ax.set_xlabel("cluster, share of\nmatched class")
        accuracy = np.trace(counts) / counts.sum()
        ax.set_title(f"matched accuracy {100 * accuracy:.1f} %", fontsize="medium")


def _as_square(values: NDArray) -> NDArray:
    """Return values with empty rows below, which scikit-learn's display needs."""
    rows, columns = values.shape
    return np.pad(values, ((0, columns - rows), (0, 0)))


def _matched_shares(counts: NDArray) -> list[str]:
    """Return the share of the matched class in each column; a dash without one."""
    rows, columns = counts.shape
    sizes = counts.sum(axis=0)
    return [
        f"{100 * counts[j, j] / sizes[j]:.0f} %" if j < rows and sizes[j] else _NOTHING
        for j in range(columns)
    ]


def _name_columns(y_true: ArrayLike, labels: ArrayLike) -> list[str]:
    """Return the name of the cluster in each column of the matrix."""
    classes, codes = np.unique(np.asarray(y_true), return_inverse=True)
    clusters, first = np.unique(np.asarray(labels), return_index=True)
    matched = match_labels(codes, labels)[first]
    own = dict(zip(matched.tolist(), clusters.tolist(), strict=True))
    names = [str(own.get(code, _NO_CLUSTER)) for code in range(len(classes))]
    return names + [str(cluster) for cluster in clusters[matched < 0].tolist()]


def _normalized(counts: NDArray, normalize: str | None) -> NDArray:
    """Return counts or shares; 0 in the column of a class without a cluster."""
    if normalize is None:
        return counts
    check_choice("normalize", normalize, [*_SUMMED_AXIS, None])
    total = counts.sum(axis=_SUMMED_AXIS[normalize], keepdims=True)
    return counts / np.maximum(total, 1)
