"""Try the package on a GPU: all estimators, a profile, and a training to its end.

    python -m benchmarks.gpu --minutes 9 --out DIR [--device cuda] [--data DIR]

(a) Every estimator fits, computes, is stored and copied on the device, and gives what
it gives on the CPU; (b) 200 training steps are profiled; (c) embedder, heads and
fine-tuning are trained on MNIST(U), or without --data on images made in code, with as
many epochs as the time allows. Each check is a line in DIR/gpu.jsonl; the end's table
is in DIR/summary.md. The same command goes on where the last one stopped: what is done
is skipped, what failed is tried again. The exit status is 1 if a check failed. On a CPU
the scale is smoke.
"""

import argparse
import shutil
import sys
import time
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.data import Split, find_file, load_split
from benchmarks.gpu.images import make_split
from benchmarks.gpu.log import FAILED, SKIPPED, Log
from benchmarks.gpu.report import write_summary
from benchmarks.gpu.smoke import READING, run_rest, run_smoke
from benchmarks.gpu.speed import run_speed
from benchmarks.gpu.train import run_train
from benchmarks.machine import describe_code, describe_machine
from benchmarks.scales import SCALES, Settings, get_settings
from benchmarks.step_runs import make_noise
from invariant_cluster.runtime import resolve_device

DATASET = "mnist-u"
STAGES = ("smoke", "profile", "train")
# Each stage ends at this part of the minutes; the last leaves some for the end.
ENDS = {"smoke": 0.5, "profile": 0.65, "train": 0.95}
MADE = {"train": 10_000, "test": 2_000}  # images, where no data are given


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--minutes", type=float, default=9.0, help="that all stages may take")
    add("--out", type=Path, required=True, help="folder of the results")
    add("--device", default="cuda", help="cuda or cpu")
    add("--data", help="folder with mnist.npz; default: images made in code")
    add("--scale", choices=SCALES, help="default: paper, or smoke on a CPU")
    add("--stages", nargs="+", choices=STAGES, default=[*STAGES])
    add("--checkpoints", type=Path, help="default: a folder in --out")
    add("--commit", help="of the code, where it is not in a git repository")
    anew = parser.add_mutually_exclusive_group()
    anew.add_argument(
        "--resume", action="store_true", help="go on with --out, as is the default"
    )
    anew.add_argument("--force", action="store_true", help="do anew what is there")
    return parser


def main(arguments: list[str] | None = None) -> int:
    start = time.monotonic()
    options = make_parser().parse_args(arguments)
    try:
        resolve_device(options.device)
        if options.data:
            find_file(DATASET, options.data)
        bench = Bench(options, start)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"benchmarks.gpu: {error}")
    bench.run()
    print(write_summary(bench.log, options.out / "summary.md"))
    return int(bench.log.count(FAILED) > 0)


class Bench:
    """What the stages share.

    Parameters
    ----------
    options : Namespace
        Of ``make_parser``.
    start : float
        Moment, of ``time.monotonic``, from which the minutes count.
    """

    def __init__(self, options: argparse.Namespace, start: float) -> None:
        on_cpu = resolve_device(options.device).type == "cpu"
        self.options = options
        self.start = start
        self.scale = options.scale or ("smoke" if on_cpu else "paper")
        self.checkpoints = options.checkpoints or options.out / "checkpoints"
        if options.force:
            discard(options.out / "gpu.jsonl", self.checkpoints)
        self.log = Log(options.out / "gpu.jsonl")

    @property
    def settings(self) -> Settings:
        return get_settings(DATASET, self.scale)

    def end_of(self, stage: str) -> float:
        """Return the moment at which a stage is broken off."""
        return self.start + 60 * self.options.minutes * ENDS[stage]

    def run(self) -> None:
        """Run the stages that were asked for."""
        options, log = self.options, self.log
        log.add("run", "start", facts=self.describe())
        work = options.out / "work"
        if "smoke" in options.stages:
            run_smoke(log, options.device, work, self.end_of("smoke"))
        if "profile" in options.stages:
            end = self.end_of("profile")
            images = self.profiled
            run_speed(log, options.device, self.settings, images, end)
        if "train" in options.stages:
            end = self.end_of("train")
            run_train(
                log, options.device, self.settings, self.split, self.checkpoints, end
            )
        if "smoke" in options.stages:  # slow, and hardly of the device: what is left
            run_rest(log, options.device, work, self.end_of("train"))
        if log.ended("smoke", READING) != SKIPPED:
            shutil.rmtree(work, ignore_errors=True)

    @cached_property
    def split(self) -> Split:
        """The images; at most as many as the scale prescribes."""
        if self.options.data:
            return load_split(DATASET, self.settings, self.options.data)
        data = self.settings.data
        n_train, n_test = (data[f"n_{part}"] or MADE[part] for part in MADE)
        return make_split(n_train, n_test, data["side"])

    @property
    def profiled(self) -> np.ndarray:
        """The images of the profile: where no data are given, noise is not cropped."""
        if self.options.data:
            return self.split.train
        return make_noise(self.settings.data["side"], MADE["train"])

    def describe(self) -> dict[str, Any]:
        """Return on what and by which code the stages run."""
        device = resolve_device(self.options.device)
        return {
            "scale": self.scale,
            "images": "MNIST(U)" if self.options.data else "wedges made in code",
            "minutes": self.options.minutes,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": describe_machine(device),
            "cuda": torch.version.cuda,
            **describe_code(self.options.commit),
        }


def discard(log: Path, checkpoints: Path) -> None:
    """Delete what an earlier run left."""
    log.unlink(missing_ok=True)
    shutil.rmtree(checkpoints, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
