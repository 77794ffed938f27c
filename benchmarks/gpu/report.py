"""The end's table: what was checked, how fast a step is, how good the clusters are."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.gpu import smoke, speed, train
from benchmarks.gpu.log import FAILED, OK, SKIPPED, Log
from benchmarks.step_regions import PARTS

_FACTS = {
    "images_a_second": "images a second",
    "steps": "steps timed",
    "batch": "images a step",
    "seen_side": "side seen, pixels",
    "tflop_a_step": "TFLOP a step",
    "share_of_stated_bfloat16": "share of the stated bfloat16 peak",
    "share_of_measured_bfloat16": "share of the measured bfloat16 peak",
    "share_of_measured_float32": "share of the measured float32 peak",
    "operations_a_step": "operations a step",
    "synchronisations_a_step": "synchronisations a step",
}
_TRACED = {
    "kernel_launches": "kernel launches a step",
    "graph_launches": "graph launches a step",
    "Memcpy DtoH": "copies from the device a step",
}


def write_summary(log: Log, path: Path) -> str:
    """Write the summary as Markdown and return it."""
    text = "\n".join(summarize(log)) + "\n"
    path.write_text(text)
    return text


def summarize(log: Log) -> Iterator[str]:
    """Yield the lines of the summary."""
    run = log.get("run", "start") or {}
    machine = run.get("machine", {})
    yield f"# {machine.get('gpu') or machine.get('cpu')}, scale {run.get('scale')}"
    yield ""
    yield f"torch {machine.get('torch')}, images: {run.get('images')}"
    yield from count_checks(log)
    yield from list_profile(log)
    yield from list_training(log)


def count_checks(log: Log) -> Iterator[str]:
    """Yield how the checks of each stage ended, and those that did not end well."""
    yield from ("", "| stage | ok | error | skipped |", "|---|---|---|---|")
    for stage in (smoke.STAGE, speed.STAGE, train.STAGE):
        ends = Counter(
            record["status"] for (of, _), record in log.records.items() if of == stage
        )
        yield f"| {stage} | {ends[OK]} | {ends[FAILED]} | {ends[SKIPPED]} |"
    yield ""
    for (stage, check), record in log.records.items():
        if record["status"] == FAILED:
            yield f"- error: {stage}, {check}: {record['error'].splitlines()[-1]}"
    if log.count(SKIPPED):
        yield "- skipped for want of time: the same command goes on with them"


def list_profile(log: Log) -> Iterator[str]:
    """Yield the table of the steps' costs."""
    found = {name: log.get(speed.STAGE, name) for name in ("embedding", "fine-tuning")}
    columns = {name: facts for name, facts in found.items() if facts}
    if not columns:
        return
    yield from ("", f"| a step | {' | '.join(columns)} |", "|---" * 3 + "|")
    for key, title in _FACTS.items():
        yield from row(title, [facts.get(key) for facts in columns.values()])
    for key, title in _TRACED.items():
        traces = [facts.get("trace", {}) for facts in columns.values()]
        yield from row(title, [trace.get(key) for trace in traces])
    for part in PARTS:
        times = [facts.get("parts", {}).get(part) for facts in columns.values()]
        scaled = [None if took is None else 1e3 * took for took in times]
        yield from row(f"{part}, ms", scaled)


def row(title: str, values: list[Any]) -> Iterator[str]:
    """Yield a row of the table if there is anything to tell."""
    if any(value is not None for value in values):
        told = ["" if value is None else f"{value:.4g}" for value in values]
        yield f"| {title} | {' | '.join(told)} |"


def list_training(log: Log) -> Iterator[str]:
    """Yield what was measured in training, in the order of the lines."""
    records = [
        (check, record["facts"])
        for (stage, check), record in log.records.items()
        if stage == train.STAGE and record["status"] == OK
    ]
    if not records:
        return
    yield from ("", "| training | |", "|---|---|")
    for check, facts in records:
        told = [
            f"{name.replace('_', ' ')} {value:.4g}"
            for name, value in facts.items()
            if isinstance(value, int | float)
        ]
        yield f"| {check} | {', '.join(told)} |"
