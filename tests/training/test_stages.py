"""Stages run one after another, until Ctrl-C."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from invariant_cluster.training import Stage, TermNet, make_net, run_stages


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
