"""The columns of the results' tables: what each shows, and which number is its best."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.best import Best, mark_best
from benchmarks.published import ACCURACIES
from benchmarks.summaries import Summary


class Column(NamedTuple):
    """A column: its name, what it shows, and which of its numbers is the best."""

    name: str
    show: Callable[[Summary], str]
    best: Best | None = None


def to_table(columns: list[Column], rows: list[Summary]) -> str:
    """Return a Markdown table, one row a summary."""
    return lines_of([column.name for column in columns], to_cells(columns, rows))


def to_cells(columns: list[Column], rows: list[Summary]) -> list[list[str]]:
    """Return the cells of each row, the best of each column in bold."""
    shown = (show_column(column, rows) for column in columns)
    return [list(cells) for cells in zip(*shown, strict=True)]


def show_column(column: Column, rows: list[Summary]) -> list[str]:
    """Return the cells of a column; rows that see all labels are in no contest."""
    cells = [column.show(row) for row in rows]
    if column.best is None:
        return cells
    free = [i for i, row in enumerate(rows) if not row.is_supervised]
    marked = mark_best([cells[i] for i in free], column.best)
    for i, cell in zip(free, marked, strict=True):
        cells[i] = cell
    return cells


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


LABEL = [Column("method", show_label), Column("seeds", show_seeds)]
ORIGIN = [
    Column("seconds", show_seconds),
    Column("machine", show_machine),
    Column("code", show_code),
]
CLUSTER_COLUMNS = [
    *LABEL,
    Column("accuracy", percent("test_accuracy"), max),
    Column("the paper's", paper_accuracy),
    Column("train accuracy", percent("train_accuracy"), max),
    Column("NMI", spread("metrics", "test_nmi"), max),
    Column("ARI", spread("metrics", "test_ari"), max),
    Column("purity", spread("metrics", "purity"), max),
    Column("calibration error", spread("metrics", "test_calibration_error"), min),
    Column(
        "the same, untempered", spread("metrics", "test_calibration_error_before"), min
    ),
    Column("squared error", spread("losses", "embedder", "squared_error", digits=4)),
    *ORIGIN,
]


def pose_columns(prefix: str = "") -> list[Column]:
    """Return the columns of a table of poses, "truth_" against the true ones."""

    def of(name: str, digits: int = 4) -> Callable[[Summary], str]:
        return spread("metrics", prefix + name, digits=digits)

    return [
        *LABEL,
        Column("rotation, circular", of("rotation_circular"), max),
        Column("rotation, Pearson", of("rotation_pearson"), max),
        Column("degrees", of("rotation_error_degrees", 2), min),
        Column("translation x", of("translation_x"), max),
        Column("translation y", of("translation_y"), max),
        Column("pixels", of("translation_error_pixels", 3), min),
        *ORIGIN,
    ]
