"""What every test shares: one thread, no windows, equal generators to start from."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: tests run side by side
os.environ.setdefault("MPLBACKEND", "Agg")

import random
from collections.abc import Iterator

import numpy as np
import pytest
import torch

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
