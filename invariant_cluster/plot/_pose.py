"""Plot of predicted against true changes of angle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from invariant_cluster.drift import one_warning
from invariant_cluster.inspection import find_step, turn_images
from invariant_cluster.metrics import rotation_correlation, rotation_error
from invariant_cluster.plot._axes import get_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

_INCHES = (4.8, 4.8)
_TURN = 360
_MARGIN = 8  # degrees around the points


class PoseDisplay:
    """Predicted against true changes of the angle when images are turned.

    Use :meth:`from_estimator` or :meth:`from_predictions` to create the display.

    Parameters
    ----------
    alpha : ndarray of shape (n,)
        True change of each image's angle, in radians, in [0, 2 pi).
    theta_change : ndarray of shape (n,)
        Change of the predicted angle in radians, within pi of alpha.
    correlation : float
        :func:`~invariant_cluster.metrics.rotation_correlation` of the two.
    error : float
        :func:`~invariant_cluster.metrics.rotation_error` of the two, in degrees.

    Attributes
    ----------
    points_ : PathCollection
        One point per image.
    ax_ : matplotlib Axes
        Axes with the plot.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    ReconstructionDisplay : Plot turned copies and their canonical views.
    invariant_cluster.metrics.rotation_correlation : Compute the correlation.
    invariant_cluster.metrics.rotation_error : Compute the median error.

    Notes
    -----
    The zero of the angle differs between images, so changes are compared instead of
    absolute angles. Points on the diagonal are correct. Points on the dotted lines are
    off by half a turn, which happens if the two ends of an object are nearly alike. The
    plot corresponds to figure 4 of the paper (Kwon, Choi and Ryu, ICML 2023).

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from invariant_cluster.plot import PoseDisplay
    >>> display = PoseDisplay.from_predictions([0.1, 2.0, 6.0], [0.2, 2.1, -0.3])
    >>> display.theta_change.round(2).tolist()
    [0.2, 2.1, 5.98]
    >>> plt.close(display.figure_)
    """

    points_: PathCollection
    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        alpha: NDArray,
        theta_change: NDArray,
        *,
        correlation: float,
        error: float,
    ) -> None:
        self.alpha = alpha
        self.theta_change = theta_change
        self.correlation = correlation
        self.error = error

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        learned: bool = True,
        random_state: int | np.random.RandomState | None = None,
        ax: Any = None,
    ) -> PoseDisplay:
        """Turn each image by a random angle and plot the change of its predicted pose.

        Parameters
        ----------
        estimator : fitted embedder, or Pipeline with one
            Model with ``predict_pose``.
        X : array-like of n images
            Images of the shape given to ``fit``.
        learned : bool, default=True
            Whether the network predicts the pose. False uses the analytic pose of the
            symmetry-breaking rule.
        random_state : int, RandomState instance or None, default=None
            Seed of the angles, which are uniform on the circle.
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.

        Returns
        -------
        PoseDisplay
            The display, already drawn.

        Raises
        ------
        TypeError
            If no step of the estimator has ``predict_pose``.
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        PoseDisplay.from_predictions : Plot known changes of angle.
        """
        embedder, images = find_step(estimator, X, "predict_pose")
        rng = check_random_state(random_state)
        alpha = rng.uniform(0, 2 * np.pi, len(images))
        before, _ = embedder.predict_pose(images, learned=learned)
        turned = turn_images(embedder, images, alpha)
        with one_warning(silent=True):  # turning smooths images
            after, _ = embedder.predict_pose(turned, learned=learned)
        return cls.from_predictions(alpha, after - before, ax=ax)

    @classmethod
    def from_predictions(
        cls, alpha: ArrayLike, theta_change: ArrayLike, *, ax: Any = None
    ) -> PoseDisplay:
        """Plot known predicted against true changes of angle.

        Parameters
        ----------
        alpha : array-like of shape (n,)
            True change of each image's angle, in radians.
        theta_change : array-like of shape (n,)
            Change of the predicted angle, in radians modulo 2 pi.
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.

        Returns
        -------
        PoseDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If the shapes are not (n,), the lengths differ, or a value is NaN or
            infinite.
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        PoseDisplay.from_estimator : Turn images and predict the changes.
        """
        correlation = rotation_correlation(alpha, theta_change)
        error = rotation_error(alpha, theta_change, remove_offset=False)
        true = np.asarray(alpha, dtype=float) % (2 * np.pi)
        off = np.asarray(theta_change, dtype=float) - true
        near = true + (off + np.pi) % (2 * np.pi) - np.pi
        return cls(true, near, correlation=correlation, error=error).plot(ax)

    def plot(self, ax: Any = None) -> PoseDisplay:
        """Draw the points, the diagonal and the scores.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw in. By default those of a new figure.

        Returns
        -------
        PoseDisplay
            The display itself, with ``points_``, ``ax_`` and ``figure_`` set.
        """
        self.ax_ = get_axes(ax, _INCHES)
        self.figure_ = self.ax_.figure  # type: ignore[assignment]
        x, y = np.rad2deg(self.alpha), np.rad2deg(self.theta_change)
        _draw_guides(self.ax_, y)
        self.points_ = self.ax_.scatter(x, y, s=10, alpha=0.5, linewidths=0, zorder=2)
        self.ax_.set(
            xlabel="true turn (degrees)",
            ylabel="turn of the estimated pose (degrees)",
            title=f"circular correlation {self.correlation:.3f}, "
            f"median error {self.error:.1f}°",
        )
        self.ax_.title.set_fontsize("medium")
        return self


def _draw_guides(ax: Axes, y: NDArray) -> None:
    """Draw the diagonal and the lines half a turn from it; set ticks and limits."""
    low = min(0.0, float(y.min())) - _MARGIN
    high = max(float(_TURN), float(y.max())) + _MARGIN
    ends = np.array([0, _TURN])
    ax.plot(ends, ends, color="0.4", linewidth=1, zorder=1)
    for half_turn in (-_TURN // 2, _TURN // 2):
        ax.plot(ends, ends + half_turn, ":", color="0.6", linewidth=1, zorder=1)
    ax.set(xlim=(-_MARGIN, _TURN + _MARGIN), ylim=(low, high), aspect="equal")
    ax.set_xticks(range(0, _TURN + 1, 90))
    ax.set_yticks([tick for tick in range(-180, 541, 90) if low <= tick <= high])
