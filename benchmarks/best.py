"""The best of a column or row of a table, in bold."""

import re
from collections.abc import Callable, Iterable, Sequence

NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)(?: ± \d+(?:\.\d+)?)?")
Best = Callable[[Iterable[float]], float]


def number_of(cell: str) -> float | None:
    """Return the number that a cell begins with, None where it begins with none."""
    found = NUMBER.match(cell)
    return float(found[1]) if found else None


def bold(cell: str) -> str:
    """Return a cell with its first number, and the deviation after it, in bold."""
    return NUMBER.sub(lambda found: f"**{found[0]}**", cell, count=1)


def mark_best(cells: Sequence[str], best: Best = max) -> list[str]:
    """Return cells with the best number in bold, several where they show the same.

    Fewer than two numbers are no contest: nothing is marked.
    """
    numbers = [number_of(cell) for cell in cells]
    known = [number for number in numbers if number is not None]
    if len(known) < 2:
        return list(cells)
    top = best(known)
    return [
        bold(cell) if number == top else cell
        for cell, number in zip(cells, numbers, strict=True)
    ]
