"""Steps recorded on a GPU and replayed; here a recording is played by Python."""

import contextlib
import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from invariant_cluster import IRLINREmbedder, SCANClusterer
from invariant_cluster.geometry import disc_mask, holding_kept, kept_disc
from invariant_cluster.modules import ResNet8, ResNet18
from invariant_cluster.training import TermNet, _compiled_trunk, _step_graph
from invariant_cluster.training._compiled_trunk import compiled_trunk
from invariant_cluster.training._step_graph import GraphedSteps

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
ROWS = torch.ones(2, 3)


class Played:
    """Stands in for a recording: runs the step that it was given."""

    def __init__(self, step, rows, parameters):
        self.step, self.shape, self.parameters = step, rows.shape, parameters
        self.trained = [p.requires_grad for p in parameters]

    def fits(self, rows):
        trained = [p.requires_grad for p in self.parameters]
        return rows.shape == self.shape and trained == self.trained

    def replay(self, rows):
        return -self.step(rows)


class FakeGenerator:
    """Stands in for the generator of a GPU; a broken recording leaves it changed."""

    state = "before"

    def clone_state(self):
        return self.state

    def graphsafe_set_state(self, state):
        self.state = state


@pytest.fixture
def steps(monkeypatch):
    """Return graphed steps without a GPU."""
    monkeypatch.setattr(_step_graph, "Recording", Played)
    monkeypatch.setattr(torch.cuda, "device", lambda _: contextlib.nullcontext())
    monkeypatch.setattr(_step_graph, "_generator_of", lambda _: FakeGenerator())
    monkeypatch.setattr(GraphedSteps, "_run_aside", lambda self, rows: self.step(rows))
    parameters = [nn.Parameter(torch.zeros(1))]
    return GraphedSteps(lambda rows: rows.sum(), parameters, CPU)


def test_a_step_is_replayed_after_three(steps):
    assert [float(steps(ROWS)) for _ in range(5)] == [6, 6, 6, -6, -6]


def test_a_frozen_parameter_starts_another_recording(steps):
    for _ in range(4):
        steps(ROWS)
    steps.parameters[0].requires_grad_(False)
    assert [float(steps(ROWS)) for _ in range(4)] == [6, 6, 6, -6]


def test_rows_of_another_shape_are_not_replayed(steps):
    for _ in range(4):
        steps(ROWS)
    assert float(steps(torch.ones(5))) == 5


def test_a_step_that_cannot_be_recorded_runs_as_it_is(steps, monkeypatch):
    generator = FakeGenerator()
    monkeypatch.setattr(_step_graph, "_generator_of", lambda _: generator)

    def refuse(*_):
        generator.state = "waiting for the end of the recording"
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(_step_graph, "Recording", refuse)
    with pytest.warns(RuntimeWarning, match="not permitted when stream is capturing"):
        values = [float(steps(ROWS)) for _ in range(4)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [*values, float(steps(ROWS))] == [6] * 5
    assert generator.state == "before"


def test_a_recording_holds_the_tensors_it_uses():
    kept_disc(7, 9, torch.bool, CPU)
    with holding_kept() as held:
        used = kept_disc(7, 9, torch.bool, CPU)
    kept_disc(9, 7, torch.bool, CPU)
    assert [tensor is used for tensor in held] == [True]
    assert torch.equal(held[0], disc_mask(7, 9))


class Fit(Callback):
    """Notes how the steps of a fit run."""

    def on_batch_end(self, net, **_):
        self.steps = net.steps_
        pickle.dumps(net.module_), copy.deepcopy(net)


def test_steps_run_as_they_are_on_a_cpu():
    watch = Fit()
    images = np.random.default_rng(0).random((8, 12, 12), dtype=np.float32)
    embedder = IRLINREmbedder(
        d=4,
        encoder_width=2,
        max_epochs=1,
        batch_size=4,
        device="cpu",
        callbacks=[watch],
    )
    embedder.fit(images)
    assert watch.steps.__func__ is TermNet.run_step
    assert not hasattr(embedder.net_, "steps_")


class Plain(nn.Module):
    """A module that may be replayed or not."""

    def __init__(self, replayable):
        super().__init__()
        self.inner = nn.Linear(3, 2)
        self.inner.replayable = replayable


@pytest.mark.parametrize("replayable", [True, False])
def test_a_module_can_forbid_to_be_replayed(replayable):
    net = TermNet(Plain(replayable), criterion=nn.Identity, device="cpu")
    net.initialize()
    net.device = "cuda"
    assert isinstance(net._make_steps(), GraphedSteps) is replayable


@pytest.fixture
def compilations(monkeypatch):
    """Return the functions that were compiled, by a compiler that does nothing."""
    compiled = []
    monkeypatch.setattr(_compiled_trunk, "_can_compile", lambda device: True)
    monkeypatch.setattr(
        torch, "compile", lambda f, **_: compiled.append(f) or (lambda *a: f(*a) + 1)
    )
    return compiled


LONG = 1e11


@pytest.mark.parametrize(
    ("device", "n_values", "n_compiled"),
    [(CUDA, LONG, 1), (CUDA, 1e6, 0), (CPU, LONG, 0)],
)
def test_the_trunk_is_compiled_for_long_trainings_on_a_gpu(
    compilations, device, n_values, n_compiled
):
    with compiled_trunk(nn.Sequential(ResNet8(1, 4)), device, n_values):
        assert len(compilations) == n_compiled


def test_a_compiled_trunk_is_a_plain_one_in_copies_and_afterwards(compilations):
    trunk, images = ResNet18(1, 2).eval(), torch.rand(2, 1, 8, 8)
    before = trunk(images)
    with compiled_trunk(trunk, CUDA, LONG):
        assert torch.equal(trunk(images), before + 1)
        assert torch.equal(copy.deepcopy(trunk)(images), before)
        assert torch.equal(pickle.loads(pickle.dumps(trunk))(images), before)
    assert torch.equal(trunk(images), before)


def test_without_a_compiler_nothing_is_compiled(monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("Cannot find a working triton installation")

    monkeypatch.setattr(torch, "compile", fail)
    _compiled_trunk._can_compile.cache_clear()
    trunk = ResNet8(1, 4)
    with compiled_trunk(trunk, CUDA, LONG):
        trunk(torch.rand(2, 1, 8, 8))
    _compiled_trunk._can_compile.cache_clear()


class Slow(Callback):
    """Lets the steps run as they are."""

    def on_epoch_begin(self, net, **_):
        net.steps_ = net.run_step


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("fine_tune", [False, True])
def test_replayed_steps_train_as_launched_ones(fine_tune):
    images = np.random.default_rng(0).random((64, 16, 16), dtype=np.float32)
    sizes = {"batch_size": 16, "random_state": 0, "device": "cuda"}
    losses = []
    for callbacks in ([], [Slow()]):
        embedder = IRLINREmbedder(
            d=4, encoder_width=4, max_epochs=3, callbacks=callbacks, **sizes
        ).fit(images)
        scan = SCANClusterer(
            3, max_epochs=3, fine_tune=fine_tune, callbacks=callbacks, **sizes
        ).fit(embedder.transform(images))
        losses.append([*embedder.history_["loss"], *scan.history_["loss"]])
    np.testing.assert_allclose(*losses, rtol=0.02)


def test_a_criterion_can_forbid_to_be_replayed():
    net = TermNet(Plain(True), criterion=nn.Identity, device="cpu")
    net.initialize()
    net.criterion_.replayable = False
    net.device = "cuda"
    assert not isinstance(net._make_steps(), GraphedSteps)
