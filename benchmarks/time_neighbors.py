"""Time the search for neighbours against faiss on this machine.

    python -m benchmarks.time_neighbors [--repeat 5] [--rows 1000000] [--threads 2]

Exact search and faiss's flat index take turns in one process, on one thread, on the
same rows. The command prints the medians of the processor time and of the ratios. Then
it mines the neighbours of ``--rows`` clustered rows in 32 dimensions with
``method="approximate"`` on ``--threads`` threads, and prints the time and the recall
measured; ``--rows 0`` leaves that out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.machine import cpu_model
from invariant_cluster.neighbors import mine_neighbors, mine_with_recall

SHAPES = ((10_000, 32), (30_000, 512))
N_NEIGHBORS = 20


def search_flat(rows: NDArray[np.float32]) -> NDArray:
    """Return what faiss finds nearest to each row, the row itself included."""
    unit = rows - rows.mean(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(unit)
    found: NDArray = index.search(unit, N_NEIGHBORS + 1)[1]
    return found


def mine_exactly(rows: NDArray[np.float32]) -> NDArray:
    return mine_neighbors(rows, N_NEIGHBORS, method="exact")


def time_call(search: Callable[[NDArray], NDArray], rows: NDArray) -> float:
    """Return the processor seconds of a search."""
    start = time.process_time()
    search(rows)
    return time.process_time() - start


def compare(n: int, d: int, repeat: int) -> str:
    """Return the times of both searches, and their ratio, in words."""
    rows = np.random.default_rng(0).standard_normal((n, d), dtype=np.float32)
    same = (search_flat(rows)[:, 1:] == mine_exactly(rows)).mean()
    ours, flat = [], []
    for _ in range(repeat):
        ours.append(time_call(mine_exactly, rows))
        flat.append(time_call(search_flat, rows))
    ratios = [a / b for a, b in zip(ours, flat, strict=True)]
    return (
        f"{n:,} x {d}: exact {median(ours):.2f} s, faiss flat {median(flat):.2f} s, "
        f"ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}); "
        f"{same:.2%} of the neighbours are the same"
    )


def clustered_rows(n: int, d: int = 32) -> NDArray[np.float32]:
    """Return rows (n, d) of 50 clusters, each of which varies in 8 directions."""
    random = np.random.default_rng(0)
    centers = random.standard_normal((50, d)) * 2
    directions = random.standard_normal((50, 8, d)) * 0.4
    cluster = random.integers(50, size=n)
    rows = random.normal(0, 0.3, (n, d)).astype(np.float32)
    for number in range(50):
        here = cluster == number
        along = random.standard_normal((here.sum(), 8)) @ directions[number]
        rows[here] += (centers[number] + along).astype(np.float32)
    return rows


def describe_large(n: int) -> str:
    """Return time and recall of approximate search of n rows in words."""
    rows = clustered_rows(n)
    wall, busy = time.perf_counter(), time.process_time()
    recall = mine_with_recall(rows, N_NEIGHBORS, method="approximate").recall
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    return (
        f"{n:,} x {rows.shape[1]}: approximate {wall:.0f} s ({busy:.0f} s of processor "
        f"time), recall {recall:.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.time_neighbors",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print(
        f"{cpu_model()}, torch {torch.__version__}, faiss {faiss.__version__}, k = 20"
    )
    torch.set_num_threads(1)
    with threadpool_limits(1):
        for shape in SHAPES:
            print(f"one thread, {compare(*shape, options.repeat)}", flush=True)
    torch.set_num_threads(options.threads)
    with threadpool_limits(options.threads):
        if options.rows:
            print(f"{options.threads} threads, {describe_large(options.rows)}")


if __name__ == "__main__":
    main()
