"""Predicted against true angles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

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
    """How the estimated angle changes when an image is turned (paper, figure 4).

    The absolute angle is each image's own, so changes are compared. Points on the
    diagonal are right; those on the dotted lines are off by half a turn, which happens
    to objects whose two ends are nearly alike.

    Make it by :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    alpha : ndarray of shape (n,)
        By which images were turned, radians in [0, 2 pi).
    theta_change : ndarray of shape (n,)
        By which the estimate changed, within pi of alpha.
    correlation : float
        :func:`~invariant_cluster.metrics.rotation_correlation` of the two.
    error : float
        Their :func:`~invariant_cluster.metrics.rotation_error`, in degrees.

    Attributes
    ----------
    points_ : PathCollection
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

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
        """Turn each image by a random angle and compare the poses before and after.

        Parameters
        ----------
        estimator : fitted embedder, or Pipeline with one
        X : array-like of n images
        learned : bool, default=True
            Whether the network estimates it, or the symmetry-breaking rule alone.
        random_state : int, RandomState or None, default=None
            Of the angles, uniform on the circle.
        ax : matplotlib Axes, optional
            By default those of a new figure.

        Raises
        ------
        TypeError
            When the estimator has no ``predict_pose``.
        """
        embedder, images = find_step(estimator, X, "predict_pose")
        rng = check_random_state(random_state)
        alpha = rng.uniform(0, 2 * np.pi, len(images))
        before, _ = embedder.predict_pose(images, learned=learned)
        turned = turn_images(embedder, images, alpha)
        after, _ = embedder.predict_pose(turned, learned=learned)
        return cls.from_predictions(alpha, after - before, ax=ax)

    @classmethod
    def from_predictions(
        cls, alpha: ArrayLike, theta_change: ArrayLike, *, ax: Any = None
    ) -> PoseDisplay:
        """Compare true with predicted changes of angle.

        Parameters
        ----------
        alpha : array-like of shape (n,)
            By which images were turned, in radians.
        theta_change : array-like of shape (n,)
            By which the estimated angle changed, in radians modulo 2 pi.
        ax : matplotlib Axes, optional
            By default those of a new figure.

        Raises
        ------
        ValueError
            Shapes other than (n,), lengths that differ, NaN or infinity.
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
            By default those of a new figure.

        Returns
        -------
        self
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
    """Draw the diagonal and the lines half a turn off it; fit ticks and limits."""
    low = min(0.0, float(y.min())) - _MARGIN
    high = max(float(_TURN), float(y.max())) + _MARGIN
    ends = np.array([0, _TURN])
    ax.plot(ends, ends, color="0.4", linewidth=1, zorder=1)
    for half_turn in (-_TURN // 2, _TURN // 2):
        ax.plot(ends, ends + half_turn, ":", color="0.6", linewidth=1, zorder=1)
    ax.set(xlim=(-_MARGIN, _TURN + _MARGIN), ylim=(low, high), aspect="equal")
    ax.set_xticks(range(0, _TURN + 1, 90))
    ax.set_yticks([tick for tick in range(-180, 541, 90) if low <= tick <= high])
