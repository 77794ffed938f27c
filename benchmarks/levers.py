"""What each lever of the recipe is worth: the table in docs/recipe.md."""

import json

from benchmarks.plans import plan_run
from benchmarks.summaries import Summary, dig, find_changes
from benchmarks.tables import TABLES, Row
from invariant_cluster._irlinr_embedder import PAPER_RECIPE

SCALE = "tiny"
# Other lines, of levers that no table moves today, are in the results alone.
LEVER_TABLES = ("recipe", "losses", "dimension", "augmentation")
HEAD = [
    "data",
    "lever",
    "seeds",
    "purity",
    "k-means",
    "SCAN",
    "SCAN, against the recipe",
    "seconds",
]
RECIPE, PAPER = "the recipe", "the paper's recipe"
SCAN, KMEANS = "IRL-INR + SCAN", "IRL-INR + k-means"


def render_levers(summaries: list[Summary]) -> list[list[str]]:
    """Return the rows under ``HEAD``: the recipe of a data set, then each lever.

    Accuracies are of the training images, on which the choices were made. A lever is
    worth a row if one of ``LEVER_TABLES`` moves it, and it was measured with SCAN.
    """
    rows = [row for row in summaries if row.scale == SCALE]
    found = []
    for dataset in sorted({row.dataset for row in rows}):
        scan = [row for row in rows if (row.dataset, row.method) == (dataset, SCAN)]
        plain = next((row for row in scan if not row.changes), None)
        for row in sorted(scan, key=lambda row: bool(row.changes)):
            if name := name_lever(row):
                kmeans = find_kmeans(row, rows)
                found.append(render_lever(name, row, plain, kmeans))
    return found


def name_lever(row: Summary) -> str | None:
    """Return what the table calls a row; None if no table moves such levers."""
    n_clusters = dig(row.records[0], ("parameters", "clusterer", "n_clusters"))

    def changes_of(planned: Row) -> tuple[object, ...]:
        plan = plan_run(row.dataset, SCALE, planned, 0, n_clusters)
        return tuple(find_changes(json.loads(json.dumps(plan))))

    if not row.changes:
        return RECIPE
    if row.changes == changes_of(Row("IRL-INR", "SCAN", PAPER_RECIPE)):
        return PAPER
    planned = [lever for table in LEVER_TABLES for lever in TABLES[table]()]
    if row.changes not in [changes_of(one) for one in planned if one.method == SCAN]:
        return None
    return ", ".join(f"{name}={value}" for name, value in row.changes)


def by_seed(row: Summary) -> dict[int, float]:
    """Return the training accuracy of each seed."""
    return {
        record["seed"]: record["metrics"]["train_accuracy"] for record in row.records
    }


def find_kmeans(row: Summary, rows: list[Summary]) -> Summary | None:
    """Return k-means on the z that a row clusters with SCAN."""
    same = (
        other
        for other in rows
        if (other.dataset, other.method, other.changes)
        == (row.dataset, KMEANS, row.changes)
    )
    return next(same, None)


def render_lever(
    name: str, row: Summary, plain: Summary | None, kmeans: Summary | None
) -> list[str]:
    seconds = [sum(record["seconds"].values()) for record in row.records]
    return [
        row.dataset,
        name,
        str(len(row.records)),
        show(row, "purity", "{:.3f}"),
        show(kmeans, "train_accuracy", "{:.1%}"),
        show(row, "train_accuracy", "{:.1%}"),
        show_difference(row, plain),
        f"{sum(seconds) / len(seconds):.0f}",
    ]


def show(row: Summary | None, name: str, form: str) -> str:
    mean = row.mean("metrics", name) if row else None
    return "-" if mean is None else form.format(mean)


def show_difference(row: Summary, plain: Summary | None) -> str:
    """Return by how many points a lever is better than the recipe, on common seeds."""
    if plain is None or row is plain:
        return "-"
    ours, theirs = by_seed(row), by_seed(plain)
    seeds = sorted(ours.keys() & theirs.keys())
    if not seeds:
        return "-"
    mean = sum(ours[seed] - theirs[seed] for seed in seeds) / len(seeds)
    return f"{100 * mean:+.1f}"
