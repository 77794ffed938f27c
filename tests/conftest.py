"""What every test shares: one thread, no windows, equal generators to start from."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: tests run side by side
os.environ.setdefault("MPLBACKEND", "Agg")

import inspect
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from invariant_cluster import (
    IRLINREmbedder,
    PolarFourierEmbedder,
    SCANClusterer,
    SimCLREmbedder,
    SpatialVAEEmbedder,
    TargetVAEEmbedder,
)
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
def frame(images: np.ndarray) -> pd.DataFrame:
    """The oriented digits as flat rows under names."""
    return pd.DataFrame(images.reshape(len(images), -1)).rename(
        columns="pixel{}".format
    )


@pytest.fixture(scope="session")
def many_digits() -> np.ndarray:
    """400 oriented digits (400, 20, 20), uint8, to learn something from."""
    images, _ = load_oriented_digits(size=20, translation_std=0.05, return_X_y=True)
    return images[:400]


@pytest.fixture(scope="session")
def make_blobs() -> Callable[..., np.ndarray]:
    """Return a maker of smooth images of two unequal blobs near the centre."""

    def make(n: int, side: int = 24, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        row, column = np.indices((side, side)) - (side - 1) / 2
        images = np.zeros((n, side, side))
        for image in images:
            for width, height in [(2.0, 1.0), (1.2, 0.7)]:
                y, x = rng.uniform(-3, 3, 2)
                distance = np.hypot(row - y, column - x)
                image += height * np.exp(-((distance / width) ** 2) / 2)
        return (images * 100).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def correlate_inside() -> Callable[..., float]:
    """Return the correlation of images (n, h, w) in the disc no small move leaves."""

    def correlate(first: np.ndarray, second: np.ndarray) -> float:
        row, column = np.indices(first.shape[1:]) - (first.shape[1] - 1) / 2
        inside = np.hypot(row, column) < first.shape[1] / 3
        return np.corrcoef(first[:, inside].ravel(), second[:, inside].ravel())[0, 1]

    return correlate


TINY = {
    "d": 4,
    "max_epochs": 1,
    "batch_size": 16,
    "device": "cpu",
    "precision": "float32",
    "random_state": 0,
}
# Embedders by name, and what makes each train in a twentieth of a second.
EMBEDDERS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "IRL-INR": (
        IRLINREmbedder,
        {
            "encoder_width": 2,
            "n_frequencies": 4,
            "inr_hidden": (4,),
            "hypernetwork_hidden": (4,),
        },
    ),
    "SimCLR": (SimCLREmbedder, {"encoder_width": 2, "projection_dim": 4}),
    "TARGET-VAE": (
        TargetVAEEmbedder,
        {
            "n_rotations": 4,
            "n_kernels": 4,
            "n_frequencies": 4,
            "generator_hidden": (4,),
        },
    ),
    "spatial-VAE": (
        SpatialVAEEmbedder,
        {"encoder_hidden": (8,), "generator_hidden": (4,)},
    ),
}


def maker_of(name: str) -> Callable[..., Any]:
    """Return a maker of tiny embedders of one kind."""
    embedder, sizes = EMBEDDERS[name]

    def make(**parameters: Any) -> Any:
        return embedder(**{**TINY, **sizes, **parameters})

    make.__name__ = name
    return make


@pytest.fixture(scope="session")
def make_embedder() -> Callable[..., IRLINREmbedder]:
    """Return a maker of IRL-INR embedders that train in a twentieth of a second."""
    return maker_of("IRL-INR")


@pytest.fixture(scope="session", params=EMBEDDERS)
def make_any_embedder(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a maker of tiny embedders: the test runs once for each kind.

    ``make_any_embedder.__name__`` is the kind's name.
    """
    return maker_of(request.param)


@pytest.fixture(scope="session")
def makers() -> dict[str, Callable[..., Any]]:
    """Return the makers of ``make_any_embedder`` by kind, for tables over kinds."""
    return {name: maker_of(name) for name in EMBEDDERS}


@pytest.fixture(scope="session", params=["IRL-INR", "TARGET-VAE", "spatial-VAE"])
def make_generative_embedder(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a maker of the kinds that draw images: SimCLR has no decoder."""
    return maker_of(request.param)


@pytest.fixture(scope="session", params=["IRL-INR", "SimCLR"])
def make_trunk_embedder(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a maker of the kinds that take a user's encoder.

    The encoder of TARGET-VAE and of spatial-VAE is the method itself.
    """
    return maker_of(request.param)


@pytest.fixture(scope="session")
def make_clusterer() -> Callable[..., SCANClusterer]:
    """Return a maker of clusterers that train as fast."""

    def make(n_clusters: int = 3, **parameters: Any) -> SCANClusterer:
        tiny = {
            "n_neighbors": 3,
            "max_epochs": 1,
            "fine_tune_max_epochs": 1,
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


@pytest.fixture(scope="session")
def read_parameters() -> Callable[[type], dict[str, str]]:
    """Return a reader of what a class's docstring tells of each parameter, by name."""

    def read(estimator: type) -> dict[str, str]:
        text = inspect.getdoc(estimator) or ""
        _, section = re.split(r"^Parameters\n-+\n", text, flags=re.MULTILINE)
        section, *_ = re.split(r"^\w+\n-+\n", section, flags=re.MULTILINE)
        told: dict[str, str] = {}
        for entry in re.split(r"\n(?=\w)", section):
            names, *lines = entry.splitlines()
            words = " ".join(" ".join(lines).split())
            told |= dict.fromkeys(names.split(" : ")[0].split(", "), words)
        return told

    return read


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail when anything is trained."""

    def backward(*_: Any, **__: Any) -> None:
        raise AssertionError("a gradient was computed: something was trained")

    monkeypatch.setattr(torch.Tensor, "backward", backward)
