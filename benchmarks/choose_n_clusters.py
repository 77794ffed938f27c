"""How near to the number of classes criteria without labels come.

    python -m benchmarks.choose_n_clusters wafer-maps|digits [--clusterer k-means|scan]
        [--values K [K ...]] [--repeats N]

Trains the light embedder on the 1,799 bundled wafer maps (9 classes) or on the 1,797
oriented digits (10), and prints the curve over the number of clusters, the accuracy
(matched) and the adjusted Rand index of k-means beside it, and each criterion's best.
"""

import argparse
import time

import numpy as np
import pandas as pd
import torch
from sklearn.cluster import KMeans
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import Pipeline

from invariant_cluster import IRLINREmbedder, SCANClusterer
from invariant_cluster.datasets import load_oriented_digits, load_wafer_maps
from invariant_cluster.metrics import clustering_accuracy_score
from invariant_cluster.model_selection import CRITERIA, label_free_curve, suggest_value
from invariant_cluster.pipelines import KINDS

VALUES = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 20]


def score_k_means(
    z: np.ndarray, target: np.ndarray, values: list[int], seed: int
) -> pd.DataFrame:
    """Return what k-means reaches at each number of clusters, in percent."""
    rows = []
    for k in values:
        labels = KMeans(k, n_init=5, random_state=seed).fit_predict(z)
        accuracy = clustering_accuracy_score(target, labels)
        rand = adjusted_rand_score(target, labels)
        rows.append({"accuracy": 100 * accuracy, "ARI": 100 * rand})
    return pd.DataFrame(rows, index=pd.Index(values, name="n_clusters"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=["wafer-maps", "digits"])
    parser.add_argument("--clusterer", choices=["k-means", "scan"], default="k-means")
    parser.add_argument("--values", type=int, nargs="+", default=VALUES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    wafers = options.dataset == "wafer-maps"
    data = load_wafer_maps(fail_map=True) if wafers else load_oriented_digits()
    parameters = KINDS["wafers"].embedder if wafers else {}
    embedder = IRLINREmbedder.light().set_params(
        **parameters, random_state=options.seed
    )
    z = np.asarray(embedder.fit_transform(data.images))
    k_means = options.clusterer == "k-means"
    start = time.process_time()
    table = label_free_curve(
        Pipeline(
            [
                ("embed", FrozenEstimator(embedder)),
                ("cluster", KMeans(n_init=3) if k_means else SCANClusterer()),
            ]
        ),
        data.images,
        param_name="cluster__n_clusters",
        param_range=options.values,
        n_repeats=options.repeats,
        random_state=options.seed,
    )
    print(f"{options.dataset}, {options.clusterer}, seed {options.seed}, ", end="")
    print(f"torch {torch.__version__}, {time.process_time() - start:.0f} CPU s")
    print(table.round(3).to_string())
    scores = score_k_means(z, data.target, options.values, options.seed)
    print(scores.round(1).T.to_string())
    best = {name: suggest_value(table, name) for name in CRITERIA if name in table}
    print("suggested:", best)


if __name__ == "__main__":
    main()
