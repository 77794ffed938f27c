"""Which space suits a data set, told without labels.

    python -m benchmarks.choose_space NAME [NAME ...] --data DIR [--steps N]
        [--cache DIR]

Embeds at most 2,000 training images of each data set in both spaces of
``make_pipeline``, with the words of ``benchmarks.ready_pipelines`` and the light
network, and trains SCAN's heads on each space and on both together. Prints the valley
contrast of the clusters, which needs no labels, and their accuracy on these training
images.
"""

import argparse

import numpy as np
import pandas as pd
import torch

from benchmarks.machine import cpu_model
from benchmarks.pipeline_spaces import NAMES, Recipe, load_space
from invariant_cluster import SCANClusterer
from invariant_cluster.embedders import LIGHT
from invariant_cluster.metrics import clustering_accuracy_score, valley_contrast_score

MOST_IMAGES = 2000
N_HEADS = 3
D = LIGHT["d"]
SPACES = {"learned": slice(0, D), "scattering": slice(D, None), "both": slice(None)}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datasets", choices=NAMES, nargs="+", metavar="NAME")
    parser.add_argument("--data", metavar="DIR")
    parser.add_argument("--cache", metavar="DIR")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    recipe = Recipe("joint", steps=options.steps, seed=options.seed)
    print(f"{recipe.name}, {cpu_model()}, torch {torch.__version__}")
    for name in options.datasets:
        space = load_space(name, recipe, options.data, options.cache)
        rows = compare(space.z[:MOST_IMAGES], space.target[:MOST_IMAGES], options.seed)
        print(f"{name}\n{rows.round(3).to_string()}", flush=True)


def compare(z: np.ndarray, target: np.ndarray, seed: int) -> pd.DataFrame:
    """Return valley contrast and accuracy of the clusters of each space."""
    n_clusters = len(np.unique(target))
    rows = {}
    for space, columns in SPACES.items():
        clusterer = SCANClusterer(
            n_clusters, n_heads=N_HEADS, fine_tune=False, random_state=seed
        )
        labels = clusterer.fit_predict(z[:, columns])
        rows[space] = {
            "valley contrast": valley_contrast_score(z[:, columns], labels),
            "accuracy": clustering_accuracy_score(target, labels),
        }
    return pd.DataFrame(rows).T


if __name__ == "__main__":
    main()
