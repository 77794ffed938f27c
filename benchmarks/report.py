"""Render docs/results.md, and the table in docs/recipe.md, from the results' lines.

    python -m benchmarks.report

The same lines give the same page. No line is left out; of runs that were repeated the
newest counts. What ``summary.md`` says of them stands first, as it is written there.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import levers, overview
from benchmarks.ablations import TITLE, fold, split_ablations
from benchmarks.columns import (
    CLUSTER_COLUMNS,
    lines_of,
    pose_columns,
    to_cells,
    to_table,
)
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

The best of each column is in bold, of the rows that see no labels; the table of ready
pipelines and that of all data sets have it in each row. Bold is chosen by these test
labels, so it is higher than what a user could choose. Rows with other parameters than
their scale's are folded below each table, unless they are the best or the only ones of
their method.
"""
BEGIN, END = "<!-- levers: begin -->", "<!-- levers: end -->"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--ready", type=Path, default=READY, help="of ready pipelines")
    parser.add_argument("--summary", type=Path, default=HERE / "summary.md")
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs" / "results.md")
    options = parser.parse_args(arguments)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    records = read_all(options.results)
    summary = options.summary.read_text(encoding="utf-8")
    page = render(records, read_lines(options.ready), summary)
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


def render(
    records: list[dict[str, Any]],
    ready: Sequence[dict[str, Any]] = (),
    summary: str = "",
) -> str:
    """Return the page in Markdown."""
    summaries = summarize(records)
    sections = [HEAD, summary] if summary else [HEAD]
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
            sections += [render_clusters(clusters), compare(clusters)]
        if poses:
            sections.append(render_poses(poses))
    return sections + render_published(dataset)


def render_clusters(rows: list[Summary]) -> str:
    """Return the table of clusterings, its ablations folded."""
    cells = dict(zip(map(id, rows), to_cells(CLUSTER_COLUMNS, rows), strict=True))
    head = [column.name for column in CLUSTER_COLUMNS]
    seen, ablations = split_ablations(rows, accuracy)
    text = lines_of(head, [cells[id(row)] for row in seen])
    if ablations:
        hidden = lines_of(head, [cells[id(row)] for row in ablations])
        text += "\n" + fold(f"{len(ablations)} rows with {TITLE}", hidden)
    return text


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
