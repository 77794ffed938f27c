"""What is measured of training steps: each probe watches some steps of a real fit."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from statistics import median
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.step_regions import BETWEEN, Regions, following, is_capturing

_LAUNCHES = ("cudaLaunchKernel", "cudaLaunchKernelExC", "cuLaunchKernel")
_GRAPHS = ("cudaGraphLaunch",)
_WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")
_READS = ("aten::_local_scalar_dense", "aten::item", "aten::nonzero")
_COPIES = ("Memcpy DtoH", "Memcpy HtoD")


class Probe:
    """Watches some steps; ``found`` holds what it saw of them.

    Parameters
    ----------
    n_steps : int
        The most steps.
    most_seconds : float
        After which it watches no further step.

    Attributes
    ----------
    follows_parts : bool
        Whether the steps must run as they are, not as one recorded graph.
    """

    follows_parts = False

    def __init__(self, n_steps: int, most_seconds: float = math.inf) -> None:
        self.n_steps = n_steps
        self.most_seconds = most_seconds
        self.found: dict[str, Any] = {}

    def watching(self, net: Any, regions: Regions) -> Any:
        """Return the context that is open while the steps run."""
        raise NotImplementedError

    def on_step(self) -> None:
        """Take note of the end of a step, before the context closes."""

    def conclude(self, n_done: int) -> None:
        """Set ``found`` when ``n_done`` steps are over."""


class Throughput(Probe):
    """Seconds a step, without any hook."""

    def __init__(
        self, n_steps: int, device: torch.device, most_seconds: float = math.inf
    ) -> None:
        super().__init__(n_steps, most_seconds)
        self.device = device

    @contextmanager
    def watching(self, net: Any, regions: Regions) -> Iterator[None]:
        aligner = getattr(net.module_.encoder, "aligner", None)
        self.seen = {"seen_shape": list(aligner.seen_shape)} if aligner else {}
        wait(self.device)
        start = time.perf_counter(), time.process_time()
        yield
        wait(self.device)
        self.wall = time.perf_counter() - start[0]
        self.processor = time.process_time() - start[1]

    def conclude(self, n_done: int) -> None:
        self.found = {
            "steps": n_done,
            "seconds_a_step": self.wall / n_done,
            "processor_seconds_a_step": self.processor / n_done,
            **self.seen,
        }


class LaunchedThroughput(Throughput):
    """Seconds a step whose kernels are launched one by one."""

    follows_parts = True

    def conclude(self, n_done: int) -> None:
        self.found = {"launched_seconds_a_step": self.wall / n_done}


class PartTimes(Probe):
    """Seconds of each part, by the device's clock or, on one thread, processor time."""

    follows_parts = True

    def __init__(self, n_steps: int, device: torch.device) -> None:
        super().__init__(n_steps)
        self.clock = make_clock(device)
        self.marks: list[tuple[str, Any]] = []
        self.ends: list[int] = []

    def mark(self, name: str) -> None:
        if not is_capturing():
            self.marks.append((name, self.clock.now()))

    @contextmanager
    def watching(self, net: Any, regions: Regions) -> Iterator[None]:
        self.mark(BETWEEN)
        self.ends = [0]
        with following(net, regions), told(regions, self.mark):
            yield

    def on_step(self) -> None:
        self.mark(BETWEEN)
        self.ends.append(len(self.marks) - 1)

    def conclude(self, n_done: int) -> None:
        names = [name for name, _ in self.marks]
        lengths = self.clock.lengths([moment for _, moment in self.marks])
        parts: Counter[str] = Counter()
        for name, length in zip(names, lengths, strict=False):  # none after the last
            parts[name] += length
        steps = [sum(lengths[first:last]) for first, last in pairwise(self.ends)]
        self.found = {
            "median_step": median(steps),
            "parts": {name: seconds / n_done for name, seconds in parts.items()},
        }


class Operations(Probe, TorchDispatchMode):
    """Operations of each part that compute something: views of tensors are not."""

    follows_parts = True

    def __init__(self, n_steps: int = 1) -> None:
        Probe.__init__(self, n_steps)
        TorchDispatchMode.__init__(self)
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if not getattr(func, "is_view", False):  # operators of compiled code have none
            self.counts[self.regions.present] += 1
        return func(*args, **(kwargs or {}))

    @contextmanager
    def watching(self, net: Any, regions: Regions) -> Iterator[None]:
        self.regions = regions
        with following(net, regions), self:
            yield

    def conclude(self, n_done: int) -> None:
        self.found = {
            "operations": {name: n / n_done for name, n in self.counts.items()}
        }


class Flops(Probe):
    """Floating-point operations of each part, of matrix products and convolutions."""

    follows_parts = True

    def __init__(self, n_steps: int = 1) -> None:
        super().__init__(n_steps)
        self.counts: Counter[str] = Counter()

    @contextmanager
    def watching(self, net: Any, regions: Regions) -> Iterator[None]:
        counter = FlopCounterMode(display=False)
        self.part, self.n_seen = BETWEEN, 0

        def settle(name: str) -> None:
            total = counter.get_total_flops()
            self.counts[self.part] += total - self.n_seen
            self.part, self.n_seen = name, total

        with following(net, regions), told(regions, settle), counter:
            yield
        settle(BETWEEN)

    def conclude(self, n_done: int) -> None:
        self.found = {
            "flops": {name: n / n_done for name, n in self.counts.items() if n}
        }


class Trace(Probe):
    """Kernels, waits of the processor for the device, and copies, by the profiler."""

    def __init__(self, n_steps: int, device: torch.device) -> None:
        super().__init__(n_steps)
        self.device = device

    @contextmanager
    def watching(self, net: Any, regions: Regions) -> Iterator[None]:
        activities = [torch.profiler.ProfilerActivity.CPU]
        if self.device.type == "cuda":
            activities.append(torch.profiler.ProfilerActivity.CUDA)
        wait(self.device)
        with torch.profiler.profile(activities=activities) as self.profiler:
            yield

    def conclude(self, n_done: int) -> None:
        counts = Counter(
            {row.key: row.count for row in self.profiler.key_averages()},
        )
        self.found = {"trace": summarize(counts, n_done)}


def summarize(counts: Counter[str], n_steps: int) -> dict[str, float]:
    """Return what the profiler counted, a step."""

    def count(*starts: str) -> float:
        return sum(n for key, n in counts.items() if key.startswith(starts)) / n_steps

    return {
        "kernel_launches": count(*_LAUNCHES),
        "graph_launches": count(*_GRAPHS),
        **{name: count(name) for name in (*_WAITS, *_READS, *_COPIES)},
    }


@contextmanager
def told(regions: Regions, watch: Callable[[str], None]) -> Iterator[None]:
    """Tell a function of each change of the part inside the block."""
    regions.watch = watch
    try:
        yield
    finally:
        regions.watch = None


def wait(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class ProcessorClock:
    """Processor time on one thread; with more, threads that wait would count too."""

    def now(self) -> float:
        if torch.get_num_threads() == 1:
            return time.process_time()
        return time.perf_counter()

    def lengths(self, moments: list[float]) -> list[float]:
        """Return the seconds between moments."""
        return [end - start for start, end in pairwise(moments)]


class DeviceClock:
    """Events in the stream of a GPU, which does not wait for them."""

    def now(self) -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def lengths(self, moments: list[torch.cuda.Event]) -> list[float]:
        """Return the seconds between events; waits for the last one."""
        if moments:
            moments[-1].synchronize()
        return [start.elapsed_time(end) / 1e3 for start, end in pairwise(moments)]


def make_clock(device: torch.device) -> Any:
    """Return the clock of a device."""
    return DeviceClock() if device.type == "cuda" else ProcessorClock()
