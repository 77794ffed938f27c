"""Whether the standard deviation of theta is that of the errors.

Usage: python -m benchmarks.pose_std --data DIR [--datasets mnist-u wm811k ...]
                                     [--snr inf 1 0.3] [--out FILE]

Test images are turned by known random angles. With ``--snr``, white noise is added
before and after, another one each time; the ratio is that of variances. The error is
the change of theta less the turn. Each row: all images whose theta has a standard
deviation both times, in six parts by what the two predict together, each as
predicted / true circular standard deviation in degrees; how many images are NaN; and
the share of images whose theta is off by more than 90 degrees, of those with a
direction and of those without. Poses are those of the rule (``learned=False``), of
images of the scale "quick", and for "cryo" those of class averages too. No label is
used.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.data import load_split
from benchmarks.machine import cpu_model
from benchmarks.scales import DATASETS, get_settings
from invariant_cluster import ClassAverageEmbedder, IRLINREmbedder
from invariant_cluster.drift import one_warning
from invariant_cluster.inspection import turn_images

N_TRAIN, N_PARTS = 400, 6
NAMES = [name for name in DATASETS if name not in ("mnist-u-no9", "galaxy-zoo-5")]
RULE, AVERAGES = "principal_axis", "class averages"


def main(arguments: list[str] | None = None) -> None:
    options = make_parser().parse_args(arguments)
    torch.set_num_threads(1)
    print(f"{cpu_model()}, scale {options.scale}, {options.n_test} images", flush=True)
    with one_warning(silent=True):
        for row in measure(options):
            print(show(row), flush=True)
            if options.out:
                with options.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder with the data sets")
    parser.add_argument("--datasets", nargs="+", default=NAMES, choices=NAMES)
    parser.add_argument("--snr", nargs="+", type=float, default=[np.inf, 1.0, 0.3])
    parser.add_argument("--scale", default="quick")
    parser.add_argument("--n-test", type=int, default=600)
    parser.add_argument("--out", type=Path, help="JSON lines to append to")
    return parser


def measure(options: Any) -> Iterator[dict[str, Any]]:
    """Yield a row for each data set, ratio and source of poses."""
    for dataset in options.datasets:
        settings = get_settings(dataset, options.scale)
        split = load_split(dataset, settings, options.data)
        train, test = split.train[:N_TRAIN], split.test[: options.n_test]
        for snr in options.snr:
            for source in (RULE, AVERAGES) if dataset == "cryo" else (RULE,):
                start = time.process_time()
                row = measure_one(make_embedder(source), train, test, snr)
                seconds = round(time.process_time() - start, 1)
                yield (
                    {"dataset": dataset, "snr": snr, "of": source}
                    | row
                    | {"seconds": seconds}
                )


def make_embedder(source: str) -> Any:
    """Return an embedder whose poses need no training beyond seconds."""
    if source == AVERAGES:
        return ClassAverageEmbedder(5, n_starts=4, random_state=0)
    tiny = {"d": 4, "encoder_width": 2, "n_frequencies": 4, "max_epochs": 1}
    hidden = {"inr_hidden": (4,), "hypernetwork_hidden": (4,)}
    return IRLINREmbedder(
        **tiny, **hidden, symmetry_breaking=RULE, batch_size=64, random_state=0
    )


def measure_one(
    embedder: Any, train: NDArray, test: NDArray, snr: float
) -> dict[str, Any]:
    """Return how predicted and true spreads compare."""
    random = np.random.default_rng(0)
    sd = float(np.sqrt(test.var(axis=(1, 2)).mean() / snr))

    def noisy(images: NDArray) -> NDArray:
        images = images.astype(np.float32)
        return images + random.normal(0, sd, images.shape).astype(np.float32)

    embedder.fit(noisy(train))
    alpha = random.uniform(0, 2 * np.pi, len(test))
    turned = turn_images(embedder, test.astype(np.float32), alpha)
    before, after = (
        embedder.predict_pose(noisy(images), learned=False, return_std=True)
        for images in (test, turned)
    )
    error = np.angle(np.exp(1j * (after[0] - before[0] - alpha)))
    return compare(error, before[2], after[2])


def compare(error: NDArray, std: NDArray, std_after: NDArray) -> dict[str, Any]:
    """Return spreads by parts, the share of NaN, and the shares that are far off."""
    known = ~np.isnan(std + std_after)
    total = np.hypot(std, std_after)
    order = np.flatnonzero(known)[np.argsort(total[known])]
    parts = [part for part in np.array_split(order, N_PARTS) if len(part)]
    far = np.abs(error) > np.pi / 2
    return {
        "n": len(error),
        "predicted": [spread(np.exp(-(total[part] ** 2) / 2)) for part in parts],
        "true": [spread(np.exp(1j * error[part])) for part in parts],
        "nan": float(np.isnan(std).mean()),
        "far_of_known": float(far[known].mean()) if known.any() else None,
        "far_of_nan": float(far[~known].mean()) if (~known).any() else None,
    }


def spread(of: NDArray) -> float:
    """Return ``sqrt(-2 ln |mean|)`` in degrees."""
    length = float(np.clip(np.abs(of.mean()), 1e-9, 1))
    return round(float(np.rad2deg(np.sqrt(-2 * np.log(length)))), 1)


def show(row: dict[str, Any]) -> str:
    pairs = zip(row["predicted"], row["true"], strict=True)
    parts = "  ".join(f"{predicted:g}/{true:g}" for predicted, true in pairs)
    known, unknown = (
        "-" if row[key] is None else f"{row[key]:.1%}"
        for key in ("far_of_known", "far_of_nan")
    )
    return (
        f"{row['dataset']:12} SNR {row['snr']:<4g} {row['of']:15} {parts}  "
        f"NaN {row['nan']:.1%}  off: {known} of known, {unknown} of NaN"
    )


if __name__ == "__main__":
    main()
