"""Which score tells images that do not belong, without labels.

    python -m benchmarks.compare_outlier_scores DATASET --left-out NAME [NAME ...]

DATASET is wafer-maps or digits. For each class left out, an embedder and SCAN's heads
are trained on four fifths of the images of the other classes. The remaining fifth is
then told from the class left out, from images of another kind, and from its own images
with the pixels in random order: the area under the ROC curve of each candidate, in
percent. Under two minutes a class on one thread of its own.
"""

import argparse
import time

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

from invariant_cluster import IRLINREmbedder, SCANClusterer
from invariant_cluster.datasets import load_oriented_digits, load_wafer_maps
from invariant_cluster.pipelines import KINDS

DATASETS = ("wafer-maps", "digits")


def load(dataset: str) -> tuple[NDArray, NDArray, NDArray, dict]:
    """Return images, names of their classes, foreign images, embedder parameters."""
    wafers = load_wafer_maps(fail_map=True)
    if dataset == "wafer-maps":
        digits = load_oriented_digits(size=32, translation_std=0.03)
        foreign = (digits.images > 127).astype(np.uint8)
        names = wafers.target_names[wafers.target]
        return wafers.images, names, foreign, KINDS["wafers"].embedder
    digits = load_oriented_digits()
    foreign = wafers.images[:, 4:-4, 4:-4] * 255
    return digits.images, digits.target.astype(str), foreign, {}


def split(names: NDArray, left_out: str, seed: int) -> tuple[NDArray, NDArray, NDArray]:
    """Return indices to train on, to hold out, and of the class left out."""
    known = np.random.default_rng(seed).permutation(np.flatnonzero(names != left_out))
    n_held = len(known) // 5
    return known[n_held:], known[:n_held], np.flatnonzero(names == left_out)


def shuffle_pixels(images: NDArray, seed: int) -> NDArray:
    flat = images.reshape(len(images), -1)
    return np.random.default_rng(seed).permuted(flat, axis=1).reshape(images.shape)


def unit(z: NDArray, mean: NDArray) -> NDArray:
    centred = z - mean
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def near(train: NDArray, z: NDArray, k: int) -> NDArray:
    """Return minus the mean distance to the k nearest training rows."""
    return -NearestNeighbors(n_neighbors=k).fit(train).kneighbors(z)[0].mean(axis=1)


def mahalanobis(train: NDArray, labels: NDArray, z: NDArray) -> NDArray:
    """Return minus the least distance to a cluster's mean (Lee et al., 2018)."""
    means = np.stack([train[labels == c].mean(axis=0) for c in np.unique(labels)])
    which = np.unique(labels, return_inverse=True)[1]
    inverse = np.linalg.pinv(np.cov((train - means[which]).T))
    offset = z[:, None] - means
    return -np.einsum("nkd,de,nke->nk", offset, inverse, offset).min(axis=1)


def score(train: NDArray, clusterer: SCANClusterer, z: NDArray) -> dict[str, NDArray]:
    """Return each candidate's score of the rows of z; the lower the more abnormal."""
    mean = train.mean(axis=0)
    unit_train, unit_z = unit(train, mean), unit(z, mean)
    lof = LocalOutlierFactor(n_neighbors=20, novelty=True).fit(train)
    return {
        "distance, k = 1": near(train, z, 1),
        "distance, k = 5": near(train, z, 5),
        "distance, k = 20": near(train, z, 20),
        "cosine, k = 5": near(unit_train, unit_z, 5),
        "cosine, k = 20": near(unit_train, unit_z, 20),
        "Mahalanobis": mahalanobis(train, clusterer.labels_, z),
        "local outlier factor": lof.score_samples(z),
        "SCAN's highest probability": clusterer.predict_proba(z).max(axis=1),
    }


def measure(dataset: str, left_out: str, seed: int, epochs: int) -> pd.DataFrame:
    """Return AUROC in percent, a row a candidate, a column a kind of outlier."""
    images, names, foreign, parameters = load(dataset)
    known, held, other = split(names, left_out, seed)
    embedder = (
        IRLINREmbedder.light()
        .set_params(**parameters, max_epochs=epochs, random_state=seed)
        .fit(images[known])
    )
    train = np.asarray(embedder.transform(images[known]))
    n_clusters = len(np.unique(names)) - 1
    clusterer = SCANClusterer(n_clusters, fine_tune=False, random_state=seed).fit(train)

    def scores_of(queries: NDArray) -> dict[str, NDArray]:
        return score(train, clusterer, np.asarray(embedder.transform(queries)))

    normal = scores_of(images[held])
    kinds = {
        "class left out": scores_of(images[other]),
        "another kind": scores_of(foreign[: len(held)]),
        "pixels shuffled": scores_of(shuffle_pixels(images[held], seed)),
    }
    return pd.DataFrame(
        {
            kind: {name: 100 * auroc(normal[name], found[name]) for name in normal}
            for kind, found in kinds.items()
        }
    )


def auroc(normal: NDArray, outlying: NDArray) -> float:
    is_normal = np.repeat([1, 0], [len(normal), len(outlying)])
    return float(roc_auc_score(is_normal, np.concatenate([normal, outlying])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=DATASETS)
    parser.add_argument("--left-out", nargs="+", required=True, metavar="NAME")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()
    print(f"{options.dataset}, torch {torch.__version__}, seed {options.seed}")
    tables = []
    for left_out in options.left_out:
        start = time.process_time()
        table = measure(options.dataset, left_out, options.seed, options.epochs)
        tables.append(table)
        seconds = time.process_time() - start
        print(
            f"\nwithout {left_out}, {seconds:.0f} CPU s\n{table.round(1).to_string()}"
        )
    mean = sum(tables[1:], tables[0]) / len(tables)
    print(f"\nmean\n{mean.round(1).to_string()}")


if __name__ == "__main__":
    main()
