"""Small archives in the format of the real ones; the harness on them at smoke scale."""

import sys
from pathlib import Path

import numpy as np
import pytest

# pytest does not put the repository on the path, from which benchmarks are imported.
sys.path.insert(0, str(Path(__file__).parents[2]))

GALAXIES = ["Elliptical", "Spiral-CW", "Spiral-ACW", "Edge-on", "DontKnow", "Merger"]
CELLS = ["RBC", "WBC", "Platelets"]
DEFECTS = [
    "crazing",
    "inclusion",
    "patches",
    "pitted_surface",
    "rolled-in_scale",
    "scratches",
]


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory):
    """A folder with small stand-ins for the archives."""
    folder = tmp_path_factory.mktemp("data-folder")
    write_split(folder / "mnist.npz", 28, n_classes=10)
    write_split(folder / "plankton.npz", 32, n_classes=3)
    write_split(folder / "galaxy_zoo.npz", 32, channels=(3,), names=GALAXIES)
    write_split(folder / "cells.npz", 32, channels=(3,), names=CELLS)
    write_split(folder / "steel.npz", 32, names=DEFECTS)
    write_split(folder / "wm811k.npz", 32, n_classes=3, highest=2)
    write_cryo(folder / "cryo_sim70s.npz")
    return folder


def draw(n, side, n_classes, seed, channels=()):
    """Return wedges, wider by class, (n, side, side, *channels), and labels."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    images = np.zeros((n, side, side, *channels), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        for row in range(side // 4, side * 3 // 4):
            width = 2 + (row - side // 4) * (label + 3) // 12
            image[row, side // 3 : side // 3 + width] = 255
        image += random.integers(0, 3, image.shape, dtype=np.uint8) // 2
    return images, labels.astype(np.int64)


def write_split(path, side, n_classes=None, channels=(), highest=255, names=None):
    names = names or [f"class {i}" for i in range(n_classes)]
    n_classes = len(names)
    arrays = {"class_names": np.array(names)}
    for seed, (part, n) in enumerate({"train": 200, "test": 100}.items()):
        images, labels = draw(n, side, n_classes, seed, channels)
        images = np.minimum(images, highest)
        arrays |= {f"{part}_images": images, f"{part}_labels": labels}
    np.savez(path, **arrays)


def write_cryo(path):
    from invariant_cluster.datasets import make_oriented

    still, labels = draw(80, 32, 2, seed=0)
    images, theta, tau = make_oriented(still, translation_std=0.05)
    shift_yx = np.stack([-tau[:, 1], tau[:, 0]], axis=1)
    names = np.array(["view0", "view1"])
    np.savez(
        path,
        images=images,
        labels=labels,
        class_names=names,
        theta=theta,
        shift_yx=shift_yx,
    )
