"""What each lever of the recipe is worth: the table in docs/recipe.md."""

from benchmarks.plans import plan_run
from benchmarks.records import identity
from benchmarks.summaries import Summary, dig
from benchmarks.tables import TABLES, Row
from invariant_cluster.embedders import PAPER_RECIPE

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
        planned = plan_levers(dataset, scan)
        for row in sorted(scan, key=lambda row: bool(row.changes)):
            if (run := identity({**row.records[0], "seed": 0})) in planned:
                name, kmeans = name_lever(row, planned[run]), find_kmeans(row, rows)
                found.append(render_lever(name, row, plain, kmeans))
    return found


def plan_levers(dataset: str, scan: list[Summary]) -> dict[str, Row]:
    """Return what ``LEVER_TABLES`` run with SCAN and seed 0, by the run's identity."""
    if not scan:
        return {}
    n_clusters = dig(scan[0].records[0], ("parameters", "clusterer", "n_clusters"))
    rows = (row for table in LEVER_TABLES for row in TABLES[table]())
    return {
        identity(plan_run(dataset, SCALE, row, 0, n_clusters)): row
        for row in rows
        if row.method == SCAN
    }


def name_lever(row: Summary, planned: Row) -> str:
    """Return what the table calls a row."""
    if planned.embedder is PAPER_RECIPE:
        return PAPER
    return ", ".join(f"{name}={value}" for name, value in row.changes) or RECIPE


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
