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
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline
from torch import nn

from invariant_cluster import IRLINREmbedder, TargetVAEEmbedder
from invariant_cluster.datasets import open_images
from invariant_cluster.out_of_core import predict_shards

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


@pytest.mark.parametrize("kind", ["npy", "h5", "zarr"])
def test_memory_of_shards_does_not_grow_with_the_number_of_images(
    kind, benchmark, cheap_pipeline, tmp_path
):
    """Labels by shards of images that are decoded: a block at a time is in memory."""
    n_few, n_many, side = 9_000, 36_000, 64
    images = benchmark.write_images(tmp_path / "images.u8", n_many, side)
    stored = open_images(write_store(images, tmp_path, kind))

    def growth(n, folder):
        given = stored if n == n_many else StoredRows(stored, n)
        return benchmark.measure_growth(
            lambda: count(predict_shards(cheap_pipeline, given, tmp_path / folder))
        )

    growth(n_few, "first")  # the first run fills caches
    few, many = growth(n_few, "few"), growth(n_many, "many")
    one_copy = (n_many - n_few) * side**2
    assert many - few < 0.5 * one_copy
    assert many / MIB < 200


@pytest.fixture
def cheap_pipeline(benchmark, tmp_path):
    """A fitted pipeline whose encoder takes no time."""
    embedder = IRLINREmbedder(
        d=4,
        encoder=Thumbnail,
        align=False,
        n_frequencies=4,
        inr_hidden=(4,),
        hypernetwork_hidden=(4,),
        n_pixels=64,
        max_epochs=1,
        batch_size=32,
        device="cpu",
        random_state=0,
    )
    pipe = make_pipeline(embedder, KMeans(2, n_init=1, random_state=0))
    return pipe.fit(benchmark.write_images(tmp_path / "training.u8", 64, 64))


class StoredRows:
    """The first rows of stored images."""

    def __init__(self, stored, n):
        self.stored = stored
        self.shape = (n, *stored.shape[1:])
        self.dtype = stored.dtype

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        return self.stored[key]


def write_store(images, folder, kind):
    """Write images as chunks of 1,000 and return the path."""
    path = folder / f"images.{kind}"
    if kind == "npy":
        np.save(path, images)
    elif kind == "h5":
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            file.create_dataset("images", data=images, chunks=(1000, 64, 64))
    else:
        zarr = pytest.importorskip("zarr")
        array = zarr.create_array(
            path, shape=images.shape, dtype=images.dtype, chunks=(1000, 64, 64)
        )
        array[:] = images
    return path


def count(paths):
    return np.array(len(paths))
