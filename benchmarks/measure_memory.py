"""How much anonymous memory grows while images of a memmap are transformed.

Usage: python -m benchmarks.measure_memory [--images 100000] [--side 147]

The images, 100,000 of 147 x 147 bytes by default (2 GiB), lie in a temporary file. What
counts is RssAnon, the memory that no file backs, beside the output: at its highest
during ``transform`` less what it was before. Linux only.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from invariant_cluster import IRLINREmbedder
from invariant_cluster.datasets import make_oriented

MIB = 2**20
_TRAINING_IMAGES = 64
_WRITTEN_AT_ONCE = 1000


def read_rss_anon() -> int:
    """Return this process's anonymous resident memory in bytes."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    assert found is not None
    return int(found.group(1)) * 1024


class PeakSampler:
    """Reads RssAnon all the time in a thread; ``peak`` is the highest so far."""

    def __init__(self, seconds: float = 0.005) -> None:
        self.seconds = seconds
        self.peak = read_rss_anon()
        self._stop = threading.Event()

    def run(self) -> None:
        while not self._stop.wait(self.seconds):
            self.peak = max(self.peak, read_rss_anon())

    @contextmanager
    def running(self) -> Iterator[PeakSampler]:
        thread = threading.Thread(target=self.run, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()


def measure_growth(function: Callable[[], np.ndarray]) -> int:
    """Return by how many bytes RssAnon grew while it ran, beside its result."""
    _give_back_free_memory()
    before = read_rss_anon()
    with PeakSampler().running() as sampler:
        result = function()
    return sampler.peak - before - result.nbytes


def _give_back_free_memory() -> None:
    """Return to the system what is free: its reuse would not show as growth."""
    gc.collect()
    with suppress(AttributeError, OSError):  # glibc alone has it
        ctypes.CDLL(None).malloc_trim(0)


def write_images(path: Path, n_images: int, side: int) -> np.memmap:
    """Write discs off centre, each turned and shifted, and return them as a memmap."""
    images = np.memmap(path, np.uint8, "w+", shape=(n_images, side, side))
    some = _make_images(min(n_images, _WRITTEN_AT_ONCE), side)
    for start in range(0, n_images, len(some)):
        chunk = images[start : start + len(some)]
        chunk[:] = some[: len(chunk)]
    images.flush()
    del images
    return np.memmap(path, np.uint8, "r", shape=(n_images, side, side))


def _make_images(n_images: int, side: int) -> np.ndarray:
    row, column = np.indices((side, side)) / side
    disc = np.hypot(row - 0.4, column - 0.6) < 0.2
    disc |= np.hypot(row - 0.6, column - 0.35) < 0.1
    disc = (255 * disc).astype(np.uint8)
    copies = np.repeat(disc[None], n_images, axis=0)
    return make_oriented(copies, translation_std=0.02, return_pose=False)


def train_small(images: np.ndarray) -> IRLINREmbedder:
    """Return an embedder of d = 4 and encoder width 4, trained on a few images."""
    embedder = IRLINREmbedder(
        d=4,
        encoder_width=4,
        n_frequencies=8,
        inr_hidden=(8,),
        hypernetwork_hidden=(8,),
        n_pixels=64,
        max_epochs=1,
        batch_size=16,
        device="cpu",
        random_state=0,
    )
    return embedder.fit(images[:_TRAINING_IMAGES])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--side", type=int, default=147)
    parser.add_argument("--limit-mib", type=float, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "images.u8")
        images = write_images(path, options.images, options.side)
        embedder = train_small(images)
        start = time.perf_counter()
        growth = measure_growth(lambda: embedder.transform(images)) / MIB
        seconds = time.perf_counter() - start
    print(f"{options.images:,} images, {images.nbytes / 2**30:.2f} GiB of uint8")
    print(f"transformed in {seconds:.0f} s")
    print(f"RssAnon grew by {growth:.0f} MiB; the limit is {options.limit_mib:g} MiB")
    return int(growth >= options.limit_mib)


if __name__ == "__main__":
    raise SystemExit(main())
