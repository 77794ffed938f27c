"""What ``make_pipeline(n_clusters)`` gives on each data set, beside no training.

    python -m benchmarks.ready_pipelines --data DIR --seeds 0 1 2

The pipeline has no other parameter than the words that describe the data set, of
``WORDS`` below: its kind, or what does not change the meaning of an image. It is fitted
on the training images, 32 pixels wide, and scored on the test images; labels are used
for nothing but the scores and the number of clusters. Beside it stand the same features
with k-means and with heads alone, and features without training with the same words:
scattering and polar Fourier magnitudes. Each row is a line of ``--results``; rows that
are there are not run again.

``cryo-snr-R`` are the projections with white noise of a signal-to-noise ratio R, added
at 64 pixels. ``steel-turned`` are the images of steel turned at random, cut so that no
corner shows.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from sklearn.pipeline import Pipeline

from benchmarks.data import Pose, Split, load_cryo_pose, load_split, shrink
from benchmarks.machine import describe_code, describe_machine
from benchmarks.nuisances import add_noise, error_of
from benchmarks.records import append_line, read_lines
from benchmarks.scales import DATASETS, get_settings
from invariant_cluster import (
    PolarFourierEmbedder,
    SCANClusterer,
    ScatteringEmbedder,
    make_pipeline,
)
from invariant_cluster.datasets import make_oriented
from invariant_cluster.metrics import clustering_accuracy_score

RESULTS = Path(__file__).with_name("ready_pipelines.jsonl")
SIDE = 32
N_HEADS = 10
MIRRORED = "rotation+translation+reflection"
# What the sheet of each data set says of its images.
WORDS: dict[str, dict[str, Any]] = {
    **{name: {} for name in DATASETS},
    "wm811k": {"kind": "wafers"},
    "galaxy-zoo": {"kind": "galaxies"},
    "galaxy-zoo-5": {"kind": "galaxies", "invariance": f"{MIRRORED}+scale+brightness"},
    "cells": {"invariance": MIRRORED},
    "steel": {"kind": "textures"},
    "steel-turned": {"kind": "textures"},
    "cryo-snr-1": {"kind": "particles"},
    "cryo-snr-0.3": {"kind": "particles"},
    "cryo-snr-0.1": {"kind": "particles"},
    "cryo-snr-0.03": {"kind": "particles"},
}
POLAR: dict[str, Any] = {"power": 0.5, "whiten": 0.25}


class Task(NamedTuple):
    """A data set, what is known of it, and the seed of everything random."""

    name: str
    split: Split
    poses: Pose | None
    seed: int


def main(arguments: list[str] | None = None) -> None:
    options = make_parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    done = {(row["dataset"], row["seed"]) for row in read_lines(options.results)}
    for seed in options.seeds:
        for name in options.datasets:
            if (name, seed) in done:
                continue
            for row in list(run(load_task(name, options.data, seed))):
                append_line(options.results, describe(row))


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ready_pipelines",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", help="folder of the archives")
    parser.add_argument("--datasets", nargs="+", choices=WORDS, default=list(WORDS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser


def load_task(name: str, folder: str | None, seed: int) -> Task:
    """Return the images of a data set and, of projections, their true poses."""
    base, _, snr = name.partition("-snr-")
    if snr:
        settings = get_settings(base, "full")
        split = add_noise(load_split(base, settings, folder), float(snr), seed)
        split = split._replace(
            train=shrink(split.train, SIDE), test=shrink(split.test, SIDE)
        )
        return Task(name, split, load_cryo_pose(settings, folder), seed)
    if name == "steel-turned":
        split = load_split("steel", get_settings("steel", "full"), folder)
        return Task(name, turn_textures(split, seed), None, seed)
    settings = get_settings(name, "small")
    split = load_split(name, settings, folder)
    poses = load_cryo_pose(settings, folder) if name == "cryo" else None
    return Task(name, split, poses, seed)


def turn_textures(split: Split, seed: int) -> Split:
    """Return the middle squares of turned images, without corners, shrunk."""
    side = int(split.train.shape[1] / np.sqrt(2))
    first = (split.train.shape[1] - side) // 2
    inside = slice(first, first + side)

    def turned(images: np.ndarray, part: int) -> np.ndarray:
        moved, _, _ = make_oriented(
            images.astype(np.float32),
            translation_std=0.0,
            random_state=2 * seed + part,
        )
        return shrink(moved[:, inside, inside], SIDE)

    return split._replace(train=turned(split.train, 0), test=turned(split.test, 1))


def run(task: Task) -> Iterator[dict[str, Any]]:
    """Yield a row for the pipeline, then one for each way beside it."""
    words = WORDS[task.name]
    start = time.perf_counter()
    pipe = make_pipeline(task.split.n_classes, **words, random_state=task.seed)
    pipe.fit(task.split.train)
    seconds = time.perf_counter() - start
    found = {"method": "pipeline", "seconds": seconds, **describe_pipeline(pipe)}
    yield score(task, found | measure_pose(task, pipe), pipe.predict(task.split.test))
    for features, train, test in features_of(task, pipe):
        for name, clusterer in clusterers_of(task):
            labels = clusterer.fit(train).predict(test)
            yield score(task, {"method": f"{features} + {name}"}, labels)


def describe_pipeline(pipe: Pipeline) -> dict[str, Any]:
    """Return what the pipeline was made of."""
    embedder, clusterer = pipe
    return {
        "features": type(embedder).__name__,
        "fine_tuned": bool(clusterer.fine_tuned_),
    }


def features_of(
    task: Task, pipe: Pipeline
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, train and test rows of the pipeline's features and of others."""
    embedder, parts = pipe["embed"], (task.split.train, task.split.test)
    train, test = (np.asarray(embedder.transform(part)) for part in parts)
    yield "its features", train, test
    words = meaning_of(task.name)
    polar = PolarFourierEmbedder(
        **{**words, "invariance": words["invariance"].replace("+scale", "")},
        **POLAR,
        random_state=task.seed,
    )
    yield "polar Fourier", polar.fit_transform(parts[0]), polar.transform(parts[1])
    if "scattering" in getattr(embedder, "spaces_", {}):
        columns = embedder.spaces_["scattering"]
        yield "scattering", train[:, columns], test[:, columns]
        return
    other = ScatteringEmbedder(**words, random_state=task.seed)
    yield "scattering", other.fit_transform(parts[0]), other.transform(parts[1])


def meaning_of(name: str) -> dict[str, Any]:
    """Return what the words of a data set mean to any embedder."""
    pipe = make_pipeline(2, **{**WORDS[name], "features": "learned"})
    return {word: getattr(pipe["embed"], word) for word in ("invariance", "object")}


def clusterers_of(task: Task) -> Iterator[tuple[str, Any]]:
    """Yield name and unfitted clusterer of each way to cluster rows."""
    n, seed = task.split.n_classes, task.seed
    yield "k-means", KMeans(n, n_init=10, random_state=seed)
    heads = SCANClusterer(n, n_heads=N_HEADS, fine_tune=False, random_state=seed)
    yield "heads", heads


def measure_pose(task: Task, pipe: Pipeline) -> dict[str, float]:
    """Return the median error of in-plane angles, in degrees, where they are known."""
    if task.poses is None:
        return {}
    theta, _ = pipe["embed"].predict_pose(task.split.test)
    error = error_of(theta, task.poses.theta, task.split.test_labels)
    return {"degrees": error}


def score(task: Task, found: dict[str, Any], labels: np.ndarray) -> dict[str, Any]:
    """Return a row with the scores of test labels, and print it."""
    truth = task.split.test_labels
    row = {
        "dataset": task.name,
        "seed": task.seed,
        "words": WORDS[task.name],
        "n_train": len(task.split.train),
        "largest_class": task.split.largest_class,
        **found,
        "accuracy": clustering_accuracy_score(truth, labels),
        "NMI": float(normalized_mutual_info_score(truth, labels)),
        "ARI": float(adjusted_rand_score(truth, labels)),
    }
    named = ("accuracy", "NMI", "ARI", "degrees", "seconds")
    shown = ", ".join(f"{name} {row[name]:.3f}" for name in named if name in row)
    print(f"{task.name}, seed {task.seed}, {row['method']}: {shown}", flush=True)
    return row


def describe(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the code and the machine that made it."""
    machine = describe_machine(torch.device("cpu"))
    return {**row, **describe_code(), "machine": machine}


if __name__ == "__main__":
    main()
