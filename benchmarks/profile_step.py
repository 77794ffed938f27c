"""Tell where the time of a training step goes on this machine's CPU.

    python -m benchmarks.profile_step [--network light] [--side 32] [--steps 20]

For a step of the embedding and for one of SCAN's fine-tuning the command prints the
time, the FLOPs of the matrix products and convolutions, the time that these alone would
take at the float32 rate of the largest product measured here, and the ratio of the two;
then, for each part of the step, its share of the time, its FLOPs and the operations
that it launches (views of tensors not counted). The steps are those of a real ``fit``
on images of noise, of which nothing is cropped. On one thread, times are processor
time. Compare two versions of the code by turns on the same machine.
"""

import argparse
from collections.abc import Iterator
from typing import Any

import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.machine import cpu_model
from benchmarks.peaks import measure_peak
from benchmarks.scales import EMBEDDER
from benchmarks.step_probes import Flops, Operations, PartTimes, Probe
from benchmarks.step_regions import OPTIMISER, PARTS
from benchmarks.step_runs import gather, make_noise, watch_embedding, watch_tuning
from invariant_cluster import IRLINREmbedder, SCANClusterer

NETWORKS: dict[str, dict[str, Any]] = {
    "light": {"network": "light"},
    "small": EMBEDDER["small"],
    "paper": EMBEDDER["paper"],
}
_BATCHES = 4  # of different images
_N_CLUSTERS = 10


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.profile_step",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--network", choices=NETWORKS, default="light")
    add("--side", type=int, default=32, help="pixels")
    add("--batch", type=int, default=128, help="images in a step")
    add("--steps", type=int, default=20, help="that are timed")
    add("--threads", type=int, default=1)
    add("--precision", default="float32", help="float32, bfloat16 or auto")
    add("--stages", nargs="+", choices=STAGES, default=[*STAGES])
    return parser


def make_embedder(options: argparse.Namespace) -> IRLINREmbedder:
    """Return the embedder whose steps are watched."""
    return IRLINREmbedder(**NETWORKS[options.network]).set_params(
        align=True,  # which "auto" does not for noise
        batch_size=options.batch,
        device="cpu",
        precision=options.precision,
        random_state=0,
    )


def make_probes(n_steps: int) -> list[Probe]:
    return [PartTimes(n_steps, torch.device("cpu")), Operations(), Flops()]


def profile_embedding(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the probes found in steps of the embedding."""
    images = make_noise(options.side, _BATCHES * options.batch)
    probes = make_probes(options.steps)
    watch_embedding(make_embedder(options), images, probes)
    return gather(probes)


def profile_tuning(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the probes found in steps of SCAN's fine-tuning."""
    images = make_noise(options.side, _BATCHES * options.batch)
    clusterer = SCANClusterer(
        _N_CLUSTERS,
        batch_size=options.batch,
        device="cpu",
        precision=options.precision,
        random_state=0,
    )
    probes = make_probes(options.steps)
    watch_tuning(clusterer, make_embedder(options), images, probes)
    return gather(probes)


STAGES = {"embedding": profile_embedding, "fine-tuning": profile_tuning}


def describe(
    stage: str, found: dict[str, Any], n_images: int, peak: float
) -> Iterator[str]:
    """Yield the lines about a stage."""
    seconds = found["median_step"]
    flops, operations = found["flops"], found["operations"]
    ideal = sum(flops.values()) / peak
    yield (
        f"{stage} step: {1e3 * seconds:.1f} ms, {n_images / seconds:.0f} images/s, "
        f"{sum(flops.values()) / 1e9:.2f} GFLOP, {seconds / ideal:.2f} times the "
        f"{1e3 * ideal:.1f} ms of its matrix products, "
        f"{count_operations(operations):.0f} operations and "
        f"{operations.get(OPTIMISER, 0):.0f} of the optimiser"
    )
    yield f"  {'part':<18}{'share':>7}{'ms':>9}{'GFLOP':>9}{'operations':>12}"
    total = sum(found["parts"].values())
    for part in PARTS:
        if part in found["parts"]:
            took = found["parts"][part]
            yield (
                f"  {part:<18}{took / total:>7.1%}{1e3 * took:>9.2f}"
                f"{flops.get(part, 0) / 1e9:>9.3f}{operations.get(part, 0):>12.0f}"
            )


def count_operations(operations: dict[str, float]) -> float:
    """Return how many operations forward pass, losses and backward pass launch."""
    return sum(operations.values()) - operations.get(OPTIMISER, 0)


def main(arguments: list[str] | None = None) -> None:
    options = make_parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    with threadpool_limits(options.threads):
        peak = measure_peak(torch.device("cpu"))
        print(
            f"{cpu_model()}, torch {torch.__version__}, {options.threads} thread(s), "
            f"largest float32 product {peak / 1e9:.1f} GFLOP/s"
        )
        print(
            f"network {options.network}, {options.side} x {options.side}, batches of "
            f"{options.batch}, {options.precision}, median of {options.steps} steps"
        )
        for stage in options.stages:
            found = STAGES[stage](options)
            print("\n".join(describe(stage, found, options.batch, peak)), flush=True)


if __name__ == "__main__":
    main()
