"""One process against two of torchrun: seconds of fit, and how good the result is.

Usage: python -m benchmarks.two_processes --scale tiny --dataset mnist-u --data DIR
       --seeds 0 1 2

Each seed fits IRL-INR, and SCAN unless ``--embedder-only``, in turn with one process of
one thread, one process of as many threads as there are processes, and ``--processes``
processes of one thread each. Printed are, for each: seconds of fit without the start of
Python, CPU seconds of the main thread of the busiest process, purity of z among its
neighbours, accuracy of k-means on z and of SCAN on the training images. Seconds mean
something on idle cores alone. CPU seconds include no waiting for messages, so that the
ratio of those with one thread is the most that idle cores would give.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.cluster import KMeans

from benchmarks.data import load_split
from benchmarks.machine import cpu_model
from benchmarks.scales import DATASETS, SCALES, get_settings
from invariant_cluster import IRLINREmbedder, SCANClusterer
from invariant_cluster.metrics import (
    clustering_accuracy_score,
    neighbor_purity_score,
)
from invariant_cluster.training import current_team


class Way(NamedTuple):
    """How a fit is started."""

    n_processes: int
    n_threads: int

    def __str__(self) -> str:
        return f"{self.n_processes} x {self.n_threads} threads"

    def command(self, arguments: list[str]) -> list[str]:
        """Return the command that runs this module's worker."""
        module = ["-m", "benchmarks.two_processes", *arguments]
        if self.n_processes == 1:
            return [sys.executable, *module]
        count = ["--standalone", "--nproc-per-node", str(self.n_processes)]
        return [sys.executable, "-m", "torch.distributed.run", *count, *module]


def main() -> None:
    options = parse()
    if options.out is not None:
        work(options)
        return
    ways = [Way(1, 1), Way(1, options.processes), Way(options.processes, 1)]
    print(f"{cpu_model()}, torch {torch.__version__}", flush=True)
    rows = []
    for seed in options.seeds:
        for way in ways:
            rows.append({"way": str(way), "seed": seed, **run(way, seed, options)})
            print({k: show(v) for k, v in rows[-1].items()}, flush=True)
    print(render(pd.DataFrame(rows), [str(way) for way in ways]))


def show(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def render(table: pd.DataFrame, ways: list[str]) -> str:
    """Return the means over seeds, and how much faster each way is than the first."""
    means = table.drop(columns="seed").groupby("way").mean().loc[ways]
    for name in ("seconds", "CPU seconds"):
        means[f"{name}, times"] = means[name].iloc[0] / means[name]
    spread = table.drop(columns="seed").groupby("way").std().loc[ways]
    return f"{means.round(3).to_string()}\n\nstandard deviations of seeds\n" + (
        spread.round(3).to_string()
    )


def run(way: Way, seed: int, options: argparse.Namespace) -> dict[str, float]:
    """Fit in new processes; return what the first of them measured."""
    with TemporaryDirectory() as folder:
        arguments = ["--scale", options.scale, "--dataset", options.dataset]
        arguments += ["--seeds", str(seed), "--out", folder]
        arguments += ["--data", options.data] if options.data else []
        arguments += ["--embedder-only"] if options.embedder_only else []
        arguments += ["--epochs", str(options.epochs)] if options.epochs else []
        threads = {"OMP_NUM_THREADS": str(way.n_threads)}
        subprocess.run(
            way.command(arguments), check=True, env={**os.environ, **threads}
        )
        paths = sorted(Path(folder).iterdir())
        parts = [json.loads(path.read_text()) for path in paths]
    assert len(parts) == way.n_processes
    busiest = max(part["CPU seconds"] for part in parts)
    return {**parts[0], "CPU seconds": busiest}


def work(options: argparse.Namespace) -> None:
    """Fit in this process; write what it measures to a file of its own."""
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    settings, seed = get_settings(options.dataset, options.scale), options.seeds[0]
    split = load_split(options.dataset, settings, options.data)
    common = {"device": "cpu", "random_state": seed}
    brief = {} if options.epochs is None else {"max_epochs": options.epochs}
    embedder = IRLINREmbedder(**{**settings.embedder, **brief}, **common)
    scan = SCANClusterer(split.n_classes, **settings.clusterer, **common)
    start, cpu_start = time.perf_counter(), time.thread_time()
    z = embedder.fit_transform(split.train)
    if not options.embedder_only:
        scan.fit(z)
    found = {
        "seconds": time.perf_counter() - start,
        "CPU seconds": time.thread_time() - cpu_start,
        **judge(np.asarray(z), split.train_labels, split.n_classes, seed),
    }
    if not options.embedder_only:
        found["SCAN"] = clustering_accuracy_score(split.train_labels, scan.labels_)
    path = Path(options.out) / f"{current_team().rank}.json"
    path.write_text(json.dumps(found))


def judge(
    z: np.ndarray, labels: np.ndarray, n_classes: int, seed: int
) -> dict[str, float]:
    """Return how good z is without a trained clusterer."""
    found = KMeans(n_classes, n_init=10, random_state=seed).fit_predict(z)
    return {
        "purity": neighbor_purity_score(z, labels),
        "k-means": clustering_accuracy_score(labels, found),
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", choices=DATASETS, default="mnist-u")
    parser.add_argument("--scale", choices=SCALES, default="tiny")
    parser.add_argument("--data", help="folder of the data")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--epochs", type=int, help="of IRL-INR instead of the scale's")
    parser.add_argument("--embedder-only", action="store_true")
    parser.add_argument("--out", help="of a worker: folder for its figures")
    return parser.parse_args()


if __name__ == "__main__":
    main()
