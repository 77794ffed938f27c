"""Images made in code, for where no data are given."""

import numpy as np

from benchmarks.data import Split
from invariant_cluster.datasets import make_oriented

N_CLASSES = 3
_SHIFT = 0.05


def make_images(n: int, side: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return turned and moved wedges (n, side, side), uint8, and their classes.

    The wedges of a class are wider than those of the class before. A wedge has one
    long axis and one broad end, so that no rounding turns it round.
    """
    random = np.random.default_rng(seed)
    labels = np.arange(n) % N_CLASSES
    images = np.zeros((n, side, side), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        draw_wedge(image, (0.1, 0.22, 0.34)[label] * random.uniform(0.9, 1.1))
    moved = make_oriented(
        images, translation_std=_SHIFT, random_state=seed, return_pose=False
    )
    return moved, labels.astype(np.int64)


def draw_wedge(image: np.ndarray, width: float) -> None:
    """Draw a wedge into an image (side, side); its width is a part of the side."""
    side = len(image)
    rows = range(side // 4, 3 * side // 4)
    for row in rows:
        share = (row - rows.start + 1) / len(rows)
        first = 3 * side // 8
        image[row, first : first + 1 + round(share * width * side)] = 255


def make_split(n_train: int, n_test: int, side: int) -> Split:
    """Return train and test images of the same kind."""
    train, test = make_images(n_train, side), make_images(n_test, side, seed=1)
    return Split(*train, *test)
