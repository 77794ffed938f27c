"""The benchmarks' data: a name and a scale -> images and labels."""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.scales import Settings
from invariant_cluster.datasets import (
    fetch_mnist_u,
    load_cells,
    load_galaxies,
    load_plankton,
    load_projections,
    load_steel,
    load_wm811k,
)
from invariant_cluster.datasets._archives import find_archive
from invariant_cluster.datasets._resizing import shrink_by_area

FILES = {
    "mnist-u": "mnist.npz",
    "mnist-u-no9": "mnist.npz",
    "wm811k": "wm811k.npz",
    "plankton": "plankton.npz",
    "galaxy-zoo": "galaxy_zoo.npz",
    "galaxy-zoo-5": "galaxy_zoo.npz",
    "cells": "cells.npz",
    "steel": "steel.npz",
    "cryo": "cryo_sim70s.npz",
}
LOADERS = {
    "plankton": load_plankton,
    "galaxy-zoo": load_galaxies,
    "galaxy-zoo-5": partial(load_galaxies, n_classes=5),
    "cells": load_cells,
    "steel": load_steel,
}
HOW_TO_GET = "Give the folder that holds it with --data DIR."
WAFER_SIDE = 64  # of the archive; shrunk by area, a pixel is the share that fails
TEST_EVERY = 4  # the cryo projections have no split: every fourth is a test image


class Split(NamedTuple):
    """Images (n, h, w[, c]), uint8, and labels (n,) of both parts."""

    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray

    @property
    def n_classes(self) -> int:
        return len(np.unique(self.train_labels))

    @property
    def largest_class(self) -> float:
        """Share of the test images that are of the commonest class."""
        _, counts = np.unique(self.test_labels, return_counts=True)
        return float(counts.max() / counts.sum())


class Pose(NamedTuple):
    """How images lie: theta (n,) in radians, tau (n, 2) in pixels, y up."""

    theta: np.ndarray
    tau: np.ndarray


def load_split(dataset: str, settings: Settings, folder: str | None) -> Split:
    """Return the images of a data set at the scale's side.

    Raises
    ------
    FileNotFoundError
        If the folder does not hold the data set's file.
    """
    path = find_file(dataset, folder)
    parts = [
        load_part(dataset, path, subset, settings.data["side"])
        if not dataset.startswith("mnist-u")
        else load_mnist(dataset, path.parent, subset, settings)
        for subset in ("train", "test")
    ]
    (train, train_labels), (test, test_labels) = (
        (images[: settings.data[n]], labels[: settings.data[n]])
        for (images, labels), n in zip(parts, ("n_train", "n_test"), strict=True)
    )
    return Split(train, train_labels, test, test_labels)


def find_file(dataset: str, folder: str | None) -> Path:
    """Return the path of a data set's file, or say how to give it."""
    if folder is not None and not Path(folder).is_dir():
        raise FileNotFoundError(f"{folder!r} is no folder. {HOW_TO_GET}")
    return find_archive(folder, FILES[dataset], HOW_TO_GET)


def load_mnist(
    dataset: str,
    folder: Path,
    subset: str,
    settings: Settings,
    **options: Any,
) -> tuple[np.ndarray, np.ndarray]:
    """Return MNIST(U), or what is left of it without the digit 9."""
    images, labels = fetch_mnist_u(
        data_home=folder,
        subset=subset,
        n_samples=settings.data[f"n_{subset}"],
        return_X_y=True,
        **{"size": settings.data["side"], **options},
    )
    kept = labels != 9 if dataset.endswith("no9") else slice(None)
    return images[kept], labels[kept]


def load_part(
    dataset: str, path: Path, subset: str, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the train or test part of a data set other than MNIST(U)."""
    if dataset == "wm811k":
        maps, labels = load_wm811k(
            path, subset=subset, size=WAFER_SIDE, fail_map=True, return_X_y=True
        )
        return shrink(255 * maps, side), labels
    if dataset == "cryo":
        images, labels = load_projections(data_home=path.parent, return_X_y=True)
        rows = cryo_rows(len(images), subset)
        # Without noise, the values are those of the file, whole numbers up to 255.
        return shrink(images[rows].astype(np.uint8), side), labels[rows]
    images, labels = LOADERS[dataset](
        data_home=path.parent, subset=subset, return_X_y=True
    )
    return shrink(images, side), labels


def cryo_rows(n: int, subset: str) -> np.ndarray:
    """Return the indices of the projections (shuffled in the file) of a part."""
    is_test = np.arange(n) % TEST_EVERY == TEST_EVERY - 1
    return np.flatnonzero(is_test if subset == "test" else ~is_test)


def load_cryo_pose(settings: Settings, folder: str | None) -> Pose:
    """Return the true poses of the test projections, up to one offset a view."""
    home = find_file("cryo", folder).parent
    projections = load_projections(data_home=home)
    rows = cryo_rows(len(projections.theta), "test")[: settings.data["n_test"]]
    pixel = settings.data["side"] / projections.images.shape[1]
    return Pose(projections.theta[rows], projections.tau[rows] * pixel)


def shrink(images: np.ndarray, side: int) -> np.ndarray:
    """Shrink (n, h, w) or (n, h, w, c) by area; the images themselves at that side."""
    if images.shape[1:3] == (side, side):
        return images
    if images.ndim == 3:
        return shrink_by_area(images, side)
    channels = [shrink_by_area(channel, side) for channel in np.moveaxis(images, -1, 0)]
    return np.stack(channels, axis=-1)
