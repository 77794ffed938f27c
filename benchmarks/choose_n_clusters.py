"""How near to the number of classes criteria without labels come.

    python -m benchmarks.choose_n_clusters NAME [NAME ...] [--data DIR] [--cache DIR]
        [--features auto|joint|learned|scattering] [--epochs N|auto] [--steps N]
        [--clusterer k-means|scan] [--values K [K ...]] [--repeats N] [--curves]
        [--auto]

NAME is "digits" or "wafer-maps", which are bundled, or a data set of the benchmarks,
whose file lies in the folder given with --data: at most 4,000 of its training images.
They are embedded as ``make_pipeline`` does, with the words of
``benchmarks.ready_pipelines`` and the light network. Prints a row a data
set: the number of classes, and the number that each criterion suggests, with the error
in parentheses. ``--curves`` also prints the criteria for each number of clusters, and
what k-means reaches there. ``--cache`` keeps z, for other criteria. ``--auto`` prints
instead what ``n_clusters="auto"`` chooses, and the range that is as good.
"""

import argparse
import time
from typing import Any

import pandas as pd
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from benchmarks.machine import cpu_model
from benchmarks.pipeline_spaces import (
    NAMES,
    WORDS_OF,
    Recipe,
    Space,
    load_space,
)
from invariant_cluster import make_pipeline
from invariant_cluster.metrics import clustering_accuracy_score
from invariant_cluster.model_selection import (
    CRITERIA,
    choose_n_clusters,
    label_free_curve,
    suggest_value,
)
from invariant_cluster.pipelines import FEATURES

# Class averages see the number of clusters: they are no space for all of them.
SPACES = [name for name in FEATURES if name != "averages"]
N_STARTS = 10  # of k-means, as for the first of the heads of make_pipeline
VALUES = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 20]


def main(arguments: list[str] | None = None) -> None:
    options = parse(arguments)
    recipe = Recipe(options.features, options.epochs, options.steps, options.seed)
    print(f"{recipe.name}, {options.clusterer}, {cpu_model()}, ", end="")
    print(f"torch {torch.__version__}")
    rows = {}
    for name in options.datasets:
        space = load_space(name, recipe, options.data, options.cache)
        start = time.process_time()
        if options.auto:
            rows[name] = choose(space, options)
            continue
        table = compute_curve(space, make_clusterer(name, options), options)
        if options.curves:
            print_curves(name, space, table, options)
        rows[name] = compare(table, space.n_classes)
        rows[name]["CPU seconds"] = f"{time.process_time() - start:.0f}"
        print(pd.Series(rows[name], name=name).to_frame().T.to_string(), flush=True)
    print(pd.DataFrame(rows).T.to_string())


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datasets", choices=NAMES, nargs="+", metavar="NAME")
    parser.add_argument("--data", metavar="DIR")
    parser.add_argument("--cache", metavar="DIR")
    parser.add_argument("--features", choices=SPACES, default="auto")
    parser.add_argument("--epochs", type=read_epochs, default="auto")
    parser.add_argument("--steps", type=int, help="in place of epochs")
    parser.add_argument("--clusterer", choices=["k-means", "scan"], default="k-means")
    parser.add_argument("--values", type=int, nargs="+", default=VALUES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--curves", action="store_true")
    parser.add_argument("--auto", action="store_true")
    return parser.parse_args(arguments)


def read_epochs(text: str) -> int | str:
    return text if text == "auto" else int(text)


def make_clusterer(name: str, options: argparse.Namespace) -> Any:
    """Return k-means, or the clusterer of ``make_pipeline``."""
    if options.clusterer == "k-means":
        return KMeans(n_init=N_STARTS)
    return make_pipeline(2, **WORDS_OF[name], network="light")["cluster"]


def compute_curve(
    space: Space, clusterer: Any, options: argparse.Namespace
) -> pd.DataFrame:
    """Return ``label_free_curve`` over the numbers of clusters."""
    return label_free_curve(
        clusterer,
        space.z,
        param_name="n_clusters",
        param_range=options.values,
        n_repeats=options.repeats,
        random_state=options.seed,
    )


def choose(space: Space, options: argparse.Namespace) -> dict[str, str]:
    """Return what ``n_clusters="auto"`` chooses, and how long that takes."""
    start = time.process_time()
    choice = choose_n_clusters(space.z, random_state=options.seed)
    return {
        "classes": str(space.n_classes),
        "chosen": show(choice.n_clusters, space.n_classes),
        "as good": f"{choice.low} to {choice.high}",
        "reason": choice.reason,
        "CPU seconds": f"{time.process_time() - start:.0f}",
    }


def compare(table: pd.DataFrame, n_classes: int) -> dict[str, str]:
    """Return what each criterion suggests, by its excess and as it is."""
    row = {"classes": str(n_classes)}
    for name in (name for name in CRITERIA if name in table):
        row[name] = show(suggest_value(table, name), n_classes)
        row[f"{name}, raw"] = show(suggest_value(table[[name]], name), n_classes)
    return row


def show(value: int, n_classes: int) -> str:
    return f"{value} ({value - n_classes:+d})"


def print_curves(
    name: str, space: Space, table: pd.DataFrame, options: argparse.Namespace
) -> None:
    """Print the criteria of each number of clusters, and what k-means reaches."""
    print(f"\n{name}\n{table.round(3).to_string()}")
    scores = score_k_means(space, options.values, options.seed)
    print(scores.round(1).T.to_string())


def score_k_means(space: Space, values: list[int], seed: int) -> pd.DataFrame:
    """Return what k-means reaches at each number of clusters, in percent."""
    rows = []
    for k in values:
        labels = KMeans(k, n_init=5, random_state=seed).fit_predict(space.z)
        accuracy = clustering_accuracy_score(space.target, labels)
        rand = adjusted_rand_score(space.target, labels)
        rows.append({"accuracy": 100 * accuracy, "ARI": 100 * rand})
    return pd.DataFrame(rows, index=pd.Index(values, name="n_clusters"))


if __name__ == "__main__":
    main()
