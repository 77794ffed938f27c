"""The time of a training: told before the first batch, and warned of if it is long."""

import random
import re
import threading
import warnings

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from invariant_cluster.training import (
    LongFitWarning,
    Stage,
    TermNet,
    TrainingProgress,
    history_frame,
    make_net,
    run_stages,
    train,
)
from invariant_cluster.training import _long_fit as long_fit
from invariant_cluster.training import _progress as training_progress
from invariant_cluster.training._trial_step import time_step

ROWS = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
SECONDS_A_STEP = 8.0


class Clock:
    """A clock that the steps move: 1 second, and some for each row."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Noisy(nn.Module):
    """Moves rows by a weight and by noise of every generator; batches norm them."""

    clock = None
    per_row = 0.0

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.norm = nn.BatchNorm1d(3)
        self.sizes = []

    def forward(self, rows):
        self.sizes.append(len(rows))
        if self.clock is not None:
            self.clock.now += self.per_row * len(rows)
        noise = torch.rand(len(rows), 1) + random.random() + np.random.rand()  # noqa: NPY002
        return self.norm(rows * self.weight) + noise * self.weight


class Size(nn.Module):
    def forward(self, rows, _=None):
        return {"loss": rows.square().mean()}


class See(Callback):
    """Notes the sizes of the batches that the module itself has seen."""

    def on_batch_begin(self, net, **_):
        self.sizes = list(net.module_.sizes)


class Spend(Callback):
    """Spends time on each batch."""

    def __init__(self, clock, seconds=SECONDS_A_STEP):
        self.clock, self.seconds = clock, seconds

    def on_batch_begin(self, net, **_):
        self.clock.now += self.seconds


def make(progress, *callbacks, net_class=TermNet, module=None, **options):
    settings = {"max_epochs": 4, "batch_size": 10, **options}
    return make_net(
        net_class,
        module or Noisy(),
        Size(),
        lr=0.1,
        weight_decay=0.0,
        device=torch.device("cpu"),
        callbacks=[*callbacks, progress],
        **settings,
    )


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(long_fit.time, "perf_counter", clock)
    return clock


def seed_all():
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)


def trained(verbose):
    seed_all()
    net = make(TrainingProgress("stage", verbose))
    train(net, ROWS)
    return net, random.random(), np.random.rand(), torch.rand(1)  # noqa: NPY002


def test_the_trial_changes_no_bit_of_the_result(monkeypatch, capsys):
    tried = []

    def look(net, dataset):
        tried.append(time_step(net, dataset))
        return tried[-1]

    monkeypatch.setattr(training_progress, "time_step", look)
    quiet, *after_quiet = trained(0)
    assert tried == []
    shown, *after_shown = trained(1)
    assert len(tried) == 1
    assert tried[0] > 0
    assert after_shown == after_quiet
    for name, value in quiet.module_.state_dict().items():
        assert torch.equal(shown.module_.state_dict()[name], value), name
    losses = [history_frame(net)["loss"].tolist() for net in (quiet, shown)]
    assert losses[0] == losses[1]
    assert shown.module_.sizes == quiet.module_.sizes


@pytest.mark.parametrize(
    ("per_row", "expected"),
    # 16 steps of 10 rows; a long step is told from 8 rows, without overhead.
    [(0.1, "about 20 seconds"), (3.0, "about 8 minutes"), (90.0, "about 4 hours")],
)
def test_the_time_is_told_before_the_first_batch(
    clock, capsys, monkeypatch, per_row, expected
):
    monkeypatch.setattr(Noisy, "clock", clock)
    monkeypatch.setattr(Noisy, "per_row", per_row)
    see = See()
    net = make(TrainingProgress("stage", 1), see)
    printed = []

    class Look(Callback):
        def on_batch_begin(self, net, **_):
            printed.append(capsys.readouterr().err)

    net.callbacks.append(Look())
    train(net, ROWS)
    assert printed[0] == f"stage: 4 epochs of 4 batches, {expected}.\n"


def test_a_short_training_tells_no_time(clock, capsys, monkeypatch):
    monkeypatch.setattr(Noisy, "clock", clock)
    monkeypatch.setattr(Noisy, "per_row", 0.06)  # 9.6 seconds in all
    train(make(TrainingProgress("stage", 1)), ROWS)
    assert "epochs of" not in capsys.readouterr().err


def test_a_step_of_a_long_training_is_tried_on_few_rows(clock, monkeypatch):
    monkeypatch.setattr(Noisy, "clock", clock)
    monkeypatch.setattr(Noisy, "per_row", 1.0)
    seen = []
    forward = Noisy.forward

    def watched(self, rows):
        seen.append(len(rows))
        return forward(self, rows)

    monkeypatch.setattr(Noisy, "forward", watched)
    net = make(TrainingProgress("stage", 1), batch_size=40, max_epochs=1)
    train(net, ROWS)
    assert seen == [8, 8, 40, 40]  # the trial, the step, the statistics afterwards


def test_modules_that_cannot_be_copied_are_trained_without_an_estimate(capsys):
    class Once(Noisy):
        def __deepcopy__(self, memo):
            raise TypeError("holds a socket")

    net = make(TrainingProgress("stage", 1), module=Once())
    train(net, ROWS)
    err = capsys.readouterr().err
    assert "16/16" in err
    assert "epochs of" not in err


def warned(progress, clock, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train(make(progress, Spend(clock), **options), ROWS)
    return [str(w.message) for w in caught if w.category is LongFitWarning]


def quiet_progress(verbose=0):
    return TrainingProgress(
        "stage", verbose, fit="Embedder.fit", remedy="a lower max_epochs"
    )


def test_a_fit_of_more_than_ten_minutes_warns_once(clock):
    # 8 seconds a step, 4 steps an epoch, 60 epochs: 32 minutes.
    assert warned(quiet_progress(), clock, max_epochs=60) == [
        "Embedder.fit will take about 32 minutes on cpu: verbose=1 shows the time "
        "left; a lower max_epochs takes less."
    ]


@pytest.mark.parametrize(("epochs", "n_warnings"), [(18, 0), (19, 1)])
def test_the_limit_is_ten_minutes(clock, epochs, n_warnings):
    assert len(warned(quiet_progress(), clock, max_epochs=epochs)) == n_warnings


def test_a_bar_makes_the_warning_needless(clock, capsys):
    assert warned(quiet_progress(verbose=1), clock, max_epochs=60) == []


def test_the_warning_comes_within_the_first_batches(clock):
    class Stop(Callback):
        n = 0

        def on_batch_end(self, net, **_):
            self.n += 1

    stop = Stop()
    with pytest.raises(LongFitWarning):
        train(make(quiet_progress(), Spend(clock), stop, max_epochs=60), ROWS)
    assert stop.n == 4


def test_a_slow_first_batch_does_not_count(clock):
    class Import(Callback):
        def on_train_begin(self, net, **_):
            clock.now += 500

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(make(quiet_progress(), Import(), Spend(clock)), ROWS)


def test_stages_of_one_fit_warn_once(clock):
    def stages():
        for name in ("one", "two"):
            net = make(quiet_progress(), Spend(clock), max_epochs=60)
            yield Stage(name, net, ROWS)

    with pytest.warns(LongFitWarning) as caught:
        run_stages(stages())
    assert len(caught) == 1
    assert len(warned(quiet_progress(), clock, max_epochs=60)) == 1  # another fit


def test_threads_and_other_processes_do_not_warn(clock, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        thread = threading.Thread(
            target=long_fit.warn_if_long, args=(3600, "fit", "cpu", "less")
        )
        thread.start()
        thread.join()
        monkeypatch.setattr(long_fit, "is_main", lambda: False)  # a worker of joblib
        long_fit.warn_if_long(3600, "fit", "cpu", "less")
    monkeypatch.undo()
    with pytest.warns(LongFitWarning, match="about 60 minutes on cpu"):
        long_fit.warn_if_long(3600, "fit", "cpu", "less")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (3, "10 seconds"),
        (44, "40 seconds"),
        (119, "120 seconds"),
        (125, "2 minutes"),
        (1490, "25 minutes"),
        (7300, "2 hours"),
        (9000, "2.5 hours"),
        (5e5, "139 hours"),
    ],
)
def test_times_are_told_as_precisely_as_they_are_known(seconds, told):
    assert re.fullmatch(rf"about {re.escape(told)}", long_fit.tell_time(seconds))
