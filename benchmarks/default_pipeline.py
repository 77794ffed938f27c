"""Time and accuracy of the pipeline with every default, on scikit-learn's digits.

    python -m benchmarks.default_pipeline --seeds 0

It fits ``Pipeline([("embed", IRLINREmbedder()), ("cluster", SCANClusterer())])`` on the
1,797 images of ``load_oriented_digits``, each rotated and shifted at random, without
labels. It prints the minutes that each step takes and matched accuracies: k-means on z,
SCAN's heads alone, and the pipeline.
"""

import argparse
import time

import numpy as np
import pandas as pd
import torch
from sklearn.cluster import KMeans
from sklearn.pipeline import Pipeline

from benchmarks.machine import describe_machine
from invariant_cluster import IRLINREmbedder, SCANClusterer
from invariant_cluster.datasets import load_oriented_digits
from invariant_cluster.metrics import clustering_accuracy_score, label_stability_scorer


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    images, classes = load_oriented_digits(return_X_y=True)
    machine = describe_machine(torch.device("cpu"))
    print(f"{len(images)} images {images.shape[1:]}, {machine}", flush=True)
    rows = [run(images, classes, seed) for seed in options.seeds]
    print(pd.DataFrame(rows).round(2).to_string(index=False))


def run(images: np.ndarray, classes: np.ndarray, seed: int) -> dict[str, float]:
    pipe = Pipeline(
        [
            ("embed", IRLINREmbedder(random_state=seed)),
            ("cluster", SCANClusterer(random_state=seed)),
        ]
    )
    start = time.perf_counter()
    pipe.fit(images)
    minutes = (time.perf_counter() - start) / 60
    embedder, clusterer = pipe
    z = clusterer.training_embedding_
    kmeans = KMeans(10, n_init=10, random_state=seed).fit_predict(z)
    heads = SCANClusterer(fine_tune=False, random_state=seed).fit_predict(z)
    row = {
        "seed": seed,
        "epochs": embedder.n_iter_,
        "minutes": minutes,
        "embed": embedder.history_["seconds"].sum() / 60,
        "cluster": clusterer.history_["seconds"].sum() / 60,
        "k-means": 100 * clustering_accuracy_score(classes, kmeans),
        "heads": 100 * clustering_accuracy_score(classes, heads),
        "pipeline": 100 * clustering_accuracy_score(classes, clusterer.labels_),
        "stability": label_stability_scorer(pipe, images),
    }
    print({k: round(float(v), 3) for k, v in row.items()}, flush=True)
    return row


if __name__ == "__main__":
    main()
