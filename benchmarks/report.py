"""Render docs/results.md, and the table in docs/recipe.md, from the results' lines.

    python -m benchmarks.report

The same lines give the same page. No line is left out; of runs that were repeated the
newest counts.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import levers, overview
from benchmarks.published import ACCURACIES, FLOORS, OTHER_SPLIT, POSES
from benchmarks.ready_pipelines import RESULTS as READY
from benchmarks.ready_report import HEAD as READY_HEAD
from benchmarks.ready_report import render_ready
from benchmarks.records import read_all, read_lines
from benchmarks.scales import DATASETS, SCALES
from benchmarks.summaries import Summary, summarize

HERE = Path(__file__).parent
HEAD = """# Results

Written by `python -m benchmarks.report` from `benchmarks/results/`; made by `python -m
benchmarks.paper`. Mean ± standard deviation over the seeds. Accuracy (%), NMI and ARI
are of the test images unless said otherwise, purity is of the 20 nearest neighbours of
z in the training images. A row names the parameters by which it differs from its scale
(`benchmarks/scales.py`). Seconds are those of all stages together. A `+` after a commit
says that the code differed from it.
"""
BEGIN, END = "<!-- levers: begin -->", "<!-- levers: end -->"
Column = tuple[str, Callable[[Summary], str]]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--ready", type=Path, default=READY, help="of ready pipelines")
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs" / "results.md")
    options = parser.parse_args(arguments)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    records = read_all(options.results)
    page = render(records, read_lines(options.ready))
    options.out.write_text(page, encoding="utf-8")
    print(f"wrote {options.out}")
    recipe = options.out.with_name("recipe.md")
    if recipe.exists():
        table = lines_of(levers.HEAD, levers.render_levers(summarize(records)))
        text = recipe.read_text(encoding="utf-8")
        recipe.write_text(replace_table(text, table), encoding="utf-8")
        print(f"wrote the table in {recipe}")


def replace_table(text: str, table: str) -> str:
    """Return a page with the table that stands between the marks replaced."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"docs/recipe.md must hold {BEGIN} and {END}, in this order.")
    return f"{before}{begin}\n\n{table}\n{end}{after}"


def render(records: list[dict[str, Any]], ready: Sequence[dict[str, Any]] = ()) -> str:
    """Return the page in Markdown."""
    summaries = summarize(records)
    sections = [HEAD]
    if ready:
        introduction, lines, after = render_ready(ready, summaries)
        sections += [introduction, lines_of(READY_HEAD, lines), after]
    sections += render_overview(summaries)
    for dataset in DATASETS:
        rows = [row for row in summaries if row.dataset == dataset]
        if rows:
            sections += render_dataset(dataset, rows)
    if not summaries:
        sections.append("There are no results yet.\n")
    return "\n".join(sections)


def render_overview(summaries: list[Summary]) -> list[str]:
    """Return the table of all data sets, if there is a row for it."""
    head, rows = overview.render_overview(summaries)
    return [overview.INTRODUCTION, lines_of(head, rows)] if rows else []


def render_dataset(dataset: str, rows: list[Summary]) -> list[str]:
    """Return the sections of a data set: each scale's, then what others reached."""
    sections = [f"## {dataset}\n"]
    if dataset in OTHER_SPLIT:
        sections.append(f"{OTHER_SPLIT[dataset]}\n")
    for scale in SCALES:
        at_scale = [row for row in rows if row.scale == scale]
        clusters = [row for row in at_scale if not row.method.endswith("pose")]
        poses = [row for row in at_scale if row.method.endswith("pose")]
        if at_scale:
            sections.append(f"### {dataset}, scale `{scale}`\n")
        if clusters:
            sections += [to_table(CLUSTER_COLUMNS, clusters), compare(clusters)]
        if poses:
            sections.append(render_poses(poses))
    return sections + render_published(dataset)


def to_table(columns: list[Column], rows: list[Summary]) -> str:
    """Return a Markdown table, one row a summary."""
    return lines_of(
        [name for name, _ in columns],
        [[show(row) for _, show in columns] for row in rows],
    )


def lines_of(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table of texts."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def spread(*path: str, factor: float = 1, digits: int = 3) -> Callable[[Summary], str]:
    """Return what shows the mean and standard deviation of a value."""

    def show(row: Summary) -> str:
        values = np.array(row.values(*path)) * factor
        if len(values) == 0:
            return "-"
        deviation = f" ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else ""
        return f"{values.mean():.{digits}f}{deviation}"

    return show


def percent(name: str) -> Callable[[Summary], str]:
    return spread("metrics", name, factor=100, digits=1)


def paper_accuracy(row: Summary) -> str:
    """Return the paper's accuracy of a method, with a table's parameter or none."""
    numbers = {(item.dataset, item.method): item for item in ACCURACIES}
    found = numbers.get((row.dataset, row.label))
    return f"{found.accuracy:.1f} ± {found.std:.1f}" if found else "-"


def show_seconds(row: Summary) -> str:
    return f"{np.mean([sum(run['seconds'].values()) for run in row.records]):.0f}"


def show_code(row: Summary) -> str:
    return row.distinct(
        lambda run: f"{str(run['commit'])[:8]}{'+' if is_dirty(run) else ''}"
    )


def is_dirty(run: dict[str, Any]) -> bool:
    """Tell whether the code that scored, or the one that trained, was uncommitted."""
    return bool(run["dirty"] or run.get("embedding_code", {}).get("dirty"))


def show_machine(row: Summary) -> str:
    return row.distinct(lambda run: machine_name(run["machine"]))


def machine_name(machine: dict[str, Any]) -> str:
    threads = f"{machine['threads']} of {machine['cores']} cores, {machine['cpu']}"
    name = machine["gpu"] or threads
    precision = machine.get("auto_precision")  # older records do not tell
    return f"{name}, precision auto: {precision}" if precision else name


def show_label(row: Summary) -> str:
    return row.label


def show_seeds(row: Summary) -> str:
    return str(len(row.records))


LABEL: list[Column] = [("method", show_label), ("seeds", show_seeds)]
ORIGIN: list[Column] = [
    ("seconds", show_seconds),
    ("machine", show_machine),
    ("code", show_code),
]
CLUSTER_COLUMNS: list[Column] = [
    *LABEL,
    ("accuracy", percent("test_accuracy")),
    ("the paper's", paper_accuracy),
    ("train accuracy", percent("train_accuracy")),
    ("NMI", spread("metrics", "test_nmi")),
    ("ARI", spread("metrics", "test_ari")),
    ("purity", spread("metrics", "purity")),
    ("calibration error", spread("metrics", "test_calibration_error")),
    ("the same, untempered", spread("metrics", "test_calibration_error_before")),
    ("squared error", spread("losses", "embedder", "squared_error", digits=4)),
    *ORIGIN,
]


def pose_columns(prefix: str = "") -> list[Column]:
    """Return the columns of a table of poses, "truth_" against the true ones."""

    def of(name: str, digits: int = 4) -> Callable[[Summary], str]:
        return spread("metrics", prefix + name, digits=digits)

    return [
        *LABEL,
        ("rotation, circular", of("rotation_circular")),
        ("rotation, Pearson", of("rotation_pearson")),
        ("degrees", of("rotation_error_degrees", 2)),
        ("translation x", of("translation_x")),
        ("translation y", of("translation_y")),
        ("pixels", of("translation_error_pixels", 3)),
        *ORIGIN,
    ]


def render_poses(rows: list[Summary]) -> str:
    """Return how pose follows known moves and, where it is known, the true one."""
    text = (
        "Change of pose under known moves: correlations with the move, and median "
        f"errors.\n\n{to_table(pose_columns(), rows)}"
    )
    true = [row for row in rows if row.values("metrics", "truth_rotation_circular")]
    if true:
        table = to_table(pose_columns("truth_"), true)
        text += f"\nAgainst the true pose, less one offset a view.\n\n{table}"
    return text


def compare(rows: list[Summary]) -> str:
    """Return which rows of ours are below the best that needs no IRL-INR."""
    unlabelled = [row for row in rows if not row.is_supervised]
    ours = [row for row in unlabelled if row.is_ours]
    floors = [(f.accuracy, f.method) for f in FLOORS if f.dataset == rows[0].dataset]
    free = [(accuracy(row), row.label) for row in unlabelled if not row.is_ours]
    if not ours or not floors + free:
        return ""
    best, name = max(floors + free)
    below = [f"{r.label} ({accuracy(r):.1f})" for r in ours if accuracy(r) < best]
    said = "; ".join(below) or "none of ours"
    return f"Below the best baseline without IRL-INR ({name}, {best:.1f}): {said}.\n"


def accuracy(row: Summary) -> float:
    """Return the mean test accuracy in %."""
    return 100 * (row.mean("metrics", "test_accuracy") or 0.0)


def render_published(dataset: str) -> list[str]:
    """Return the paper's numbers and the baselines measured before."""
    paper = [
        [f"the paper, table {item.table}", item.method, f"{item.accuracy} ± {item.std}"]
        for item in ACCURACIES
        if item.dataset == dataset
    ]
    floors = [
        ["measured before, on our split", item.method, str(item.accuracy)]
        for item in FLOORS
        if item.dataset == dataset
    ]
    sections = []
    if paper or floors:
        table = lines_of(["source", "method", "accuracy"], paper + floors)
        sections += [f"### {dataset}, others\n", table]
    if dataset == "mnist-u":
        sections += [render_published_poses()]
    return sections


def render_published_poses() -> str:
    rows = [
        [item.method, str(item.rotation), ", ".join(map(str, item.translation))]
        for item in POSES
    ]
    return lines_of(["table 1", "rotation, Pearson", "translation, Pearson"], rows)


if __name__ == "__main__":
    main()
