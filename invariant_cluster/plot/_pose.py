"""Plot of predicted against true changes of angle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from invariant_cluster.drift import one_warning
from invariant_cluster.inspection import find_poses, find_step, turn_images
from invariant_cluster.metrics import rotation_correlation, rotation_error
from invariant_cluster.plot._axes import get_axes
from invariant_cluster.validation import check_finite_array, check_same_length

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
        Change of the predicted angle in radians, in [0, 2 pi).
    correlation : float
        :func:`~invariant_cluster.metrics.rotation_correlation` of the two.
    error : float
        :func:`~invariant_cluster.metrics.rotation_error` of the two, in degrees.
    has_direction : ndarray of shape (n,), bool, optional
        Whether each image's angle means something; all do by default.

    Attributes
    ----------
    points_ : PathCollection
        One point per image with a direction.
    undirected_ : PathCollection or None
        One cross per image without a direction; None if all have one.
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
    off by half a turn, which happens if the two ends of an object are nearly alike.
    Crosses are images without a direction, such as round objects: the model says
    that their angle means nothing, and they do not count in the scores. The plot
    corresponds to figure 4 of the paper (Kwon, Choi and Ryu, ICML 2023).

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
    undirected_: PathCollection | None
    ax_: Axes
    figure_: Figure

    def __init__(
        self,
        alpha: NDArray,
        theta_change: NDArray,
        *,
        correlation: float,
        error: float,
        has_direction: NDArray | None = None,
    ) -> None:
        self.alpha = alpha
        self.theta_change = theta_change
        self.correlation = correlation
        self.error = error
        everyone = np.ones(len(alpha), dtype=bool)
        self.has_direction = everyone if has_direction is None else has_direction

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
        before = find_poses(embedder, images, learned=learned)
        turned = turn_images(embedder, images, alpha)
        with one_warning(silent=True):  # turning smooths images
            after, _ = embedder.predict_pose(turned, learned=learned)
        return cls.from_predictions(
            alpha, after - before.theta, theta_std=before.theta_std, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        alpha: ArrayLike,
        theta_change: ArrayLike,
        *,
        theta_std: ArrayLike | None = None,
        ax: Any = None,
    ) -> PoseDisplay:
        """Plot known predicted against true changes of angle.

        Parameters
        ----------
        alpha : array-like of shape (n,)
            True change of each image's angle, in radians.
        theta_change : array-like of shape (n,)
            Change of the predicted angle, in radians modulo 2 pi.
        theta_std : array-like of shape (n,), optional
            Standard deviation of each image's angle, NaN without a direction, as
            ``predict_pose(X, return_std=True)`` returns it.
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
        true, change = _check_changes(alpha, theta_change)
        std = np.zeros(len(true)) if theta_std is None else np.asarray(theta_std)
        check_same_length(alpha=true, theta_std=std)
        known = ~np.isnan(std)
        correlation, error = _scores(true[known], change[known])
        return cls(
            true, change, correlation=correlation, error=error, has_direction=known
        ).plot(ax)

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
        known = self.has_direction
        _draw_guides(self.ax_)
        self.undirected_ = None
        if not known.all():
            self.undirected_ = self.ax_.scatter(
                x[~known],
                y[~known],
                s=16,
                marker="x",
                color="0.5",
                linewidths=1,
                label=f"no direction ({(~known).sum():,} of {len(known):,})",
            )
            # Below the axes: the points are everywhere inside.
            self.ax_.legend(
                loc="upper center", bbox_to_anchor=(0.5, -0.13), frameon=False
            )
        self.points_ = self.ax_.scatter(
            x[known], y[known], s=10, alpha=0.5, linewidths=0, zorder=2
        )
        self.ax_.set(
            xlabel="true turn (degrees)",
            ylabel="turn of the estimated pose (degrees)",
            title=f"circular correlation {self.correlation:.3f}, "
            f"median error {self.error:.1f}°",
        )
        self.ax_.title.set_fontsize("medium")
        return self


def _check_changes(
    alpha: ArrayLike, theta_change: ArrayLike
) -> tuple[NDArray, NDArray]:
    """Return both as angles in [0, 2 pi), if they are finite and equally long."""
    given = {"alpha": alpha, "theta_change": theta_change}
    found = {name: check_finite_array(a, name, (None,)) for name, a in given.items()}
    check_same_length(**found)
    true, change = (angles.astype(float) % (2 * np.pi) for angles in found.values())
    return true, change


def _scores(true: NDArray, change: NDArray) -> tuple[float, float]:
    """Return correlation and median error of angles (n,); NaN of no angles."""
    if not len(true):
        return np.nan, np.nan
    correlation = rotation_correlation(true, change)
    return correlation, rotation_error(true, change, remove_offset=False)


def _draw_guides(ax: Axes) -> None:
    """Draw the diagonal and the lines half a turn from it; set ticks and limits."""
    ends = np.array([0, _TURN])
    ax.plot(ends, ends, color="0.4", linewidth=1, zorder=1)
    for half_turn in (-_TURN // 2, _TURN // 2):
        ax.plot(ends, ends + half_turn, ":", color="0.6", linewidth=1, zorder=1)
    limits = (-_MARGIN, _TURN + _MARGIN)
    ax.set(xlim=limits, ylim=limits, aspect="equal")
    ax.set_xticks(range(0, _TURN + 1, 90))
    ax.set_yticks(range(0, _TURN + 1, 90))
