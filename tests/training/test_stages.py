"""Stages run one after another, until Ctrl-C."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from invariant_cluster.training import Stage, TermNet, finish, make_net, run_stages


class Objective(nn.Module):
    def forward(self, outputs, _):
        return {"loss": outputs.square().mean(), "size": outputs.abs().mean()}


class PressCtrlC(Callback):
    def on_epoch_end(self, net, **_):
        raise KeyboardInterrupt


def make_stage(name, *callbacks, epochs=2):
    net = make_net(
        TermNet,
        nn.Linear(3, 2),
        Objective(),
        lr=0.01,
        weight_decay=0.0,
        max_epochs=epochs,
        batch_size=8,
        device=torch.device("cpu"),
        callbacks=list(callbacks),
        terms=("size",),
    )
    rows = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)
    return Stage(name, net, rows)


def test_histories_stand_below_each_other():
    run = run_stages(iter([make_stage("first"), make_stage("second", epochs=3)]))
    assert not run.interrupted
    assert run.history["stage"].tolist() == ["first"] * 2 + ["second"] * 3
    assert run.history.index.name == "epoch"
    assert np.isfinite(run.history[["loss", "size", "seconds"]]).all(axis=None)
    assert run.net is run.stages[-1].net


def test_work_between_stages_is_done_when_the_one_before_is_trained():
    def stages():
        first = make_stage("first")
        yield first
        trained.append(len(first.net.history))
        yield make_stage("second")

    trained = []
    run_stages(stages())
    assert trained == [2]


def test_ctrl_c_ends_the_run_after_its_stage():
    third = []

    def stages():
        yield make_stage("first")
        yield make_stage("second", PressCtrlC())
        third.append("asked for")

    run = run_stages(stages())
    assert run.interrupted
    assert run.history["stage"].tolist() == ["first", "first", "second"]
    assert third == []


def test_ctrl_c_between_stages_keeps_what_was_trained():
    def stages():
        yield make_stage("first")
        raise KeyboardInterrupt

    run = run_stages(stages())
    assert run.interrupted
    assert len(run.stages) == 1


def test_ctrl_c_before_any_stage_is_passed_on():
    def stages():
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        run_stages(stages())


def test_without_stages_there_is_nothing_to_run():
    with pytest.raises(ValueError, match="There are no stages to run"):
        run_stages(iter([]))


class PressAt(Callback):
    def __init__(self, event):
        self.event = event

    def notify_(self, event):
        if event == self.event:
            raise KeyboardInterrupt

    def on_train_begin(self, net, **_):
        self.notify_("on_train_begin")

    def on_train_end(self, net, **_):
        self.notify_("on_train_end")


@pytest.mark.parametrize(("event", "n"), [("on_train_begin", 0), ("on_train_end", 2)])
def test_ctrl_c_beside_the_epochs_ends_the_run_too(event, n):
    run = run_stages(iter([make_stage("first"), make_stage("second", PressAt(event))]))
    assert run.interrupted
    assert run.history["stage"].tolist() == ["first"] * 2 + ["second"] * n
    assert run.history["loss"].dtype == float


def test_a_stage_that_raises_ctrl_c_leaves_those_before():
    class Undone(Stage):
        def run(self):
            raise KeyboardInterrupt

    second = make_stage("second")
    run = run_stages(iter([make_stage("first"), Undone("undone", second.net, [])]))
    assert run.interrupted
    assert run.history["stage"].tolist() == ["first"] * 2


def test_a_first_ctrl_c_does_not_stop_work_that_must_be_finished():
    calls = []

    def work():
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return "done"

    assert finish(work) == ("done", True)
    assert finish(lambda: "at once") == ("at once", False)
