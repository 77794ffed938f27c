"""What each consistency loss does to z, on the bundled wafer maps.

    python -m benchmarks.compare_consistency --seeds 0 1 2

The losses are compared by what needs no labels: the squared error of the
reconstruction and the effective dimension of z after equal epochs. Neighbour purity,
which needs labels, is printed beside them and chooses nothing. The network is
that of the first example.
"""

import argparse
import platform
from itertools import product

import numpy as np
import pandas as pd
import torch

from benchmarks.light_model import make_light_embedder
from invariant_cluster.datasets import load_wafer_maps
from invariant_cluster.metrics import neighbor_purity_score

LOSSES = ("cross_correlation", "centered_cosine", "cosine", "mse")


def measure(
    consistency: str, weight: float, seed: int, max_epochs: int
) -> dict[str, object]:
    maps = load_wafer_maps(fail_map=True)
    embedder = make_light_embedder(
        invariance="rotation",
        consistency=consistency,
        consistency_weight=weight,
        max_epochs=max_epochs,
        random_state=seed,
    )
    z = np.asarray(embedder.fit_transform(maps.images))
    last = embedder.history_.iloc[-1]
    return {
        "consistency": consistency,
        "weight": weight,
        "seed": seed,
        "squared error": last["squared_error"],
        "effective d": last["effective_d"],
        "purity (labels)": neighbor_purity_score(z, maps.target),
        "seconds": embedder.history_["seconds"].sum(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--weights", type=float, nargs="+", default=[0.1, 1.0])
    parser.add_argument("--max-epochs", type=int, default=6)
    options = parser.parse_args()
    rows = []
    for loss in LOSSES:
        for weight, seed in product(options.weights, options.seeds):
            rows.append(measure(loss, weight, seed, options.max_epochs))
            print(rows[-1], flush=True)
    frame = pd.DataFrame(rows).drop(columns="seed")
    table = frame.groupby(["consistency", "weight"], sort=False)
    print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}, ")
    print(f"{torch.get_num_threads()} threads, {options.max_epochs} epochs; mean:")
    print(table.mean().round(4).to_string())


if __name__ == "__main__":
    main()
