"""Which rows of a table are ablations, and how they are folded away."""

from collections.abc import Callable, Sequence

from benchmarks.summaries import Summary

TITLE = "other parameters than the scale's"


def is_changed(row: Summary) -> bool:
    """Tell whether a row sets a parameter otherwise; one that is gone is no choice."""
    return any(value != "not there" for _, value in row.changes)


def split_ablations(
    rows: Sequence[Summary], score: Callable[[Summary], float]
) -> tuple[list[Summary], list[Summary]]:
    """Return the rows that stay in sight, and the ablations.

    Rows with the parameters of the scale stay, those of methods that have no such row,
    and the best row without labels, whatever its parameters.
    """
    plain = {row.method for row in rows if not is_changed(row)}
    free = [row for row in rows if not row.is_supervised]
    top = max(free, key=score, default=None)
    ablations = [
        row
        for row in rows
        if is_changed(row) and row.method in plain and row is not top
    ]
    return [row for row in rows if row not in ablations], ablations


def fold(title: str, body: str) -> str:
    """Return Markdown that is hidden until its title is clicked."""
    return f"<details>\n<summary>{title}</summary>\n\n{body}\n</details>\n"
