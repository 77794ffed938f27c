"""What every test shares: one thread, no windows, equal generators to start from."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: tests run side by side
os.environ.setdefault("MPLBACKEND", "Agg")

import inspect
import io
import random
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import torch

from invariant_cluster import (
    ClassAverageEmbedder,
    IRLINREmbedder,
    PolarFourierEmbedder,
    SCANClusterer,
    ScatteringEmbedder,
    SimCLREmbedder,
    SpatialVAEEmbedder,
    TargetVAEEmbedder,
    TEMIClusterer,
    progress,
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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def use_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """Make the standard error a terminal; called in a test, as pytest changes it."""

    def use() -> Terminal:
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return use


@pytest.fixture
def bars_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show bars of short work too, which users do not see."""
    open_bar = progress.open_bar

    def open_at_once(*arguments: Any, delay: float = 0, **options: Any) -> Any:
        return open_bar(*arguments, **options)

    monkeypatch.setattr(progress, "open_bar", open_at_once)


@pytest.fixture
def repeated_warnings() -> Iterator[None]:
    """Let torch warn each time, not once a process."""
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(before)


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


class Kind(NamedTuple):
    """An estimator on which the shared tests run: a row of a table below."""

    estimator: type[Any]
    sizes: dict[str, Any]  # with which it trains in a twentieth of a second
    bad: dict[str, list[Any]]  # values of each parameter of its own that fit refuses


TINY = {
    "batch_size": 16,
    "device": "cpu",
    "precision": "float32",
    "random_state": 0,
}
_BAD_SIZES = [8, (), (0,), (2.5,), ("a",), None]
_BAD_TRUNK = {"encoder": ["vit", 3], "encoder_width": [0]}
_BAD_FEATURES = {"n_frequencies": [0], "frequency_scale": [0.0, -1.0, np.nan]}
_BAD_VAE = {
    "generator_hidden": _BAD_SIZES,
    "divergence_weight": [-1.0, np.nan, np.inf, "auto"],
    "invariance": ["scale", None, "rotation+reflection"],
    "translation_std": [0.0, -0.1, np.nan, np.inf],
    "n_pixels": [0, 2.5],
}
# A new embedder is a row here.
EMBEDDERS = {
    "IRL-INR": Kind(
        IRLINREmbedder,
        {
            "encoder_width": 2,
            "n_frequencies": 4,
            "inr_hidden": (4,),
            "hypernetwork_hidden": (4,),
        },
        {
            **_BAD_TRUNK,
            **_BAD_FEATURES,
            "network": ["large", None],
            "decoder": ["diffusion"],
            "invariance": ["scale", None],
            "field_of_view": [0, -0.5, 1.01, 16, np.nan, np.inf, "all", None, (1, 1)],
            "symmetry_breaking": ["mean", "long_axis", False],
            "reconstruction": ["l1", None],
            "consistency": ["l1", None],
            "n_copies": [0, 3, 1.5, None],
            "deformation": [-0.1, np.nan, np.inf, "auto", None],
            "temperature": [0, -1.0, np.nan, "auto", None],
            "noise": [-0.1, np.nan, np.inf, "auto", None],
            "inr_hidden": _BAD_SIZES,
            "hypernetwork_hidden": _BAD_SIZES,
            "translation_std": [-0.1, np.nan, np.inf],
            "reconstruction_weight": [-1.0],
            "consistency_weight": [-1.0],
            "symmetry_weight": [-1.0, np.nan],
            "n_pixels": [0, 2.5],
        },
    ),
    "SimCLR": Kind(
        SimCLREmbedder,
        {"encoder_width": 2, "projection_dim": 4},
        {
            **_BAD_TRUNK,
            "augmentation": ["X", "S2", "R+S1", None],
            "projection_dim": [0, 2.5, None],
            "temperature": [0, -1.0, np.nan, np.inf, "auto", None],
            "invariance": ["scale", None],
        },
    ),
    "TARGET-VAE": Kind(
        TargetVAEEmbedder,
        {
            "n_rotations": 4,
            "n_kernels": 4,
            "n_frequencies": 4,
            "generator_hidden": (4,),
        },
        {
            **_BAD_VAE,
            **_BAD_FEATURES,
            "n_rotations": [0, 2.5, None],
            "n_kernels": [0, 2.5, None],
            "kernel_size": [0, -1, 4, 2.5, "auto", 17, 99],
        },
    ),
    "spatial-VAE": Kind(
        SpatialVAEEmbedder,
        {"encoder_hidden": (8,), "generator_hidden": (4,)},
        {**_BAD_VAE, "encoder_hidden": _BAD_SIZES},
    ),
}
_BAD_OF_IMAGES = {
    "d": [0, 2.5, None],
    "invariance": ["translation", "scale", None],
    "background": ["white", [1, 2], np.nan],
    "stretch": ["log", True, None],
    "smoothing": [-1.0, np.nan, np.inf, "much", None],
    "object": ["nearest", True, None],
    "random_state": ["a", -1],
    "image_shape": ["ab", (16,), (8, 32)],
}
_BAD_OF_FEATURES = {
    **_BAD_OF_IMAGES,
    "power": [0, -1.0, np.nan, "root"],
    "whiten": [-0.1, 0.6, np.nan, "auto", None],
    "device": ["gpu", "cpu:x", None],
}
_BAD_COUNT = [0, -1, 2.5, None]
# A new embedder without training is a row here; its sizes may be its defaults.
FEATURE_EMBEDDERS = {
    "polar Fourier": Kind(
        PolarFourierEmbedder,
        {"device": "cpu", "random_state": 0},
        {
            **_BAD_OF_FEATURES,
            "radial_basis": ["bessel", None],
            "n_radii": [0, 2.5],
            "n_angles": [0, 2.5],
            "n_orders": [0, 34],
            "degree": [-1, 2.5],
        },
    ),
    "scattering": Kind(
        ScatteringEmbedder,
        {"device": "cpu", "random_state": 0},
        {
            **_BAD_OF_FEATURES,
            "align": [True, False, "center_of_mass"],
            "n_scales": [0, 2.5, 6, None],
            "n_angles": [0, 2.5, None],
            "n_turns": [-1, 1.5, None, 4],
            "order": [0, 3, 1.5, None],
            "side": [7, 16.5, 31, None],
            "field_of_view": [0, -0.5, 1.01, np.nan, "all", None],
            "intensity_range": [(1, 0), (0, np.inf), 5.0],
        },
    ),
    "class averages": Kind(
        ClassAverageEmbedder,
        {
            "n_averages": 2,
            "n_rotations": 12,
            "n_starts": 2,
            "n_iterations": 3,
            "device": "cpu",
            "random_state": 0,
        },
        {
            "n_averages": [*_BAD_COUNT, 49],
            "n_rotations": _BAD_COUNT,
            "max_shift": [-0.1, 0.51, np.nan, "auto", None],
            "n_starts": _BAD_COUNT,
            "n_iterations": _BAD_COUNT,
            "side": [7, 16.5, "all", None],
            "invariance": ["translation", "rotation+scale", None],
            "device": _BAD_OF_FEATURES["device"],
            "random_state": _BAD_OF_IMAGES["random_state"],
            "image_shape": _BAD_OF_IMAGES["image_shape"],
        },
    ),
}
# A new clusterer is a row here.
CLUSTERERS = {
    "SCAN": Kind(
        SCANClusterer,
        {"max_epochs": 1, "fine_tune_max_epochs": 1},
        {
            "n_heads": [0],
            "entropy_weight": [-1.0, np.nan],
            "entropy_target": ["equal", 1.0, None],
            "augmentation": ["S2", "R+S1", "D", "D+R", None],
            "max_epochs": [0, 2.5, None],
            "fine_tune_max_epochs": [0, 2.5, None],
            "n_rounds": [0, 1.5, "2"],
            "lr": [0.0, -1.0, np.nan],
            "fine_tune_lr": [0.0, -1.0, np.nan],
            "self_label": ["yes"],
            "confidence_threshold": [0.0, 1.0],
            "self_label_max_epochs": [0],
            "self_label_lr": [0.0],
        },
    ),
    "TEMI": Kind(
        TEMIClusterer,
        {
            "n_heads": 2,
            "max_epochs": 1,
            "fine_tune": "auto",
            "fine_tune_max_epochs": 1,
        },
        {
            "n_heads": [0],
            "beta": [0.5, 1.1, np.nan],
            "teacher_momentum": [-0.1, 1.0, np.nan],
            "augmentation": ["S2", "R+S1", "D", "D+R", None],
            "max_epochs": [0, 2.5, None],
            "fine_tune_max_epochs": [0, 2.5, None],
            "lr": [0.0, -1.0, np.nan],
            "fine_tune_lr": [0.0, -1.0, np.nan],
        },
    ),
}


def embedder_maker(name: str) -> Callable[..., Any]:
    """Return a maker of tiny embedders of one kind."""
    embedder, sizes, _ = EMBEDDERS[name]
    tiny = {"d": 4, "max_epochs": 1, **TINY, **sizes}

    def make(**parameters: Any) -> Any:
        return embedder(**{**tiny, **parameters})

    make.__name__ = name
    return make


def clusterer_maker(name: str) -> Callable[..., Any]:
    """Return a maker of tiny clusterers of one kind."""
    clusterer, sizes, _ = CLUSTERERS[name]
    tiny = {"n_neighbors": 3, **TINY, **sizes}

    def make(n_clusters: int = 3, **parameters: Any) -> Any:
        return clusterer(**{"n_clusters": n_clusters, **tiny, **parameters})

    make.__name__ = name
    return make


def kinds_with(parameter_or_method: str) -> list[str]:
    """Return the kinds of embedders that have a parameter or a method."""
    return [
        name
        for name, (embedder, _, _) in EMBEDDERS.items()
        if hasattr(embedder(), parameter_or_method)
    ]


@pytest.fixture(scope="session")
def make_embedder() -> Callable[..., IRLINREmbedder]:
    """Return a maker of IRL-INR embedders that train in a twentieth of a second."""
    return embedder_maker("IRL-INR")


@pytest.fixture(scope="session", params=EMBEDDERS)
def make_any_embedder(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a maker of tiny embedders: the test runs once for each kind.

    ``make_any_embedder.__name__`` is the kind's name.
    """
    return embedder_maker(request.param)


@pytest.fixture(scope="session")
def makers() -> dict[str, Callable[..., Any]]:
    """Return the makers of ``make_any_embedder`` by kind, for tables over kinds."""
    return {name: embedder_maker(name) for name in EMBEDDERS}


@pytest.fixture(scope="session", params=kinds_with("reconstruct"))
def make_generative_embedder(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a maker of the kinds that draw images: some have no decoder."""
    return embedder_maker(request.param)


@pytest.fixture(scope="session", params=kinds_with("encoder"))
def make_trunk_embedder(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a maker of the kinds that take a user's encoder.

    The encoder of TARGET-VAE and of spatial-VAE is the method itself.
    """
    return embedder_maker(request.param)


@pytest.fixture(scope="session")
def make_clusterer() -> Callable[..., SCANClusterer]:
    """Return a maker of SCAN clusterers that train as fast."""
    return clusterer_maker("SCAN")


@pytest.fixture(scope="session", params=CLUSTERERS)
def make_any_clusterer(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a maker of tiny clusterers: the test runs once for each kind."""
    return clusterer_maker(request.param)


def feature_embedder_maker(name: str) -> Callable[..., Any]:
    """Return a maker of embedders of one kind that need no training, with a seed."""
    embedder, sizes, _ = FEATURE_EMBEDDERS[name]

    def make(**parameters: Any) -> Any:
        return embedder(**{**sizes, **parameters})

    make.__name__ = name
    return make


@pytest.fixture(scope="session")
def make_polar_embedder() -> Callable[..., PolarFourierEmbedder]:
    """Return a maker of polar Fourier embedders with a seed."""
    return feature_embedder_maker("polar Fourier")


@pytest.fixture(scope="session")
def make_scattering_embedder() -> Callable[..., ScatteringEmbedder]:
    """Return a maker of scattering embedders with a seed."""
    return feature_embedder_maker("scattering")


@pytest.fixture(scope="session", params=FEATURE_EMBEDDERS)
def make_any_feature_embedder(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return a maker of embedders without training: once for each kind."""
    return feature_embedder_maker(request.param)


@pytest.fixture(scope="session")
def feature_makers() -> dict[str, Callable[..., Any]]:
    """Return the makers of ``make_any_feature_embedder`` by kind."""
    return {name: feature_embedder_maker(name) for name in FEATURE_EMBEDDERS}


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
