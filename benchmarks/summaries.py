"""Records of the same run with other seeds, summed up as one row."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.plans import plan_parameters
from benchmarks.scales import get_settings
from benchmarks.tables import CEILINGS, OURS, TABLES, Row

METHODS = {
    row.method: Row(row.features, row.step) for t in TABLES.values() for row in t()
}


@dataclass(frozen=True)
class Summary:
    """A method with its parameters on a data set at a scale, over all seeds.

    Attributes
    ----------
    changes : tuple of (str, object)
        Parameters that are not the scale's, and their values.
    records : list of dict
        By seed.
    """

    dataset: str
    scale: str
    method: str
    changes: tuple[tuple[str, Any], ...]
    records: list[dict[str, Any]]

    @property
    def label(self) -> str:
        """The method, and by what it differs from the scale's."""
        changes = [f"{name}={value}" for name, value in self.changes]
        return ", ".join([self.method, *changes])

    @property
    def is_ours(self) -> bool:
        return self.method.startswith(OURS)

    @property
    def is_supervised(self) -> bool:
        return self.method.endswith(CEILINGS)

    def values(self, *path: str) -> list[float]:
        """Return the value under a path of keys in each record that has one."""
        found = [dig(record, path) for record in self.records]
        return [value for value in found if value is not None]

    def mean(self, *path: str) -> float | None:
        values = self.values(*path)
        return float(np.mean(values)) if values else None

    def distinct(self, describe: Any) -> str:
        """Return what a function says of the records, each answer once."""
        return "; ".join(sorted({describe(record) for record in self.records}))


def dig(record: dict[str, Any], path: Iterable[str]) -> Any:
    """Return the value under a path of keys, None where there is none."""
    value: Any = record
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def summarize(records: Iterable[dict[str, Any]]) -> list[Summary]:
    """Return a summary for each method and set of parameters, in the tables' order."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        keys = ("dataset", "scale", "method", "parameters")
        group = json.dumps([record[key] for key in keys], sort_keys=True)
        groups.setdefault(group, []).append(record)
    return sorted(map(summarize_group, groups.values()), key=order)


def summarize_group(records: list[dict[str, Any]]) -> Summary:
    first = records[0]
    return Summary(
        first["dataset"],
        first["scale"],
        first["method"],
        tuple(find_changes(first)),
        sorted(records, key=lambda record: record["seed"]),
    )


def find_changes(record: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the parameters of a record that are not the scale's today.

    A parameter that the code had not, or has no more, is listed too.
    """
    row = METHODS.get(record["method"])
    if row is None:
        return []
    settings = get_settings(record["dataset"], record["scale"])
    n_clusters = dig(record, ("parameters", "clusterer", "n_clusters")) or 1
    ours = flatten(record["parameters"])
    scales = flatten(json.loads(json.dumps(plan_parameters(settings, row, n_clusters))))
    names = [n for n in sorted(ours | scales) if ours.get(n, ...) != scales.get(n, ...)]
    known = [name.split(".")[-1] for name in scales]
    return [(shorten(name, known), ours.get(name, "not there")) for name in names]


def shorten(name: str, known: list[str]) -> str:
    """Return a parameter's name, with its part's where two parts have one so named.

    ``lr`` and ``max_epochs`` without a part are the embedder's.
    """
    last = name.split(".")[-1]
    if name in ("clusterer.lr", "clusterer.max_epochs"):
        return name
    both = ("augmentation", "precision")
    return name if known.count(last) > 1 and last in both else last


def flatten(parameters: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return {"part.name": value} of {"part": {"name": value}}."""
    return {
        f"{part}.{name}": value
        for part, values in parameters.items()
        for name, value in values.items()
    }


def order(summary: Summary) -> tuple[Any, ...]:
    """Return the key by which rows are sorted: numbers by size, not by digits."""
    methods = list(METHODS)
    known = summary.method in methods
    place = methods.index(summary.method) if known else len(methods)
    changes = [
        (name, isinstance(value, str), value if is_number(value) else 0, str(value))
        for name, value in summary.changes
    ]
    return summary.dataset, summary.scale, place, summary.method, changes


def is_number(value: Any) -> bool:
    return isinstance(value, int | float)
