"""Training: terms recorded, NaN and Ctrl-C handled, progress shown, schedules."""

import pickle
import re

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from invariant_cluster.images import infer_layout
from invariant_cluster.modules import (
    IRLINR,
    ClusterHeads,
    Hypernetwork,
    HypernetworkDecoder,
    ImageAligner,
    ImplicitNetwork,
    PoseEncoder,
    PoseRule,
    ResNet18,
    ScanModule,
)
from invariant_cluster.runtime import seeded
from invariant_cluster.training import (
    HeadsNet,
    IRLINRNet,
    IRLINRObjective,
    ScanNet,
    ScanObjective,
    SelfLabelNet,
    SelfLabelObjective,
    TermNet,
    TrainingProgress,
    history_frame,
    make_net,
    move_net,
    train,
)
from invariant_cluster.views import Augmentation

ROWS = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)


class Distance(nn.Module):
    """Square distance of the rows from a point; ``spoil`` makes it NaN from a step."""

    def __init__(self, spoil=None, value=float("nan")):
        super().__init__()
        self.spoil, self.value, self.step = spoil, value, 0

    def forward(self, rows, _=None):
        self.step += 1
        loss = rows.square().mean()
        loss = loss * self.value if self.step == self.spoil else loss
        return {
            "loss": loss,
            "size": rows.abs().mean(),
            "step": torch.tensor(self.step),
        }


class Shift(nn.Module):
    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.full((3,), 5.0))

    def forward(self, rows):
        return rows + self.shift


class Watch(Callback):
    """Records how things stand before each batch."""

    def __init__(self, look):
        self.look, self.seen = look, []

    def on_batch_begin(self, net, **_):
        self.seen.append(self.look(net))


class Interrupt(Callback):
    """Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_begin(self, net, **_):
        if len(net.history) == self.epoch and len(net.history[-1, "batches"]) == 2:
            raise KeyboardInterrupt


def make(objective=None, *, net_class=TermNet, module=None, **options):
    settings = {
        "lr": 0.1,
        "weight_decay": 0.0,
        "max_epochs": 3,
        "batch_size": 5,
        "device": torch.device("cpu"),
        "callbacks": [],
        "terms": ("size", "step"),
    }
    return make_net(
        net_class, module or Shift(), objective or Distance(), **settings | options
    )


def draw_images(n=16, side=8):
    return np.random.default_rng(0).integers(0, 255, (n, 1, side, side), np.uint8)


def make_encoder(side=8):
    trunk = ResNet18(1, 2)
    aligner = ImageAligner(
        PoseRule("complex_moment", True),
        align=True,
        intensity_range=(0, 255),
        background=torch.zeros(1),
        layout=infer_layout(np.empty((1, side, side))),
    )
    return PoseEncoder(aligner, trunk, trunk.n_features, d=3)


def make_heads(n_heads=1):
    return ClusterHeads(torch.zeros(3), 1.0, torch.randn(n_heads, 4, 3))


# Terms and history


def test_training_lowers_the_loss():
    net = make(max_epochs=20)
    train(net, ROWS)
    assert net.history[-1, "train_loss"] < 0.2 * net.history[0, "train_loss"]


def test_the_history_has_one_row_an_epoch_and_one_column_a_term():
    net = make()
    train(net, ROWS)
    frame = history_frame(net)
    assert list(frame.columns) == ["loss", "size", "step", "seconds"]
    assert frame.index.name == "epoch"
    assert frame["step"].tolist() == [2.5, 6.5, 10.5]  # means of four batches each
    for i, row in enumerate(net.history):
        losses = [batch["train_loss"] for batch in row["batches"]]
        assert frame["loss"][i] == pytest.approx(sum(losses) / 4)
    assert (frame["seconds"] > 0).all()


class SeldomRead(TermNet):
    """As on a GPU: the losses of several steps are read together."""

    _steps_between_looks = 3


@pytest.mark.parametrize("max_epochs", [1, 3])
def test_losses_that_are_read_together_are_the_same(max_epochs):
    nets = [make(net_class=c, max_epochs=max_epochs) for c in (TermNet, SeldomRead)]
    for net in nets:
        with seeded(0):
            train(net, ROWS)
    once, seldom = (history_frame(net).drop(columns="seconds") for net in nets)
    assert once.equals(seldom)
    assert (
        nets[1].history[-1, "batches", :, "train_loss"]
        == (nets[0].history[-1, "batches", :, "train_loss"])
    )


@pytest.mark.parametrize("spoil", [1, 3, 4, 5])
def test_a_loss_that_is_read_late_still_stops_the_training(spoil):
    net = make(Distance(spoil=spoil), net_class=SeldomRead)
    with pytest.raises(FloatingPointError, match="loss became nan"):
        train(net, ROWS)
    assert not net.module_.training


def test_a_net_moves_with_its_criterion_and_the_state_of_its_optimizer():
    net = make(Distance())
    train(net, ROWS)
    assert net.device == "cpu"
    before = net.optimizer_.state_dict()["state"]
    net.criterion_.register_buffer("weight", torch.ones(2))
    move_net(net, "cpu:0")
    after = net.optimizer_.state_dict()["state"]
    assert net.device == "cpu:0"
    assert torch.equal(after[0]["exp_avg"], before[0]["exp_avg"])
    assert net.criterion_.weight.device.type == "cpu"


def test_a_net_without_terms_has_a_history_too():
    net = make(terms=())
    train(net, ROWS)
    assert list(history_frame(net).columns) == ["loss", "seconds"]


@pytest.mark.parametrize(
    ("n", "batches"), [(20, [5, 5, 5, 5]), (21, [5] * 4), (5, [5]), (3, [3])]
)
def test_an_incomplete_last_batch_is_dropped_but_not_an_only_one(n, batches):
    sizes = []

    class Sized(Distance):
        def forward(self, rows, _=None):
            sizes.append(len(rows))
            return super().forward(rows)

    train(make(Sized(), max_epochs=1), np.resize(ROWS, (n, 3)))
    assert sizes == batches


def test_every_row_is_seen_once_an_epoch_in_another_order():
    seen = []

    class Seen(Distance):
        def forward(self, rows, _=None):
            seen.append(rows.detach()[:, 0] - 5)
            return super().forward(rows)

    train(make(Seen(), lr=1e-12, max_epochs=2), ROWS)
    first, second = torch.cat(seen[:4]), torch.cat(seen[4:])
    expected = torch.from_numpy(ROWS[:, 0]).sort().values
    torch.testing.assert_close(first.sort().values, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(second.sort().values, expected, atol=1e-5, rtol=0)
    assert not torch.allclose(first, second)


@pytest.mark.usefixtures("generators_unchanged")
def test_a_seed_repeats_a_training():
    shifts = []
    for seed in (3, 3, 4):
        with seeded(seed):
            net = make()
            train(net, ROWS)
        shifts.append(net.module_.shift.tolist())
    assert shifts[0] == shifts[1] != shifts[2]


# A loss that is not finite


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(("spoil", "epoch"), [(1, 1), (5, 2), (12, 3)])
def test_a_loss_that_is_not_finite_names_epoch_and_remedy(value, spoil, epoch):
    with pytest.raises(
        FloatingPointError,
        match=rf"loss became {value} in epoch {epoch}: lower lr \(now 0\.1\)",
    ):
        train(make(Distance(spoil, value)), ROWS)


def test_no_step_is_taken_on_a_loss_that_is_not_finite():
    net = make(Distance(spoil=6))
    with pytest.raises(FloatingPointError):
        train(net, ROWS)
    assert net.module_.shift.isfinite().all()
    assert net.module_.shift.device.type == "cpu"
    assert not net.module_.training


def test_a_loss_that_is_not_finite_closes_the_bar(capfd):
    progress = TrainingProgress("stage", 1)
    with pytest.raises(FloatingPointError):
        train(make(Distance(spoil=6), callbacks=[progress]), ROWS)
    assert progress.bar_.disable  # what tqdm sets when a bar is closed
    assert capfd.readouterr().err.endswith("\n")


# Ctrl-C and going on


def test_an_interrupt_is_remembered_and_whole_epochs_are_kept():
    net = make(callbacks=[Interrupt(epoch=3)], max_epochs=5)
    train(net, ROWS)
    assert net.interrupted_
    assert len(history_frame(net)) == 2
    assert history_frame(net).notna().all(axis=None)
    assert not net.module_.training


def test_an_interrupt_in_the_first_epoch_leaves_an_empty_history():
    net = make(callbacks=[Interrupt(epoch=1)])
    train(net, ROWS)
    frame = history_frame(net)
    assert net.interrupted_
    assert frame.empty
    assert list(frame.columns) == ["loss", "size", "step", "seconds"]


def test_a_whole_training_is_not_interrupted():
    net = make()
    train(net, ROWS)
    assert net.interrupted_ is False


@pytest.mark.parametrize("more", [1, 3, 6])
def test_training_goes_on_for_as_many_epochs_as_asked(more):
    net = make(max_epochs=3)
    train(net, ROWS)
    before = net.module_.shift.clone()
    net.set_params(max_epochs=more)
    train(net, ROWS, resume=True)
    assert len(history_frame(net)) == 3 + more
    assert net.history[3, "train_loss"] < net.history[0, "train_loss"]
    assert not torch.equal(net.module_.shift, before)
    assert not net.interrupted_


def test_training_goes_on_after_an_interrupt():
    net = make(callbacks=[Interrupt(epoch=2)])
    train(net, ROWS)
    train(net, ROWS, resume=True)
    assert not net.interrupted_
    assert len(history_frame(net)) == 4


# The learning rate


def rate_of(net, group=0):
    return net.optimizer_.param_groups[group]["lr"]


def test_the_rate_rises_to_lr_in_the_first_third_and_falls_to_nearly_nothing():
    watch = Watch(rate_of)
    train(make(max_epochs=10, lr=0.02, callbacks=[watch]), ROWS)
    top = int(np.argmax(watch.seen))
    assert len(watch.seen) == 40
    assert max(watch.seen) == pytest.approx(0.02, rel=1e-2)
    assert 8 <= top <= 14
    assert (np.diff(watch.seen[:top]) > 0).all()
    assert (np.diff(watch.seen[top:]) <= 0).all()
    assert watch.seen[-1] < 1e-3 * 0.02


def test_going_on_is_a_cycle_of_its_own():
    watch = Watch(rate_of)
    net = make(max_epochs=10, lr=0.02, callbacks=[watch])
    train(net, ROWS)
    train(net, ROWS, resume=True)
    assert max(watch.seen[40:]) == pytest.approx(0.02, rel=1e-2)
    assert watch.seen[40:] == pytest.approx(watch.seen[:40])


def test_each_group_has_a_rate_of_its_own():
    watch = Watch(lambda net: (rate_of(net, 0), rate_of(net, 1)))
    module = ScanModule(nn.Linear(3, 3), make_heads())
    net = make(
        ScanObjective(1.0),
        net_class=HeadsNet,
        module=module,
        max_epochs=10,
        lr=0.02,
        callbacks=[watch],
        terms=("entropy",),
        optimizer__param_groups=[("heads.*", {"lr": 0.1})],
    )
    train(net, ROWS, np.arange(20)[:, None])
    heads, others = np.max(watch.seen, axis=0)
    assert heads == pytest.approx(0.1, rel=1e-2)
    assert others == pytest.approx(0.02, rel=1e-2)


# Progress


def printed(capfd, verbose, **options):
    train(make(callbacks=[TrainingProgress("stage", verbose)], **options), ROWS)
    return capfd.readouterr()


def test_nothing_is_printed_at_0(capfd):
    assert printed(capfd, 0) == ("", "")


def test_a_bar_with_the_time_left_is_printed_at_1(use_terminal, capfd):
    terminal = use_terminal()
    out, _ = printed(capfd, 1)
    assert out == ""
    states = terminal.getvalue().split("\r")
    after_first = [state for state in states if "epoch 1/3, loss" in state]
    assert re.search(r"stage: +\d+%\|.*\| 4/12 \[\d\d:\d\d<\d\d:\d\d", after_first[0])
    assert "epoch 3/3, loss" in states[-1]
    assert "100%" in states[-1]
    assert "12/12" in states[-1]


def test_a_line_of_losses_an_epoch_is_printed_at_2(capfd):
    out, err = printed(capfd, 2)
    lines = out.strip().splitlines()
    assert len(lines) == 3
    for epoch, line in enumerate(lines, 1):
        assert re.fullmatch(
            rf"stage: epoch {epoch}/3, loss [\d.e-]+, size [\d.e-]+, step [\d.e-]+",
            line,
        )
    assert "100%" in err


@pytest.mark.parametrize(("n", "total"), [(20, 12), (24, 12), (3, 3)])
def test_the_bar_ends_at_its_total(capfd, n, total):
    net = make(callbacks=[TrainingProgress("stage", 1)])
    train(net, np.resize(ROWS, (n, 3)))
    assert f"{total}/{total}" in capfd.readouterr().err.split("\r")[-1]


def test_epochs_are_counted_on_when_training_goes_on(capfd):
    net = make(callbacks=[TrainingProgress("stage", 2)])
    train(net, ROWS)
    capfd.readouterr()
    train(net, ROWS, resume=True)
    counts = re.findall(r"epoch (\d+)/(\d+)", capfd.readouterr().out)
    assert len(counts) == 3
    for epoch, last in counts:
        assert int(epoch) <= int(last)


def test_progress_can_be_pickled_after_training():
    progress = TrainingProgress("stage", 0)
    train(make(callbacks=[progress]), ROWS)
    other = pickle.loads(pickle.dumps(progress))
    assert (other.stage, other.verbose) == ("stage", 0)


def test_a_trained_net_can_be_pickled_and_goes_on():
    net = make(callbacks=[TrainingProgress("stage", 0)])
    train(net, ROWS)
    other = pickle.loads(pickle.dumps(net))
    torch.testing.assert_close(other.module_.shift, net.module_.shift)
    assert history_frame(other).equals(history_frame(net))
    train(other, ROWS, resume=True)
    assert len(history_frame(other)) == 6


# The nets of the two methods


def make_irlinr(**options):
    implicit = ImplicitNetwork(1, n_frequencies=8, hidden=(16,))
    encoder = make_encoder()
    objective = IRLINRObjective(
        reconstruction="cross_entropy",
        consistency="cosine",
        pose_rule=encoder.pose_rule,
        direction_scale=1.0,
        reconstruction_weight=1.0,
        consistency_weight=1.0,
        symmetry_weight=1.0,
    )
    return make(
        objective,
        net_class=IRLINRNet,
        module=IRLINR(
            encoder,
            HypernetworkDecoder(Hypernetwork(3, implicit, hidden=(16,)), implicit),
        ),
        terms=("reconstruction", "consistency", "symmetry", "squared_error"),
        batch_size=8,
        **options,
    )


def test_irl_inr_trains_on_uint8_images():
    net = make_irlinr(translation_std=0.1, max_epochs=15, lr=0.01, n_pixels=30)
    train(net, draw_images())
    frame = history_frame(net)
    assert frame["squared_error"].iloc[-3:].mean() < frame["squared_error"].iloc[0]
    assert frame["loss"].iloc[-3:].mean() < frame["loss"].iloc[0]
    total = frame["reconstruction"] + frame["consistency"] + frame["symmetry"]
    np.testing.assert_allclose(frame["loss"], total, rtol=1e-5)


class Brightness(nn.Module):
    """All outputs are an image's mean: turned and shifted copies have the same."""

    def __init__(self, n_outputs):
        super().__init__()
        self.n_outputs = n_outputs

    def forward(self, images):
        return images.mean(dim=(1, 2, 3))[:, None].expand(-1, self.n_outputs)


def test_the_views_of_irl_inr_are_of_the_same_images():
    """By their brightness, since a turn leaves it and each image has its own."""
    net = make_irlinr(translation_std=0.05).initialize()
    encoder = net.module_.eval().encoder
    encoder.trunk = Brightness(encoder.d + encoder.pose_rule.n_outputs)
    encoder.head = nn.Identity()
    disc = np.hypot(*(np.indices((8, 8)) - 3.5)) < 2.5
    images = disc * np.array([60, 150, 250], dtype=np.uint8)[:, None, None, None]
    batch = net.infer(torch.from_numpy(images))
    assert batch.z1.shape == batch.z2.shape == (3, 3)
    expected = torch.from_numpy(images / 255).mean(dim=(1, 2, 3))[:, None]
    for z in (batch.z1, batch.z2):
        torch.testing.assert_close(z, expected.float().expand(3, 3), rtol=0.2, atol=0)


def test_heads_train_on_rows_alone():
    net = make(
        ScanObjective(2.0),
        net_class=HeadsNet,
        module=ScanModule(nn.Identity(), make_heads(2)),
        terms=("consistency", "entropy"),
        max_epochs=20,
    )
    neighbors = np.argsort(((ROWS[:, None] - ROWS) ** 2).sum(axis=2))[:, 1:4]
    train(net, ROWS, neighbors)
    loss = history_frame(net)["loss"]
    assert loss.iloc[-5:].mean() < loss.iloc[:5].mean()
    assert net.infer(torch.from_numpy(ROWS)).shape == (2, 20, 4)


@pytest.mark.parametrize("name", ["R", "S1+S2+R+T"])
def test_scan_trains_the_encoder_on_augmented_images(name):
    net = make(
        ScanObjective(2.0),
        net_class=ScanNet,
        module=ScanModule(make_encoder(), make_heads()),
        terms=("consistency", "entropy"),
        augmentation=Augmentation(name),
        batch_size=8,
    )
    early = {
        parameter
        for layer in net.module.encoder.early_layers
        for parameter in layer.parameters()
    }
    before = {p: p.detach().clone() for p in net.module.parameters()}
    train(net, draw_images(), np.arange(16)[:, None])
    changed = {p for p, value in before.items() if not torch.equal(p, value)}
    assert early
    assert not early & changed
    assert len(changed) > 0.9 * len(before.keys() - early)  # not the pose outputs
    assert all(parameter.requires_grad for parameter in before)
    log_p = net.infer(torch.from_numpy(draw_images()))
    torch.testing.assert_close(log_p.exp().sum(dim=-1), torch.ones(1, 16))


def test_self_labelling_learns_from_what_it_predicts_on_plain_images():
    net = make(
        SelfLabelObjective(0.3),
        net_class=SelfLabelNet,
        module=ScanModule(make_encoder(), make_heads()),
        terms=("confident",),
        augmentation=Augmentation("R"),
        batch_size=8,
    ).initialize()
    images = torch.from_numpy(draw_images())
    net.module_.eval()
    expected = net.module_(images)[0]
    statistics = net.module_.encoder.norm.running_mean.clone()
    net.module_.train()
    plain, augmented = net.infer(images)
    torch.testing.assert_close(plain, expected)
    assert not plain.requires_grad
    assert augmented.requires_grad
    assert net.module_.training
    assert not torch.equal(net.module_.encoder.norm.running_mean, statistics)
    train(net, draw_images())
    assert (history_frame(net)["confident"] > 0).all()
