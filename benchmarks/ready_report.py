"""The table of ready pipelines on the results page."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.best import mark_best
from benchmarks.classical import FEATURES
from benchmarks.overview import show_percent
from benchmarks.summaries import Summary

SCALE = "small"
FREE = ("scattering", "polar Fourier")
COMPARED = ("pipeline", "its features + heads", "its features + k-means")
HEAD = [
    "data",
    "words",
    "largest class",
    "pipeline",
    "its features, heads alone",
    "its features, k-means",
    "best without training",
    "angles, degrees",
    "minutes",
]
INTRODUCTION = f"""## Ready pipelines

`make_pipeline(n_clusters)` with no other parameter but the words of the second column,
on the training images at 32 x 32 pixels (`python -m benchmarks.ready_pipelines`).
Accuracy (%) of the test images, mean ± standard deviation over the seeds in brackets.
"Best without training" is the best mean of scattering and polar Fourier features with
k-means or heads and the same words, and of all rows without training at scale `{SCALE}`
below: chosen by these test labels, it is higher than what a user can choose. Pipelines
that are below it stand after the table. Angles are the median error of in-plane angles,
less one offset a class. Minutes are those of the fit on one thread of a busy machine.
"""


def render_ready(
    rows: Sequence[dict[str, Any]], summaries: Sequence[Summary]
) -> tuple[str, list[list[str]], str]:
    """Return introduction, lines of the table and what stands after it."""
    by_data: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(dict)
    rows = newest(rows)
    for row in rows:
        by_data[row["dataset"]].setdefault(row["method"], []).append(row)
    lines, below = [], []
    for dataset, methods in by_data.items():
        here = [s for s in summaries if (s.dataset, s.scale) == (dataset, SCALE)]
        best, name = best_free(methods, here)
        lines.append(render_line(dataset, methods, f"{best:.1f}, {name}"))
        reached = mean(methods["pipeline"])
        if reached < best:
            below.append(f"{dataset} ({reached:.1f}; {name}, {best:.1f})")
    said = "; ".join(below) or "none"
    machines = sorted({describe_machine(row) for row in rows})
    after = (
        f"Below the best row without training, and what to take there: {said}.\n\n"
        f"{'; '.join(machines)}.\n"
    )
    return INTRODUCTION, lines, after


def newest(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last row of each data set, seed and method, in their first order."""
    kept: dict[tuple[str, int, str], dict[str, Any]] = {}
    for row in rows:
        kept[row["dataset"], row["seed"], row["method"]] = row
    return list(kept.values())


def best_free(
    methods: dict[str, list[dict[str, Any]]], summaries: Sequence[Summary]
) -> tuple[float, str]:
    """Return the best mean accuracy without training, in %, and the method."""
    found = [
        (mean(rows), name) for name, rows in methods.items() if name.startswith(FREE)
    ]
    found += [
        (100 * (s.mean("metrics", "test_accuracy") or 0.0), f"{label_of(s)} (below)")
        for s in summaries
        if s.method.startswith(tuple(FEATURES)) and not s.is_supervised
    ]
    return max(found)


def label_of(summary: Summary) -> str:
    """Return the method and its changes, without parameters that it has no more."""
    changes = [f"{k}={v}" for k, v in summary.changes if v != "not there"]
    return ", ".join([summary.method, *changes])


def render_line(
    dataset: str, methods: dict[str, list[dict[str, Any]]], best: str
) -> list[str]:
    """Return the cells of a data set."""
    first = methods["pipeline"][0]
    words = ", ".join(f'{name}="{value}"' for name, value in first["words"].items())
    degrees = [row["degrees"] for row in methods["pipeline"] if "degrees" in row]
    minutes = np.mean([row["seconds"] for row in methods["pipeline"]]) / 60
    return [
        dataset,
        words or "none",
        f"{100 * first['largest_class']:.1f}",
        *mark_best([*(show(methods[name]) for name in COMPARED), best]),
        f"{np.mean(degrees):.1f}" if degrees else "-",
        f"{minutes:.1f}",
    ]


def mean(rows: Sequence[dict[str, Any]]) -> float:
    """Return the mean accuracy of rows, in %."""
    return float(100 * np.mean([row["accuracy"] for row in rows]))


def show(rows: Sequence[dict[str, Any]]) -> str:
    """Return mean, deviation and number of seeds of an accuracy."""
    return show_percent([row["accuracy"] for row in rows])


def describe_machine(row: dict[str, Any]) -> str:
    """Return on what a row was made."""
    machine = row["machine"]
    return (
        f"{machine['cpu']}, {machine['threads']} of "
        f"{machine['cores']} cores, {machine['auto_precision']}, torch "
        f"{machine['torch']}"
    )
