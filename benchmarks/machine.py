"""What ran: the commit, the hardware and its memory; no names of hosts or people."""

import os
import platform
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from invariant_cluster.runtime import resolve_precision

ROOT = Path(__file__).parents[1]
CODE = ("invariant_cluster", "benchmarks", ":!benchmarks/results")


def describe_code(commit: str | None = None) -> dict[str, Any]:
    """Return the commit that ran and whether files of the code differ from it.

    ``commit`` names it where the code lies outside a git repository.
    """
    head = commit or git("rev-parse", "HEAD")
    changes = git("status", "--porcelain", "--", *CODE)
    return {"commit": head, "dirty": None if changes is None else bool(changes)}


def git(*arguments: str) -> str | None:
    """Return what a git command prints, None where it fails."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def describe_machine(device: torch.device) -> dict[str, Any]:
    """Return processor, GPU in use and versions."""
    on_gpu = device.type == "cuda"
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "auto_precision": automatic_precision(device),
        "gpu": torch.cuda.get_device_name(device) if on_gpu else None,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def automatic_precision(device: torch.device) -> str:
    """Return what ``precision="auto"`` means on the device."""
    dtype = resolve_precision("auto", str(device)) or torch.float32
    return str(dtype).removeprefix("torch.")


def cpu_model() -> str:
    """Return the processor's model, as Linux names it where it does."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.split(":", 1)[1] for line in lines if line.startswith("model name")]
    return models[0].strip() if models else platform.machine()


def peak_memory() -> dict[str, int | None]:
    """Return the peaks in MiB: of the process so far, and of torch on the GPU."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
    gpu = torch.cuda.max_memory_allocated() // 2**20
    return {"process": resident, "gpu": gpu if torch.cuda.is_available() else None}
