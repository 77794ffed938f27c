"""How long to train light networks: steps against criteria without labels.

    python -m benchmarks.choose_epochs --data digits --steps 450 1500 4000
    python -m benchmarks.choose_epochs --data wafers --steps 450 1500 4000

For each number of training steps of ``IRLINREmbedder(network="light")`` it prints the
seconds, two criteria that need no labels (agreement of nearest neighbours before and
after the images are turned; agreement of clusters of two halves of the images), and for
comparison neighbour purity and matched accuracies: k-means on z, SCAN's heads, and SCAN
with fine-tuning for each number of ``--tuning-steps``, with the share of images that
keep their cluster when turned. The lengths that are "auto" in ``IRLINREmbedder`` and
``SCANClusterer`` follow the criteria without labels.
"""

import argparse
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline as join

from benchmarks.machine import describe_machine
from invariant_cluster import IRLINREmbedder, SCANClusterer, make_pipeline
from invariant_cluster.datasets import load_oriented_digits, load_wafer_maps
from invariant_cluster.metrics import (
    clustering_accuracy_score,
    label_stability_scorer,
    neighbor_agreement_scorer,
    neighbor_purity_score,
    resampling_stability_score,
)

DATA = {
    "digits": ("general", lambda: load_oriented_digits(return_X_y=True)),
    "wafers": ("wafers", lambda: load_wafer_maps(fail_map=True, return_X_y=True)),
}


def main() -> None:
    options = read_arguments()
    torch.set_num_threads(options.threads)
    kind, load = DATA[options.data]
    images, classes = load()
    machine = describe_machine(torch.device("cpu"))
    print(f"{len(images)} images {images.shape[1:]}, {machine}", flush=True)
    rows = [
        row
        for seed in options.seeds
        for steps in options.steps
        for row in measure(kind, images, classes, steps, options.tuning_steps, seed)
    ]
    print(pd.DataFrame(rows).round(3).to_string(index=False))


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", choices=DATA, default="digits")
    parser.add_argument("--steps", type=int, nargs="+", default=[500, 2000, 4000])
    parser.add_argument("--tuning-steps", type=int, nargs="+", default=[100, 500, 1000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def measure(
    kind: str,
    images: np.ndarray,
    classes: np.ndarray,
    steps: int,
    tuning_steps: list[int],
    seed: int,
) -> Iterator[dict[str, Any]]:
    """Yield a row for z, and one for each length of fine-tuning."""
    n_clusters = len(np.unique(classes))
    pipe = make_pipeline(
        n_clusters,
        kind=kind,
        features="learned",
        network="light",
        fine_tune=True,
        random_state=seed,
    )
    embedder: IRLINREmbedder = pipe["embed"]
    embedder.set_params(max_epochs=count_epochs(steps, len(images), 64))
    start = time.perf_counter()
    z = embedder.fit_transform(images)
    rows = np.asarray(z)
    seconds = time.perf_counter() - start
    kmeans = KMeans(n_clusters, n_init=10, random_state=seed)
    heads = SCANClusterer(n_clusters, fine_tune=False, random_state=seed)
    common = {
        "seed": seed,
        "steps": steps,
        "epochs": embedder.max_epochs,
        "seconds": seconds,
    }
    yield show(
        common
        | {
            "neighbor_agreement": neighbor_agreement_scorer(embedder, images),
            "resampling": resampling_stability_score(heads, rows, random_state=seed),
            "purity": neighbor_purity_score(rows, classes),
            "k-means": accuracy(classes, kmeans.fit_predict(rows)),
            "heads": accuracy(classes, heads.fit_predict(rows)),
        }
    )
    for tuning in tuning_steps:
        clusterer = pipe["cluster"]
        clusterer.set_params(
            fine_tune_max_epochs=count_epochs(tuning, len(images), clusterer.batch_size)
        )
        start = time.perf_counter()
        labels = clusterer.fit_predict(z)
        yield show(
            common
            | {
                "seconds": time.perf_counter() - start,
                "tuning_steps": tuning,
                "stability": label_stability_scorer(join(embedder, clusterer), images),
                "SCAN": accuracy(classes, labels),
            }
        )


def count_epochs(steps: int, n_images: int, batch_size: int) -> int:
    return max(1, round(steps / (n_images // batch_size)))


def accuracy(classes: np.ndarray, labels: np.ndarray) -> float:
    return 100 * clustering_accuracy_score(classes, labels)


def show(row: dict[str, Any]) -> dict[str, Any]:
    print({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()})
    return row


if __name__ == "__main__":
    main()
