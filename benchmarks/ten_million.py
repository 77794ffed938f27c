"""Fit on a sample and label ten million images, in bounded memory.

Usage: python -m benchmarks.ten_million --rows 10000000 --folder DIR [--data DIR]

Digits, each turned at random, are written to DIR/images.npy as they are made: MNIST's
training images if ``--data`` names the folder of mnist.npz, else scikit-learn's digits.
A pipeline is fitted to a sample and labels all images shard by shard. Printed are
times, memory, disk and accuracy. The images are deleted afterwards; the shards stay,
and a second run with the same arguments would write them again.

Memory is RssAnon, which no file backs, and ru_maxrss, to which the libraries count and
the rows' labels that this command keeps. Linux only.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.data import find_file
from benchmarks.machine import cpu_model, peak_memory
from benchmarks.measure_memory import MIB, PeakSampler
from invariant_cluster import make_pipeline
from invariant_cluster.datasets import (
    load_oriented_digits,
    make_oriented,
    open_images,
    sample_images,
)
from invariant_cluster.datasets._archives import read_split
from invariant_cluster.metrics import clustering_accuracy_score
from invariant_cluster.out_of_core import predict_shards, read_shards

SIDE = 32
N_CLASSES = 10
_MADE_AT_ONCE = 10_000
_SHIFT = 0.05  # of the side, so that MNIST's digits stay in the frame


def write_digits(path: Path, n_rows: int, data: str | None) -> np.ndarray:
    """Write turned digits as an .npy file; return their classes, (n_rows,) uint8."""
    digits, classes = load_digits(data)
    random = np.random.RandomState(0)
    drawn = random.randint(len(digits), size=n_rows).astype(np.uint16)
    header = {"descr": "|u1", "fortran_order": False, "shape": (n_rows, SIDE, SIDE)}
    with path.open("wb") as file:  # pages of a memmap would count as memory
        np.lib.format.write_array_header_1_0(file, header)
        for start in tqdm(range(0, n_rows, _MADE_AT_ONCE), desc="images"):
            make_oriented(
                digits[drawn[start : start + _MADE_AT_ONCE]],
                size=SIDE,
                translation_std=_SHIFT,
                random_state=random,
                return_pose=False,
            ).tofile(file)
    return classes[drawn].astype(np.uint8)


def load_digits(data: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Return MNIST's training images, or scikit-learn's digits, and their classes."""
    if data is None:
        return load_oriented_digits(size=SIDE, translation_std=0.0, return_X_y=True)
    images, classes, _ = read_split(find_file("mnist-u", data), "train")
    return images, classes


def measure(stage: str, function: Callable[[], Any]) -> tuple[Any, float]:
    """Return a function's result and seconds; print time and memory."""
    start, cpu_start = time.perf_counter(), time.process_time()
    with PeakSampler(0.05).running() as sampler:
        result = function()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu_start
    print(
        f"{stage}: {seconds:,.0f} s, {cpu:,.0f} CPU seconds, "
        f"highest RssAnon {sampler.peak / MIB:,.0f} MiB, "
        f"ru_maxrss so far {peak_memory()['process']:,} MiB",
        flush=True,
    )
    return result, seconds


def fit_sample(images: Any, options: argparse.Namespace) -> Any:
    """Return a pipeline fitted to a sample of the images."""
    pipe = make_pipeline(
        N_CLASSES,
        features=options.features,
        network=options.network,
        max_epochs=options.epochs or "auto",
        fine_tune_max_epochs=options.epochs or "auto",
        device=options.device,
        random_state=0,
        verbose=1,
    )
    return pipe.fit(sample_images(images, options.sample, random_state=0))


def main() -> None:
    options = parse()
    options.folder.mkdir(parents=True, exist_ok=True)
    path, shards = options.folder / "images.npy", options.folder / "clusters"
    print(f"{cpu_model()}; {options.rows:,} images of {SIDE} x {SIDE}", flush=True)
    try:
        run(path, shards, options)
    finally:
        path.unlink(missing_ok=True)


def run(path: Path, shards: Path, options: argparse.Namespace) -> None:
    """Make the images, fit, predict, and print what it took."""
    labels, _ = measure(
        "images", lambda: write_digits(path, options.rows, options.data)
    )
    images = open_images(path)
    print(f"input: {path.stat().st_size / MIB:,.0f} MiB on disk", flush=True)
    model, _ = measure("fit", lambda: fit_sample(images, options))
    paths, seconds = measure(
        "predict",
        lambda: predict_shards(
            model,
            images,
            shards,
            rows_per_shard=options.rows_per_shard,
            scheduler=options.scheduler,
            overwrite=True,
            verbose=1,
        ),
    )
    size = sum(shard.stat().st_size for shard in paths)
    print(f"{options.rows / seconds:,.0f} images a second")
    print(f"output: {len(paths)} shards, {size / MIB:,.1f} MiB on disk")
    accuracy = clustering_accuracy_score(labels, read_shards(shards)["cluster"])
    print(f"accuracy of clusters matched with classes: {accuracy:.1%}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--data", help="folder of mnist.npz")
    parser.add_argument("--sample", type=int, default=100_000)
    parser.add_argument("--features", default="learned")
    parser.add_argument("--network", default="auto")
    parser.add_argument("--epochs", type=int, help="of the embedder and fine-tuning")
    parser.add_argument("--rows-per-shard", type=int, default=100_000)
    parser.add_argument("--scheduler", help="address of a dask scheduler")
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


if __name__ == "__main__":
    main()
