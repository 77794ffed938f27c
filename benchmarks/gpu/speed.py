"""Stage (b): what a training step costs on the device."""

import time
from typing import Any

import numpy as np
import torch

from benchmarks.gpu.log import Log, TimeUpError, describe_error
from benchmarks.machine import peak_memory
from benchmarks.peaks import known_peak, measure_peak
from benchmarks.scales import Settings
from benchmarks.step_probes import (
    Flops,
    LaunchedThroughput,
    Operations,
    PartTimes,
    Probe,
    Throughput,
    Trace,
)
from benchmarks.step_runs import (
    WatchSteps,
    gather,
    watch_embedding,
    watch_heads,
    watch_tuning,
)
from invariant_cluster import IRLINREmbedder, SCANClusterer
from invariant_cluster.runtime import resolve_device

STAGE = "profile"
N_STEPS = 200
ALIGNED = {"align": True}  # which "auto" does not for images of noise
_N_TRACED, _N_LAUNCHED, _N_PARTED = 3, 30, 20
N_CLUSTERS = 10
_EMBEDDING_BATCHES = 40  # of different images
_TUNING_BATCHES = 16
_HEAD_BATCHES = 40
# Each check's part of the time that is left when it begins.
_SHARES = {"peaks": 0.1, "heads": 0.15, "embedding": 0.5, "fine-tuning": 0.8}
_OF_THROUGHPUT = 0.3


def run_speed(
    log: Log, device: str, settings: Settings, images: np.ndarray, stop_at: float
) -> None:
    """Profile a step of the embedding, of fine-tuning and of the heads."""
    options = {"device": device, "random_state": 0}

    def run(check: str, work: Any) -> None:
        left = (stop_at - time.monotonic()) * _SHARES[check]
        log.run(STAGE, check, lambda: work(left), stop_at)

    run("peaks", lambda left: find_peaks(device))
    peaks = log.get(STAGE, "peaks") or {}
    run("heads", lambda left: profile_heads(settings, options, left))
    run(
        "embedding",
        lambda left: profile_embedding(settings, images, options, peaks, left),
    )
    run(
        "fine-tuning",
        lambda left: profile_tuning(settings, images, options, peaks, left),
    )


def find_peaks(device: str) -> dict[str, Any]:
    """Return the device's FLOP/s of matrix products, stated and measured."""
    resolved = resolve_device(device)
    on_gpu = resolved.type == "cuda"
    return {
        "stated_bfloat16": known_peak(torch.cuda.get_device_name(resolved))
        if on_gpu
        else None,
        "measured_bfloat16": measure_peak(resolved, torch.bfloat16) if on_gpu else None,
        "measured_float32": measure_peak(resolved),
    }


def profile_embedding(
    settings: Settings,
    images: np.ndarray,
    options: dict[str, Any],
    peaks: dict[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """Return what a step of the embedding costs."""
    embedder = IRLINREmbedder(**{**settings.embedder, **ALIGNED, **options})
    batch = embedder.batch_size
    rows = images[: _EMBEDDING_BATCHES * batch]

    def watch(probes: list[Probe], stop_at: float) -> WatchSteps:
        return watch_embedding(embedder, rows, probes, stop_at=stop_at)

    return profile(watch, options["device"], min(batch, len(rows)), peaks, seconds)


def profile_tuning(
    settings: Settings,
    images: np.ndarray,
    options: dict[str, Any],
    peaks: dict[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """Return what a step of SCAN's fine-tuning costs."""
    embedder = IRLINREmbedder(**{**settings.embedder, **ALIGNED, **options})
    clusterer = SCANClusterer(N_CLUSTERS, **{**settings.clusterer, **options})
    batch = clusterer.batch_size
    rows = images[: _TUNING_BATCHES * batch]

    def watch(probes: list[Probe], stop_at: float) -> WatchSteps:
        return watch_tuning(clusterer, embedder, rows, probes, stop_at=stop_at)

    return profile(watch, options["device"], min(batch, len(rows)), peaks, seconds)


def profile_heads(
    settings: Settings, options: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """Return what a step of SCAN's heads on z costs."""
    clusterer = SCANClusterer(N_CLUSTERS, **{**settings.clusterer, **options})
    shape = _HEAD_BATCHES * clusterer.batch_size, settings.embedder["d"]
    z = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    device = resolve_device(options["device"])
    probe = Throughput(N_STEPS, device, _OF_THROUGHPUT * seconds)
    watch_heads(clusterer, z, [probe])
    return probe.found


def profile(
    watch: Any, device: str, n_images: int, peaks: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """Return what the probes find, up to one that fails or has no time."""
    resolved = resolve_device(device)
    on_gpu = resolved.type == "cuda"
    probes = [
        Throughput(N_STEPS, resolved, _OF_THROUGHPUT * seconds),
        Trace(_N_TRACED, resolved),
        *([LaunchedThroughput(_N_LAUNCHED, resolved)] if on_gpu else []),
        PartTimes(_N_PARTED, resolved),
        Flops(),
        Operations(),
    ]
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    broken = {}
    try:
        watch(probes, time.monotonic() + seconds)
    except (Exception, TimeUpError) as error:
        if not probes[0].found:
            raise
        broken = {"broken_off_by": describe_error(error)}
    found = gather(probes)
    return found | derive(found, n_images, peaks, resolved.type) | broken


def derive(
    found: dict[str, Any], n_images: int, peaks: dict[str, Any], kind: str
) -> dict[str, Any]:
    """Return rates, totals and shares of the peaks, of what was found."""
    seconds = found["seconds_a_step"]
    derived: dict[str, Any] = {
        "batch": n_images,
        "seen_side": max(found["seen_shape"][1:]),
        "images_a_second": n_images / seconds,
        "peak_memory_mib": peak_memory(),
    }
    if "trace" in found:
        derived["synchronisations_a_step"] = count_waits(found["trace"], kind)
    if "operations" in found:
        derived["operations_a_step"] = sum(found["operations"].values())
    if "flops" in found:
        flops = sum(found["flops"].values())
        derived["tflop_a_step"] = flops / 1e12
        derived |= {
            f"share_of_{name}": flops / seconds / peak
            for name, peak in peaks.items()
            if peak
        }
    return derived


def count_waits(trace: dict[str, float], kind: str) -> float:
    """Return how often a step waits for the device, or would if it were a GPU."""
    on_gpu = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")
    names = on_gpu if kind == "cuda" else ("aten::_local_scalar_dense", "aten::nonzero")
    return sum(trace.get(name, 0) for name in names)
