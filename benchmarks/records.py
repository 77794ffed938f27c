"""Results as JSON lines, one a run, in one file a data set."""

import json
import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from invariant_cluster.embedders import PAPER_RECIPE

IDENTITY = ("method", "dataset", "scale", "seed", "parameters")
# How a run was watched and where it ran does not change what was run.
# ``network`` only names sizes, all of which the scales give.
CIRCUMSTANCES = (
    "callbacks",
    "device",
    "network",
    "random_state",
    "verbose",
    "warm_start",
)
# What has no effect on heads alone.
OF_FINE_TUNING = (
    "augmentation",
    "confidence_threshold",
    "fine_tune_lr",
    "fine_tune_max_epochs",
    "heads_first",
    "n_rounds",
    "precision",
    "self_label",
    "self_label_lr",
    "self_label_max_epochs",
)


def describe(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return an estimator's parameters in a form that JSON keeps as it is."""
    return {
        name: to_json(value)
        for name, value in sorted(parameters.items())
        if name not in CIRCUMSTANCES
    }


def to_json(value: Any) -> Any:
    """Return numbers, text, lists and dicts; anything else by its name."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return getattr(value, "__qualname__", type(value).__qualname__)


def identity(record: dict[str, Any]) -> str:
    """Return the text that two records share iff they are of the same run."""
    return json.dumps({key: record[key] for key in IDENTITY}, sort_keys=True)


def append(folder: Path, record: dict[str, Any]) -> None:
    """Add a record to its data set's file."""
    folder.mkdir(parents=True, exist_ok=True)
    append_line(folder / f"{record['dataset']}.jsonl", record)


def append_line(path: Path, record: dict[str, Any]) -> None:
    """Add a record to a file, in one write of a whole line.

    A line that an interrupted write left torn is closed first, so that it spoils
    nothing but itself.
    """
    line = json.dumps(record, sort_keys=True).encode() + b"\n"
    with open(path, "ab+") as file:
        if not ends_line(file):
            line = b"\n" + line
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def ends_line(file: Any) -> bool:
    """Tell whether a binary file is empty or ends with a newline."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")


def read(path: Path) -> list[dict[str, Any]]:
    """Return the records of a file, with today's names and values."""
    return [complete(record) for record in read_lines(path)]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file, without torn ones, of which it warns."""
    if not path.exists():
        return []
    records = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            warnings.warn(
                f"{path.name}, line {number}, is torn and left out: run it again.",
                stacklevel=2,
            )
    return records


def complete(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record of earlier code with the names and the values of today's."""
    parameters = record["parameters"]
    if "fine_tune" in parameters.get("clusterer", {}):
        parameters["clusterer"] = drop_idle(complete_scan(parameters["clusterer"]))
    if "normalize" in parameters.get("embedder", {}):
        parameters["embedder"] = drop_implied(parameters["embedder"])
    if "consistency" in parameters.get("embedder", {}):  # IRL-INR, once always with 2
        parameters["embedder"].setdefault("n_copies", 2)
    for part in ("embedder", "features", "scattering"):
        if "background" in parameters.get(part, {}):  # nothing was smoothed
            parameters[part].setdefault("smoothing", smoothing_of(parameters[part]))
            parameters[part].setdefault("object", "all")
            parameters[part].setdefault("stretch", "auto")
    for part in ("features", "scattering"):
        if "n_scales" in parameters.get(part, {}):  # scattering, once without copies
            parameters[part].setdefault("n_turns", 0)
    return record


def smoothing_of(embedder: dict[str, Any]) -> Any:
    """Return what says of an embedder from before it had the word: no smoothing."""
    recipe = {k: v for k, v in PAPER_RECIPE.items() if k != "smoothing"}
    is_paper = recipe.items() <= embedder.items()
    return PAPER_RECIPE["smoothing"] if is_paper else "auto"


def complete_scan(scan: dict[str, Any]) -> dict[str, Any]:
    """Give SCAN's parameters today's names, and values to those that were none yet.

    ``lr`` and ``max_epochs`` once were of fine-tuning; before the heads had their own,
    they learned at 30 times ``lr``, alone for ``max_epochs``. ``heads_first`` is kept
    where it was False, as it cannot be now.
    """
    if is_current(scan):
        return scan
    scan = dict(scan)
    if "head_lr" not in scan and "lr" in scan:
        scan["head_lr"] = 30 * scan["lr"]
        scan["head_max_epochs"] = 100 if scan["fine_tune"] else scan["max_epochs"]
        scan["heads_first"] = False
    if scan.pop("heads_first", True) is False:
        scan["heads_first"] = False
    for name in ("lr", "max_epochs"):
        if name in scan and f"head_{name}" in scan:
            scan[f"fine_tune_{name}"] = scan.pop(name)
        if f"head_{name}" in scan:
            scan[name] = scan.pop(f"head_{name}")
    scan.setdefault("n_rounds", 1)
    return scan


def is_current(scan: dict[str, Any]) -> bool:
    """Tell whether SCAN's parameters have today's names."""
    if "head_lr" in scan or "head_max_epochs" in scan:
        return False
    # Heads alone have none of fine-tuning's, which once were written all the same.
    return "fine_tune_lr" in scan or not (scan["fine_tune"] or "augmentation" in scan)


def drop_implied(embedder: dict[str, Any]) -> dict[str, Any]:
    """Drop ``normalize``, once a parameter, where the consistency implies its value."""
    implied = embedder.get("consistency") not in ("cosine", "mse")
    if embedder["normalize"] != implied:
        return embedder
    return {name: value for name, value in embedder.items() if name != "normalize"}


def drop_idle(scan: dict[str, Any]) -> dict[str, Any]:
    """Return SCAN's parameters without those of fine-tuning if there is none."""
    if scan["fine_tune"]:
        return scan
    return {name: value for name, value in scan.items() if name not in OF_FINE_TUNING}


def read_all(folder: Path) -> list[dict[str, Any]]:
    """Return the records of all data sets, the newest of each identity."""
    paths = sorted(folder.glob("*.jsonl"))
    return newest(record for path in paths for record in read(path))


def newest(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last record of each identity by date, sorted by identity."""
    kept: dict[str, dict[str, Any]] = {}
    for record in sorted(records, key=lambda record: str(record["date"])):
        kept[identity(record)] = record
    return [kept[key] for key in sorted(kept)]
