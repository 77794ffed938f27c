"""Load pickles where there is no GPU and compare what the models give there."""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import torch

from benchmarks.gpu.models import compute, set_device


def compare_all(folder: Path) -> dict[str, float | str]:
    """Return for each pickle the largest relative difference, or an error's text."""
    gaps: dict[str, float | str] = {}
    for path in sorted(folder.glob("*.pickle")):
        try:
            gaps[path.stem] = compare_one(path)
        except Exception as error:  # the next one may load
            gaps[path.stem] = f"{type(error).__name__}: {error}"
    return gaps


def compare_one(path: Path) -> float:
    """Return how far a model is from what it gave on its device."""
    from benchmarks.gpu.smoke import assert_on_cpu, difference

    with np.load(path.with_suffix(".npz")) as stored:
        images, output = stored["images"], stored["output"]
    model = set_device(pickle.loads(path.read_bytes()), "cpu")
    assert_on_cpu(model)
    return difference(output, compute(model, images))


def main(folder: str) -> None:
    if torch.cuda.is_available():
        sys.exit("benchmarks.gpu.on_cpu: this process sees a GPU.")
    print(json.dumps(compare_all(Path(folder))))
