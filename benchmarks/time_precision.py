"""Time training in bfloat16 against training in float32 on this machine.

    python -m benchmarks.time_precision [--threads 1] [--repeat 5]

The two take turns in one process on the same images, so that both meet the same load.
For each network the command prints the processor time of a training step in each
precision and the median ratio of the pairs. Images are 32 x 32 pixels; the networks are
those of ``IRLINREmbedder.light()``, of scale ``small`` and of the paper.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

import numpy as np
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.machine import automatic_precision, cpu_model
from benchmarks.scales import EMBEDDER
from invariant_cluster import IRLINREmbedder

_BATCH = 128
NETWORKS: dict[str, tuple[IRLINREmbedder, int]] = {
    "light": (IRLINREmbedder.light(), 5),
    "small": (IRLINREmbedder(**EMBEDDER["small"]), 5),
    "paper": (IRLINREmbedder(), 1),
}


def time_step(embedder: IRLINREmbedder, images: np.ndarray, n_steps: int) -> float:
    """Return the processor seconds of a training step.

    The difference between a fit of two epochs and a fit of one leaves out what ``fit``
    does once.
    """
    seconds = []
    for n_epochs in (1, 2):
        embedder.set_params(max_epochs=n_epochs)
        start = time.process_time()
        embedder.fit(images)
        seconds.append(time.process_time() - start)
    return (seconds[1] - seconds[0]) / n_steps


def compare(embedder: IRLINREmbedder, n_steps: int, repeat: int) -> str:
    """Return both times and their ratio in words."""
    random = np.random.default_rng(0)
    images = random.integers(0, 255, (_BATCH * n_steps, 32, 32), np.uint8)
    # Noise alone would not be aligned.
    embedder.set_params(align=True, batch_size=_BATCH, device="cpu", random_state=0)
    times: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    for precision in times:  # the first fits choose kernels and fill caches
        embedder.set_params(precision=precision, max_epochs=1).fit(images)
    for _ in range(repeat):
        for precision, found in times.items():
            embedder.set_params(precision=precision)
            found.append(time_step(embedder, images, n_steps))
    ratios = [b / a for a, b in zip(times["float32"], times["bfloat16"], strict=True)]
    middle = {precision: 1e3 * median(found) for precision, found in times.items()}
    return (
        f"float32 {middle['float32']:.0f} ms, bfloat16 {middle['bfloat16']:.0f} ms, "
        f"ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.time_precision",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=[*NETWORKS])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    automatic = automatic_precision(torch.device("cpu"))
    print(
        f"{cpu_model()} (precision auto: {automatic}), torch {torch.__version__}, "
        f"{options.threads} thread(s), batches of {_BATCH}"
    )
    with threadpool_limits(options.threads):
        for name in options.networks:
            print(f"{name}: {compare(*NETWORKS[name], options.repeat)}", flush=True)


if __name__ == "__main__":
    main()
