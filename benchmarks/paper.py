"""Run a table of the IRL-INR paper; each run adds a line to the results.

    python -m benchmarks.paper TABLE --data DIR --dataset mnist-u --scale small

TABLE is a name or the paper's number; 8 is 3 on MNIST(U) without 9. A run that
is in the results already is skipped unless --force is given. One that was interrupted
goes on from its checkpoint, at most a minute before.
"""

import argparse
import sys
from itertools import product
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.data import load_split
from benchmarks.records import describe
from benchmarks.runs import Bench, run, summarize
from benchmarks.scales import DATASETS, SCALES, get_settings
from benchmarks.tables import ALIASES, DATASET_OF_ALIAS, TABLES, Row
from invariant_cluster.runtime import resolve_device

HERE = Path(__file__).parent


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.paper",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("table", choices=[*TABLES, *ALIASES], help="name, or number in the paper")
    add("--data", help="folder of the data; default: $INVARIANT_CLUSTER_DATA")
    add("--dataset", choices=DATASETS, default="mnist-u")
    add("--scale", choices=SCALES, default="small")
    add("--seeds", type=int, nargs="+", default=[0, 1, 2])
    add("--features", nargs="+", metavar="NAME", help="only rows of these embedders")
    add("--steps", nargs="+", metavar="NAME", help="only rows of these steps")
    add("--device", default="auto")
    add("--threads", type=int, help="of the CPU; default: torch's")
    add("--force", action="store_true", help="run and train anew what is there")
    add("--results", type=Path, default=HERE / "results")
    add("--checkpoints", type=Path, default=HERE / "checkpoints")
    add("--commit", help="of the code, where it is not in a git repository")
    return parser


def main(arguments: list[str] | None = None) -> None:
    options = make_parser().parse_args(arguments)
    table = ALIASES.get(options.table, options.table)
    dataset = DATASET_OF_ALIAS.get(options.table, options.dataset)
    rows = select(table, options.features, options.steps)
    try:
        bench = open_bench(options, dataset)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"benchmarks.paper: {error}")
    if options.threads:
        torch.set_num_threads(options.threads)
    with threadpool_limits(options.threads):
        for seed, row in product(options.seeds, rows):
            run_row(bench, row, seed, table)


def select(
    table: str, features: list[str] | None, steps: list[str] | None
) -> list[Row]:
    """Return the rows of a table, or those of some features and steps alone."""
    rows = TABLES[table]()
    check_names("--features", features, {row.features for row in rows}, table)
    check_names("--steps", steps, {row.step for row in rows}, table)
    return [
        row
        for row in rows
        if (not features or row.features in features)
        and (not steps or row.step in steps)
    ]


def check_names(
    option: str, names: list[str] | None, known: set[str], table: str
) -> None:
    """Exit with what a table has if it lacks a name."""
    unknown = set(names or []) - known
    if unknown:
        sys.exit(
            f"benchmarks.paper: {option} {' '.join(sorted(unknown))}: table {table} "
            f"has {', '.join(sorted(known))}"
        )


def open_bench(options: argparse.Namespace, dataset: str) -> Bench:
    """Return the bench; raise if device or data are not there."""
    resolve_device(options.device)
    settings = get_settings(dataset, options.scale)
    return Bench(
        dataset,
        options.scale,
        load_split(dataset, settings, options.data),
        folder=options.data,
        results=options.results,
        checkpoints=options.checkpoints,
        device=options.device,
        forced=options.force,
        commit=options.commit,
    )


def run_row(bench: Bench, row: Row, seed: int, table: str) -> None:
    """Run a row and print a line about it; a failure names the run."""
    changes = describe({**row.embedder, **row.clusterer})
    name = f"{bench.dataset}, {bench.scale}, {row.method}, {changes}, seed {seed}"
    try:
        record = run(bench, row, seed, table)
    except KeyboardInterrupt:
        sys.exit(f"{name}: interrupted; the same command goes on from the last minute")
    except Exception as error:
        error.add_note(f"In the run: {name}. The runs before it are in the results.")
        raise
    print(f"{name}: {summarize(record) if record else 'already there'}", flush=True)


if __name__ == "__main__":
    main()
