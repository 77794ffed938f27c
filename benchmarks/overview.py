"""The table at the top of the results: what each data set gives, and could give."""

from collections.abc import Sequence

from benchmarks.best import mark_best
from benchmarks.classical import FEATURES
from benchmarks.scales import DATASETS
from benchmarks.summaries import Summary
from benchmarks.tables import CEILINGS, JOINT, OURS

SCALE = "small"
HEADS = (("n_heads", 10),)
# Columns: a method, and by which parameters it differs from the scale's.
COLUMNS: dict[str, tuple[str, tuple[tuple[str, object], ...]]] = {
    "scattering, k-means": ("scattering + k-means", ()),
    "scattering, heads": ("scattering + SCAN heads", ()),
    "scattering, 10 heads": ("scattering + SCAN heads", HEADS),
    "z, k-means": (f"{OURS} + k-means", ()),
    "z, heads": (f"{OURS} + SCAN heads", ()),
    "z, SCAN": (f"{OURS} + SCAN", ()),
    "joint, k-means": (f"{JOINT} + k-means", ()),
    "joint, heads": (f"{JOINT} + SCAN heads", ()),
    "joint, 10 heads": (f"{JOINT} + SCAN heads", HEADS),
    "joint, SCAN": (f"{JOINT} + SCAN", ()),
    "joint, SCAN, 10 heads, 3 rounds, equal classes": (
        f"{JOINT} + SCAN",
        (("entropy_target", "uniform"), *HEADS, ("n_rounds", 3)),
    ),
    **{f"all labels, {step} on joint": (f"{JOINT} + {step}", ()) for step in CEILINGS},
}
HEAD = ["data", "largest class", "best other without training", *COLUMNS]
OTHERS = tuple(name for name in FEATURES if name != "scattering")
INTRODUCTION = f"""## All data sets, scale `{SCALE}`

Accuracy (%) of the test images, mean ± standard deviation over the seeds in brackets.
Every column but the third is one method with the parameters of the scale. The third is
the best of all clusterings of the raw pixels, the polar Fourier features and Zernike
moments, chosen by these test labels. The last two columns are supervised: they train on
all labels of the training images, and show what the features could give. The best of
the others is in bold in each row.
"""


def render_overview(summaries: Sequence[Summary]) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of the table."""
    rows = []
    for dataset in DATASETS:
        here = [s for s in summaries if (s.dataset, s.scale) == (dataset, SCALE)]
        if any(s.method.startswith(("scattering", JOINT)) for s in here):
            rows.append([dataset, *render_row(here)])
    return HEAD, rows


def render_row(summaries: Sequence[Summary]) -> list[str]:
    """Return the cells of a data set."""
    found = {(s.method, s.changes): s for s in summaries}
    shares = [share for s in summaries for share in s.values("largest_class")]
    largest = f"{100 * shares[0]:.1f}" if shares else "-"
    cells = [show(found[key]) if key in found else "-" for key in COLUMNS.values()]
    n_free = len(cells) - len(CEILINGS)
    free = mark_best([best_other(summaries), *cells[:n_free]])
    return [largest, *free, *cells[n_free:]]


def best_other(summaries: Sequence[Summary]) -> str:
    """Return the best clustering of other features without training, and its name."""
    others = [
        s
        for s in summaries
        if s.method.startswith(OTHERS) and s.values("metrics", "test_accuracy")
    ]
    if not others:
        return "-"
    best = max(others, key=lambda s: s.mean("metrics", "test_accuracy") or 0.0)
    return f"{show(best)}, {best.method}"


def show(summary: Summary) -> str:
    """Return mean, deviation and number of seeds of an accuracy."""
    return show_percent(summary.values("metrics", "test_accuracy"))


def show_percent(shares: Sequence[float]) -> str:
    """Return mean and deviation of shares, one a seed, in percent, and their number."""
    values = [100 * share for share in shares]
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:.1f} (1)"
    deviation = (sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5
    return f"{mean:.1f} ± {deviation:.1f} ({len(values)})"
