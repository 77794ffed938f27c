"""Make the bundled sample of wafer maps again, from wm811k.npz.

Usage: python benchmarks/make_wafer_sample.py path/to/wm811k.npz
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import invariant_cluster
from invariant_cluster.datasets import load_wm811k

OUTPUT = Path(invariant_cluster.__path__[0], "datasets", "data", "wafer_maps.npz")


def choose_cap(counts: np.ndarray, total: int) -> int:
    """Return the cap on the size of a class that brings the total nearest."""
    caps = np.arange(1, counts.max() + 1)
    totals = np.minimum(counts[:, None], caps).sum(axis=0)
    return int(caps[np.abs(totals - total).argmin()])


def distinct_rows(images: np.ndarray) -> np.ndarray:
    """Return the first row of each set of equal images, in order."""
    _, first = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)
    return np.sort(first)


def choose_rows(target: np.ndarray, cap: int, seed: int) -> np.ndarray:
    """Return at most cap random rows of each class, in random order."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(target))
    kept = [order[target[order] == label][:cap] for label in np.unique(target)]
    return rng.permutation(np.concatenate(kept))


def main() -> None:
    """Write the sample and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", help="wm811k.npz")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--total", type=int, default=1800)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    wafers = load_wm811k(args.archive, subset="train", size=32)
    distinct = distinct_rows(wafers.images)
    target = wafers.target[distinct]
    cap = choose_cap(np.bincount(target), args.total)
    rows = distinct[choose_rows(target, cap, args.seed)]
    np.savez_compressed(
        args.output,
        images=wafers.images[rows],
        labels=wafers.target[rows],
        class_names=wafers.target_names,
    )
    counts = np.bincount(wafers.target[rows])
    print(dict(zip(wafers.target_names.tolist(), counts.tolist(), strict=True)))
    print(f"{len(rows)} maps, at most {cap} a class: {args.output}")
    print(f"{args.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
