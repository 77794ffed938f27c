"""z of the training images of any data set here, as ``make_pipeline`` embeds them.

What ``benchmarks.choose_n_clusters`` clusters: computed once, then read from a cache.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.checkpoints import write_whole
from benchmarks.data import load_split
from benchmarks.ready_pipelines import WORDS
from benchmarks.scales import DATASETS, get_settings
from invariant_cluster import make_pipeline
from invariant_cluster.datasets import load_oriented_digits, load_wafer_maps

BUNDLED = ("digits", "wafer-maps")
NAMES = (*BUNDLED, *DATASETS)
WORDS_OF = {**WORDS, "digits": {}, "wafer-maps": WORDS["wm811k"]}
SCALE = "tiny"  # of the images: 32 pixels a side
MOST_IMAGES = 4000
BATCH_SIZE = 64  # of the light network
FEWEST_EPOCHS, MOST_EPOCHS = 8, 200  # as for max_epochs="auto"


class Space(NamedTuple):
    """Rows z (n, d) and the class of each, target (n,)."""

    z: np.ndarray
    target: np.ndarray

    @property
    def n_classes(self) -> int:
        return len(np.unique(self.target))


class Recipe(NamedTuple):
    """How images are embedded.

    Attributes
    ----------
    features : {"auto", "joint", "learned", "scattering"}
        As in ``make_pipeline``.
    epochs : int or "auto"
        Of the learned space.
    steps : int or None
        Training steps in place of epochs, in 8 to 200 epochs.
    seed : int
    """

    features: str = "auto"
    epochs: int | str = "auto"
    steps: int | None = None
    seed: int = 0

    @property
    def name(self) -> str:
        length = (
            f"epochs-{self.epochs}" if self.steps is None else f"steps-{self.steps}"
        )
        return f"{self.features}-{length}-seed-{self.seed}"

    def count_epochs(self, n_images: int) -> int | str:
        """Return ``max_epochs`` for so many images."""
        if self.steps is None:
            return self.epochs
        epochs = round(self.steps * BATCH_SIZE / n_images)
        return min(max(epochs, FEWEST_EPOCHS), MOST_EPOCHS)


def load_space(
    name: str, recipe: Recipe, folder: str | None, cache: str | None
) -> Space:
    """Return z of a data set, computed now or by an earlier run."""
    if cache is None:
        return compute_space(name, recipe, folder)
    path = Path(cache) / f"{name}-{recipe.name}.npz"
    if not path.exists():
        store(path, compute_space(name, recipe, folder))
    with np.load(path) as stored:
        return Space(stored["z"], stored["target"])


def store(path: Path, space: Space) -> None:
    """Write rows and classes to a file that appears when it is complete."""

    def write(unfinished: Path) -> None:
        with unfinished.open("wb") as file:
            np.savez(file, **space._asdict())

    write_whole(path, write)


def compute_space(name: str, recipe: Recipe, folder: str | None) -> Space:
    """Train the embedder of ``make_pipeline`` on the images; return their z."""
    images, target = load_images(name, folder)
    pipeline = make_pipeline(
        2,  # clusters, which the embedder does not see
        **WORDS_OF[name],
        features=recipe.features,
        network="light",
        max_epochs=recipe.count_epochs(len(images)),
        random_state=recipe.seed,
    )
    return Space(np.asarray(pipeline["embed"].fit_transform(images)), target)


def load_images(name: str, folder: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Return at most 4,000 training images and their classes."""
    if name in BUNDLED:
        wafers = name == "wafer-maps"
        data = load_wafer_maps(fail_map=True) if wafers else load_oriented_digits()
        return data.images, data.target
    split = load_split(name, get_settings(name, SCALE), folder)
    return split.train[:MOST_IMAGES], split.train_labels[:MOST_IMAGES]
