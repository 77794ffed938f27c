"""Images on disk stay on disk: memory grows with the batch, not with their number.

A small version of benchmarks/measure_memory.py, whose functions it uses.
"""

import importlib.util
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from invariant_cluster import TargetVAEEmbedder

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "measure_memory.py"
MIB = 2**20

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="RssAnon is Linux's"
)


class Thumbnail(nn.Module):
    """A cheap encoder: the image at 4 x 4."""

    def __init__(self, n_channels):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(n_channels * 16))

    def forward(self, images):
        return nn.functional.adaptive_avg_pool2d(images, 4).flatten(1) * self.scale


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("measure_memory", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# What makes an encoder take no time.
CHEAP = {
    "IRL-INR": {"encoder": Thumbnail},
    "SimCLR": {"encoder": Thumbnail, "augmentation": "R+T"},
    "TARGET-VAE": {"n_rotations": 1, "n_kernels": 1, "kernel_size": 1},
    "spatial-VAE": {},
}


@pytest.fixture(scope="module")
def embedder(make_any_embedder, benchmark, tmp_path_factory):
    """Trained on a memmap, with an encoder that takes no time."""
    path = tmp_path_factory.mktemp("training") / "images.u8"
    images = benchmark.write_images(path, 64, 48)
    return make_any_embedder(**CHEAP[make_any_embedder.__name__]).fit(images)


def test_the_measure_sees_an_array(benchmark):
    """What is held for a moment counts, the result itself does not."""

    def hold():
        held = np.ones(64 * MIB, dtype=np.uint8)
        result = np.ones(16 * MIB, dtype=np.uint8)
        time.sleep(0.1)  # the sampler has to get its turn
        held += 1
        return result

    assert 60 < benchmark.measure_growth(hold) / MIB < 80


@pytest.mark.parametrize(
    ("make_any_embedder", "method"),
    [*((name, "transform") for name in CHEAP), ("IRL-INR", "predict_pose")],
    indirect=["make_any_embedder"],
)
def test_memory_does_not_grow_with_the_number_of_images(
    method, benchmark, embedder, tmp_path
):
    n_few, n_many, side = 1_000, 20_000, 48
    images = benchmark.write_images(tmp_path / "images.u8", n_many, side)

    def growth(n):
        return benchmark.measure_growth(lambda: run(method, embedder, images[:n]))

    growth(n_few)  # the first run fills caches
    few, many = growth(n_few), growth(n_many)
    one_copy = (n_many - n_few) * side**2
    assert many - few < 0.5 * one_copy


def run(method, embedder, images):
    output = getattr(embedder, method)(images)
    return np.column_stack(output) if isinstance(output, tuple) else output


def test_a_batch_of_large_images_stays_within_the_limit(benchmark, tmp_path):
    """The benchmark's images, limit and network, but only a few hundred images."""
    images = benchmark.write_images(tmp_path / "images.u8", 300, 147)
    embedder = benchmark.train_small(images)
    growth = benchmark.measure_growth(lambda: embedder.transform(images))
    assert growth / MIB < 300


def test_memory_does_not_grow_with_the_pairs_of_attention(benchmark, tmp_path):
    """16 rotations of 64 features at each of 48 x 48 places are 9 MiB an image."""
    images = benchmark.write_images(tmp_path / "images.u8", 24, 48)
    embedder = TargetVAEEmbedder(
        d=4,
        n_kernels=64,
        kernel_size=3,
        n_frequencies=8,
        generator_hidden=(8,),
        n_pixels=64,
        max_epochs=1,
        batch_size=2,
        device="cpu",
        precision="float32",
        random_state=0,
    ).fit(images[:2])
    growth = benchmark.measure_growth(lambda: embedder.transform(images))
    assert growth / MIB < 300
