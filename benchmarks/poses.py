"""How pose follows known moves (the paper's table 1)."""

from typing import Any, NamedTuple

import numpy as np

from benchmarks.data import Pose, find_file, load_mnist, shrink
from benchmarks.scales import Settings
from invariant_cluster import IRLINREmbedder
from invariant_cluster.datasets import make_oriented
from invariant_cluster.metrics import (
    rotation_correlation,
    rotation_error,
    translation_correlation,
    translation_error,
)

MNIST_FRAME = 50  # in which the digits are made and moved, as in the paper
SHIFT = 0.1


class Moved(NamedTuple):
    """Images, copies moved by known poses, and the poses, in pixels."""

    before: np.ndarray
    after: np.ndarray
    move: Pose


def move_images(
    dataset: str,
    test: np.ndarray,
    settings: Settings,
    folder: str | None,
    translation_std: float,
    seed: int,
) -> Moved:
    """Return test images, and copies turned by U[0, 2 pi) and shifted by N(0, std^2).

    MNIST(U) images that were shifted already would leave the frame when shifted once
    more. There the images before the move are digits turned but not shifted: the moved
    ones are then spread exactly as MNIST(U) is. Other images are moved as they are, as
    floats, so that maps of 0 and 1 are interpolated and not rounded.
    """
    side = settings.data["side"]
    still = test.astype(np.float32)
    if dataset.startswith("mnist-u"):
        home = find_file(dataset, folder).parent
        frame = {"size": max(side, MNIST_FRAME), "translation_std": 0.0}
        still, _ = load_mnist(dataset, home, "test", settings, **frame)
    moved, alpha, t = make_oriented(
        still, translation_std=translation_std, random_state=seed
    )
    pixel = side / still.shape[1]
    return Moved(shrink(still, side), shrink(moved, side), Pose(alpha, t * pixel))


def measure_moves(
    embedder: IRLINREmbedder, moved: Moved, learned: bool
) -> dict[str, float | None]:
    """Return how the change of pose fits ``theta + alpha`` and ``R(alpha) tau + t``."""
    before = Pose(*embedder.predict_pose(moved.before, learned=learned))
    after = Pose(*embedder.predict_pose(moved.after, learned=learned))
    alpha, t = moved.move
    change = (after.theta - before.theta) % (2 * np.pi)
    measured = measure_rotation(alpha, change)
    if np.any(t):
        measured |= measure_translation(turn(before.tau, alpha) + t, after.tau)
    return measured


def measure_truth(
    embedder: IRLINREmbedder,
    images: np.ndarray,
    views: np.ndarray,
    true: Pose,
    learned: bool,
) -> dict[str, float | None]:
    """Return how poses fit true ones, once one offset a view is removed.

    Nothing ties the canonical orientation of a view to the true one's: the pose of
    each differs by an angle delta and a shift c of its own, ``theta + delta`` and
    ``tau + R(theta) c``.
    """
    theta, tau = embedder.predict_pose(images, learned=learned)
    delta = mean_by(views, np.exp(1j * (theta - true.theta)))
    c = mean_by(views, turn(tau - true.tau, -true.theta))
    expected = true.tau + turn(c, true.theta)
    angle = (theta - np.angle(delta)) % (2 * np.pi)
    measured = measure_rotation(true.theta % (2 * np.pi), angle)
    measured |= measure_translation(expected, tau)
    return {f"truth_{name}": value for name, value in measured.items()}


def measure_rotation(true: np.ndarray, angle: np.ndarray) -> dict[str, float | None]:
    """Return correlations and the median error of angles in [0, 2 pi).

    Pearson's is the paper's; it breaks where angles pass 2 pi.
    """
    return {
        "rotation_circular": finite(rotation_correlation(true, angle)),
        "rotation_pearson": finite(np.corrcoef(true, angle)[0, 1]),
        "rotation_error_degrees": rotation_error(true, angle, remove_offset=False),
    }


def measure_translation(true: np.ndarray, tau: np.ndarray) -> dict[str, float | None]:
    """Return Pearson's correlation of each axis and the median distance in pixels."""
    x, y = translation_correlation(true, tau)
    return {
        "translation_x": finite(x),
        "translation_y": finite(y),
        "translation_error_pixels": translation_error(true, tau),
    }


def turn(points: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Return ``R(angle)`` times each point, (n, 2)."""
    turned = (points[:, 0] + 1j * points[:, 1]) * np.exp(1j * angle)
    return np.stack([turned.real, turned.imag], axis=1)


def mean_by(groups: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return each row's mean over the rows of its group, (n, ...)."""
    means = np.empty_like(values)
    for group in np.unique(groups):
        rows = groups == group
        means[rows] = values[rows].mean(axis=0)
    return means


def finite(value: Any) -> float | None:
    """Return None for NaN, which JSON does not have."""
    return float(value) if np.isfinite(value) else None
