"""What every test shares: one thread, no windows, equal generators to start from."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: tests run side by side
os.environ.setdefault("MPLBACKEND", "Agg")

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from invariant_cluster import IRLINREmbedder, PolarFourierEmbedder, SCANClusterer
from invariant_cluster.datasets import load_oriented_digits

torch.set_num_threads(1)


def read_generators() -> dict[str, object]:
    """Return the states of the global generators, in a form that compares by ``==``."""
    name, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002
    return {
        "random": random.getstate(),
        "numpy": (name, keys.tolist(), position, has_gauss, gauss),
        "torch": torch.get_rng_state().tolist(),
    }


@pytest.fixture(autouse=True)
def seeded_generators() -> None:
    """Seed the global generators, so that no test depends on the order of tests."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)


@pytest.fixture
def generators_unchanged(seeded_generators: None) -> Iterator[None]:
    """Fail when the test leaves a global generator in another state."""
    before = read_generators()
    yield
    after = read_generators()
    moved = [name for name in before if before[name] != after[name]]
    assert not moved, f"global generators changed: {', '.join(moved)}"


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """48 oriented digits (48, 16, 16), uint8, and their classes; not writeable."""
    images, target = load_oriented_digits(
        size=16, translation_std=0.03, return_X_y=True
    )
    images, target = images[:48].copy(), target[:48].copy()
    images.flags.writeable = False
    return images, target


@pytest.fixture(scope="session")
def images(digits: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The oriented digits alone, (48, 16, 16), uint8, not writeable."""
    return digits[0]


@pytest.fixture(scope="session")
def make_embedder() -> Callable[..., IRLINREmbedder]:
    """Return a maker of embedders that train in a twentieth of a second."""

    def make(**parameters: Any) -> IRLINREmbedder:
        tiny = {
            "d": 4,
            "encoder_width": 2,
            "n_frequencies": 4,
            "inr_hidden": (4,),
            "hypernetwork_hidden": (4,),
            "max_epochs": 1,
            "batch_size": 16,
            "device": "cpu",
            "precision": "float32",
            "random_state": 0,
        }
        return IRLINREmbedder(**{**tiny, **parameters})

    return make


@pytest.fixture(scope="session")
def make_clusterer() -> Callable[..., SCANClusterer]:
    """Return a maker of clusterers that train as fast."""

    def make(n_clusters: int = 3, **parameters: Any) -> SCANClusterer:
        tiny = {
            "n_neighbors": 3,
            "max_epochs": 1,
            "head_max_epochs": 1,
            "batch_size": 16,
            "device": "cpu",
            "precision": "float32",
            "random_state": 0,
        }
        return SCANClusterer(n_clusters, **{**tiny, **parameters})

    return make


@pytest.fixture(scope="session")
def make_polar_embedder() -> Callable[..., PolarFourierEmbedder]:
    """Return a maker of embedders that need no training, with a seed."""

    def make(**parameters: Any) -> PolarFourierEmbedder:
        return PolarFourierEmbedder(**{"random_state": 0, **parameters})

    return make


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail when anything is trained."""

    def backward(*_: Any, **__: Any) -> None:
        raise AssertionError("a gradient was computed: something was trained")

    monkeypatch.setattr(torch.Tensor, "backward", backward)
