"""Time the reading of a folder of many small files, some of them damaged.

    python -m benchmarks.read_folder [--n 100000] [--damaged 1000] [--repeat 3]

The command writes grey PNG files of 32x32 and 48x48 pixels into a temporary folder and
reads them with one job and with ``--jobs`` in turns. It checks that one error counts
all damaged files, and that a second run with a cache decodes none. It prints one line
of JSON: the medians in seconds of wall time and of processor time (of all processes),
the ratio of the wall times, and the ratio that the processor times allow on as many
idle cores as there are jobs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.machine import describe_code, describe_machine
from invariant_cluster.datasets import load_image_folder

SIDES = (32, 48)


def make_folder(folder: Path, n: int, damaged: int) -> None:
    """Write n files, of which evenly spaced ones are cut off."""
    rng = np.random.default_rng(0)
    for number in range(n):
        side = SIDES[number % len(SIDES)]
        pixels = rng.integers(0, 256, (side, side), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:07d}.png")
    for number in np.linspace(0, n - 1, damaged, dtype=int):
        path = folder / f"{number:07d}.png"
        path.write_bytes(path.read_bytes()[:200])


def busy() -> float:
    """Return the processor seconds of this process and those that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def time_call(call: Callable[[], Any]) -> tuple[float, float]:
    """Return the wall seconds and processor seconds of a call."""
    wall, cpu = time.perf_counter(), busy()
    call()
    return time.perf_counter() - wall, busy() - cpu


def count_damaged(folder: Path, jobs: int) -> int:
    """Return the number of damaged files that the error tells."""
    try:
        load_image_folder(folder, n_jobs=jobs)
    except ValueError as error:
        return int(str(error).split(" of ")[0].replace(",", ""))
    return 0


def measure(folder: Path, cache: Path, jobs: int, repeat: int) -> dict[str, Any]:
    """Return the times of reading with one job, with several, and from a cache."""

    def load(**options: Any) -> Any:
        return load_image_folder(folder, on_error="skip", **options)

    load(n_jobs=jobs)  # the files are in the system's memory from here on
    runs = [
        [time_call(lambda n_jobs=n_jobs: load(n_jobs=n_jobs)) for n_jobs in (1, jobs)]
        for _ in range(repeat)
    ]
    first = time_call(lambda: load(n_jobs=jobs, cache=cache, verbose=1))
    second = time_call(lambda: load(n_jobs=jobs, cache=cache))
    return {
        "one_job": middle(one for one, _ in runs),
        "several_jobs": middle(several for _, several in runs),
        "faster": round(median(one[0] / several[0] for one, several in runs), 2),
        "faster_on_idle_cores": round(
            median(jobs * one[1] / several[1] for one, several in runs), 2
        ),
        "into_cache": middle([first]),
        "from_cache": middle([second]),
    }


def middle(times: Any) -> dict[str, float]:
    """Return the medians of wall and processor seconds."""
    wall, cpu = zip(*times, strict=True)
    return {"wall": round(median(wall), 2), "processor": round(median(cpu), 2)}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.read_folder",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--damaged", type=int, default=1_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "images"
        folder.mkdir()
        make_folder(folder, options.n, options.damaged)
        told = count_damaged(folder, options.jobs)
        if told != options.damaged:
            sys.exit(f"{told} of {options.damaged} damaged files were told")
        found = measure(folder, Path(place) / "cache", options.jobs, options.repeat)
    record = {**vars(options), **found, "code": describe_code()}
    print(json.dumps({**record, "machine": describe_machine(torch.device("cpu"))}))


if __name__ == "__main__":
    main()
