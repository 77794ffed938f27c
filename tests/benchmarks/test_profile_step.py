"""What is told of a step is what the step does, and nothing of the watching stays."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from benchmarks import profile_step
from benchmarks.peaks import known_peak, measure_peak
from benchmarks.scales import EMBEDDER
from benchmarks.step_probes import (
    Flops,
    Operations,
    PartTimes,
    Throughput,
    Trace,
    make_clock,
    summarize,
)
from benchmarks.step_regions import (
    BACKWARD,
    BETWEEN,
    LOSSES,
    OPTIMISER,
    TRUNK_BACKWARD,
    Regions,
)
from benchmarks.step_runs import (
    gather,
    make_noise,
    watch_embedding,
    watch_heads,
    watch_tuning,
)
from invariant_cluster import IRLINREmbedder, SCANClusterer

CPU = torch.device("cpu")
SIZE = {"batch_size": 16, "device": "cpu", "precision": "float32", "random_state": 0}
IMAGES = make_noise(16, 32)


def make_embedder():
    return IRLINREmbedder(**EMBEDDER["smoke"] | SIZE, align=True)


def make_clusterer():
    return SCANClusterer(3, n_neighbors=3, **SIZE)


@pytest.fixture(scope="module")
def found():
    """What the probes find in steps of each stage."""

    first, second = ([PartTimes(3, CPU), Operations(), Flops()] for _ in range(2))
    watch_embedding(make_embedder(), IMAGES, first)
    watch_tuning(make_clusterer(), make_embedder(), IMAGES, second)
    return {"embedding": gather(first), "fine-tuning": gather(second)}


@pytest.mark.parametrize("stage", ["embedding", "fine-tuning"])
def test_each_part_is_seen(found, stage):
    parts = {"pose", "interpolation", "trunk", "heads", LOSSES}
    parts |= {BACKWARD, TRUNK_BACKWARD, OPTIMISER, BETWEEN}
    parts |= {"decoder"} if stage == "embedding" else set()
    for of in ("parts", "operations"):
        assert parts <= set(found[stage][of])
        assert all(found[stage][of][part] > 0 for part in parts)


@pytest.mark.parametrize("stage", ["embedding", "fine-tuning"])
def test_parts_do_not_overlap(found, stage):
    # The median is of steps whose mean the parts are.
    assert sum(found[stage]["parts"].values()) > 0.5 * found[stage]["median_step"]
    assert sum(found[stage]["parts"].values()) < 5 * found[stage]["median_step"]


def test_backward_of_trunk_takes_two_products_for_one(found):
    flops = found["embedding"]["flops"]
    assert 1.7 < flops[TRUNK_BACKWARD] / flops["trunk"] <= 2


def test_fine_tuning_takes_none_for_the_early_layers(found):
    embedding, tuning = (
        found[stage]["flops"][TRUNK_BACKWARD] / found[stage]["flops"]["trunk"]
        for stage in ("embedding", "fine-tuning")
    )
    assert 1.5 < tuning < embedding


def test_embedding_sees_three_views_where_tuning_sees_two(found):
    trunk = [found[stage]["flops"]["trunk"] for stage in ("embedding", "fine-tuning")]
    assert trunk[0] / trunk[1] == pytest.approx(3 / 2)


def test_operations_count_no_views():
    probe, regions = Operations(), Regions()
    probe.regions = regions
    regions.switch("a")
    with probe:
        (torch.ones(3) * 2).view(3, 1).T.add_(1)
    assert probe.counts == {"a": 3}  # ones, mul, add_


def test_nothing_stays_behind():
    embedder, functions = make_embedder(), (F.grid_sample, F.affine_grid)
    net = {}

    class Look(PartTimes):
        def watching(self, seen, regions):
            net["module"] = seen.module_
            return super().watching(seen, regions)

    watch_embedding(embedder, IMAGES, [Look(1, CPU)])
    assert (F.grid_sample, F.affine_grid) == functions
    for module in net["module"].modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
    assert "analytic_pose" not in vars(net["module"].encoder.aligner)
    assert not hasattr(embedder, "net_")


def test_probes_take_their_turns():
    probes = [Throughput(3, CPU), Throughput(2, CPU)]
    watch_embedding(make_embedder(), IMAGES, probes)
    assert [probe.found["steps"] for probe in probes] == [3, 2]


def test_time_limit_leaves_each_probe_one_step():
    probes = [Throughput(50, CPU), Throughput(50, CPU)]
    watch_embedding(make_embedder(), IMAGES, probes, stop_at=0.0)
    assert [probe.found["steps"] for probe in probes] == [1, 1]


def test_heads_are_watched_without_images():
    probe = Throughput(4, CPU)
    z = np.random.default_rng(0).standard_normal((64, 5), dtype=np.float32)
    watch_heads(make_clusterer(), z, [probe])
    assert probe.found["steps"] == 4


def test_probe_ends_after_its_seconds():
    probe = Throughput(50, CPU, most_seconds=0.0)
    watch_embedding(make_embedder(), IMAGES, [probe])
    assert probe.found["steps"] == 1


def test_trace_counts_reads_of_single_numbers():
    probe = Trace(2, CPU)
    watch_embedding(make_embedder(), IMAGES, [probe])
    assert probe.found["trace"]["aten::_local_scalar_dense"] >= 1
    assert probe.found["trace"]["kernel_launches"] == 0


def test_device_clock_tells_seconds_between_events(monkeypatch):
    class Event:
        n_made = 0

        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            Event.n_made += 1
            self.moment = Event.n_made**2

        def synchronize(self):
            assert self.moment == 9, "only the last event is waited for"

        def elapsed_time(self, end):
            return 1000.0 * (end.moment - self.moment)

    monkeypatch.setattr(torch.cuda, "Event", Event)
    clock = make_clock(torch.device("cuda"))
    assert clock.lengths([clock.now() for _ in range(3)]) == [3, 5]
    assert clock.lengths([]) == []


def test_trace_of_a_gpu_is_counted_by_kind():
    counts = {"cudaLaunchKernel": 4, "cudaLaunchKernelExC": 2, "aten::item": 6}
    counts |= {"Memcpy DtoH (Device -> Pageable)": 8, "cudaStreamSynchronize": 2}
    trace = summarize(counts, n_steps=2)
    assert trace["kernel_launches"] == 3
    assert trace["Memcpy DtoH"] == 4
    assert trace["cudaStreamSynchronize"] == 1


def test_peaks_are_told_by_name():
    assert known_peak("NVIDIA H100 80GB HBM3") == 989e12
    assert known_peak("NVIDIA H100 PCIe") == 756e12
    assert known_peak("NVIDIA A100-SXM4-80GB") == 312e12
    assert known_peak("unknown") is None


def test_peak_is_measured():
    assert measure_peak(CPU, side=64) > 1e6


def test_command_prints_both_stages(monkeypatch, capsys):
    monkeypatch.setitem(profile_step.NETWORKS, "light", EMBEDDER["smoke"])
    n_threads = torch.get_num_threads()
    profile_step.main(["--side", "16", "--batch", "16", "--steps", "1"])
    torch.set_num_threads(n_threads)
    printed = capsys.readouterr().out
    for stage in ("embedding", "fine-tuning"):
        pattern = rf"^{stage} step: [\d.]+ ms, \d+ images/s, .* operations and \d+ of"
        assert re.search(pattern, printed, re.MULTILINE)
    shares = re.findall(r" ([\d.]+)% ", printed)
    assert sum(map(float, shares)) == pytest.approx(200, abs=2)


class BrokenOff(BaseException):
    """Ends a fit as a timer does."""


class BreakOff(Flops):
    """A probe in whose first step the time is up."""

    def on_step(self):
        raise BrokenOff


def test_a_fit_that_is_broken_off_leaves_nothing_open():
    with pytest.raises(BrokenOff):
        watch_embedding(make_embedder(), IMAGES, [BreakOff()])
    torch.ones(2) @ torch.ones(2)
    assert torch.utils._python_dispatch._get_current_dispatch_mode() is None
