"""TEMI: what its heads find, what a score means, which head is kept."""

import copy
import re

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from skorch.callbacks import Callback

from invariant_cluster import TEMIClusterer
from invariant_cluster.clusterers import _temi_clusterer
from invariant_cluster.losses import pair_agreement, pair_information
from invariant_cluster.metrics import clustering_accuracy_score
from invariant_cluster.neighbors import find_neighbors
from tests.conftest import clusterer_maker


@pytest.fixture(scope="module")
def blobs():
    """60 plain rows of 6 values in three clusters, and their classes."""
    return make_blobs(60, n_features=6, centers=3, cluster_std=0.5, random_state=0)


@pytest.fixture(scope="module")
def embedding(make_embedder, images):
    # Long enough for the statistics of batch normalisation to settle.
    return make_embedder(max_epochs=15, lr=3e-3).fit_transform(images)


make_temi = clusterer_maker("TEMI")


def make_heads(n_clusters=3, **parameters):
    return make_temi(n_clusters, fine_tune=False, **parameters)


class Watch(Callback):
    """Notes something of the net after each step, or after each stage."""

    def __init__(self, look):
        self.look, self.steps, self.stages = look, [], []

    def on_batch_end(self, net, **_):
        self.steps.append(self.look(net))

    def on_train_end(self, net, **_):
        self.stages.append(self.look(net))


# What is found


def test_separate_blobs_are_found(blobs):
    rows, classes = blobs
    clusterer = make_heads(max_epochs=3).fit(rows)
    assert clusterer.score(rows, classes) == 1.0
    assert len(np.unique(clusterer.labels_)) == 3


def test_classes_of_unequal_size_are_found():
    rows, classes = make_blobs(
        [300, 300, 60, 60], n_features=8, cluster_std=2.0, random_state=0
    )
    clusterer = TEMIClusterer(4, fine_tune=False, random_state=0, max_epochs=20)
    labels = clusterer.fit_predict(rows)
    assert clustering_accuracy_score(classes, labels) > 0.98


def test_training_lowers_the_loss(blobs):
    history = make_heads(max_epochs=20, lr=0.03).fit(blobs[0]).history_
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]


# Stages


def test_history_has_the_terms_of_temi(blobs, embedding):
    settings = {"max_epochs": 2, "fine_tune_max_epochs": 3}
    for clusterer, stages in [
        (make_heads(**settings).fit(blobs[0]), ["heads"] * 2),
        (make_temi(**settings).fit(embedding), ["heads"] * 2 + ["fine-tuning"] * 3),
    ]:
        history = clusterer.history_
        assert history["stage"].tolist() == stages
        assert clusterer.n_iter_ == len(stages)
        assert {"loss", "information", "agreement", "seconds"} <= set(history)
        assert history["agreement"].between(0, 1).all()


def test_fine_tuning_trains_a_copy_of_the_encoder(embedding):
    before = copy.deepcopy(embedding.encoder.state_dict())
    clusterer = make_temi(fine_tune_lr=1e-2).fit(embedding)
    after, tuned = embedding.encoder.state_dict(), clusterer.encoder_.state_dict()
    assert all(torch.equal(after[name], w) for name, w in before.items())
    assert not all(torch.equal(tuned[name].cpu(), w) for name, w in before.items())


def test_fine_tuning_goes_on_from_the_heads(embedding):
    settings = {"max_epochs": 20, "lr": 0.03, "fine_tune_lr": 1e-12}
    heads = make_temi(fine_tune=False, **settings).fit(embedding)
    still = {**settings, "weight_decay": 0.0, "teacher_momentum": 0.9}
    tuned = make_temi(fine_tune=True, **still).fit(embedding)
    assert clustering_accuracy_score(heads.labels_, tuned.labels_) > 0.8


def test_auto_epochs_are_those_of_scan(make_clusterer, embedding):
    class Plan(Callback):
        def on_train_begin(self, net, **_):
            planned.append(net.max_epochs)
            net.set_params(max_epochs=0)

    auto = {"max_epochs": "auto", "fine_tune_max_epochs": "auto", "batch_size": 2}
    found = []
    for make in (make_clusterer, make_temi):
        planned = []
        make(callbacks=[Plan()], **auto).fit(embedding)
        found.append(planned)
    assert found[0] == found[1] == [100, 21]


# The teacher


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_teacher_is_the_moving_average_of_the_student(blobs, momentum):
    look = Watch(
        lambda net: (
            net.module_.heads.weight.detach().clone(),
            net.teacher_.heads.weight.clone(),
        )
    )
    start = make_heads(lr=1e-30, callbacks=[(first := Watch(look.look))])
    start.fit(blobs[0])
    make_heads(lr=0.1, teacher_momentum=momentum, max_epochs=2, callbacks=[look]).fit(
        blobs[0]
    )
    expected = first.steps[0][0]
    for student, teacher in look.steps:
        expected = momentum * expected + (1 - momentum) * student
        torch.testing.assert_close(teacher, expected)
    assert (look.steps[-1][0] - first.steps[0][0]).abs().max() > 0.1


def test_the_teacher_has_no_gradient_and_the_statistics_of_its_student(embedding):
    def look(net):
        buffers = net.teacher_.buffers(), net.module_.buffers()
        equal = [torch.equal(*pair) for pair in zip(*buffers, strict=True)]
        return equal, [p.grad for p in net.teacher_.parameters()]

    watch = Watch(look)
    make_temi(callbacks=[watch]).fit(embedding)
    equal, gradients = watch.steps[-1]
    assert len(equal) > 2
    assert all(equal)
    assert all(gradient is None for gradient in gradients)


def test_the_student_sees_augmented_images_and_the_teacher_the_plain_ones(embedding):
    class Views(Callback):
        def on_train_begin(self, net, **_):
            if "augmentation" in vars(net):
                with torch.no_grad():
                    net.module_.eval()
                    net.teacher_.eval()
                    x = torch.from_numpy(embedding.images[:6].copy())[:, None]
                    self.first, self.again = net.infer(x), net.infer(x)

    views = Views()
    make_temi(callbacks=[views]).fit(embedding)
    assert torch.equal(views.first[1], views.again[1])
    assert not torch.equal(views.first[0], views.again[0])


# Score


def naive_score(log_p, p, nearest, beta):
    """Negative TEMI loss of one head, its prior the mean of the training rows."""
    prior = torch.from_numpy(p.mean(axis=0, keepdims=True)).log()
    rows, total = torch.from_numpy(log_p)[None], 0.0
    for column in nearest.T:
        others = torch.from_numpy(p[column]).clamp_min(1e-30).log()[None]
        information = pair_information(rows, others, prior, beta)
        total += (pair_agreement(rows, others) * information).mean().item()
    return total / nearest.shape[1]


def test_score_is_the_negative_temi_loss(blobs):
    rows = blobs[0]
    clusterer = make_heads(max_epochs=3, beta=0.7).fit(rows[:50])
    nearest = find_neighbors(rows, clusterer.training_embedding_, 3)
    expected = naive_score(
        clusterer.predict_log_proba(rows), clusterer.probabilities_, nearest, 0.7
    )
    assert clusterer.score(rows) == pytest.approx(expected, rel=1e-4)


def test_score_of_clusters_that_neighbours_share_is_higher(blobs):
    rows = blobs[0]
    three = make_heads(3, max_epochs=5).fit(rows).score(rows)
    shuffled = make_heads(3, max_epochs=5, random_state=1).fit(
        np.random.default_rng(0).permuted(rows, axis=0)
    )
    assert three > shuffled.score(rows)


def test_parameters_changed_after_the_fit_do_not_change_the_score(blobs):
    clusterer = make_heads().fit(blobs[0])
    before = clusterer.score(blobs[0])
    clusterer.set_params(n_neighbors=9, n_clusters=7, beta=1.0)
    assert clusterer.score(blobs[0]) == before


def test_a_file_holds_what_the_score_needs(blobs, tmp_path):
    clusterer = make_heads(beta=0.9).fit(blobs[0])
    clusterer.save(tmp_path / "temi.safetensors")
    loaded = TEMIClusterer.load(tmp_path / "temi.safetensors")
    assert loaded.score(blobs[0]) == clusterer.score(blobs[0])


# Heads


def test_the_head_of_the_lowest_loss_is_kept(blobs, monkeypatch):
    """Of two heads, one starts with all centroids at one place and stays there."""
    rows, classes = blobs
    find = _temi_clusterer.find_start

    def spoil(*arguments, **settings):
        start = find(*arguments, **settings)
        start.centroids[0] = start.centroids[0, :1]
        return start

    monkeypatch.setattr(_temi_clusterer, "find_start", spoil)
    clusterer = make_heads(n_heads=2, lr=1e-12).fit(rows)
    assert clusterer.net_.module_.heads.n_heads == 1
    assert clusterer.score(rows, classes) == 1.0


def test_heads_start_from_other_centroids(monkeypatch):
    starts = []
    find = _temi_clusterer.find_start

    def note(*arguments, **settings):
        starts.append(find(*arguments, **settings))
        return starts[-1]

    monkeypatch.setattr(_temi_clusterer, "find_start", note)
    rows = np.random.default_rng(0).normal(size=(100, 4))
    make_heads(6, n_heads=3).fit(rows)
    first, second, third = starts[0].centroids
    assert not np.allclose(np.sort(first, axis=0), np.sort(second, axis=0))
    assert not np.allclose(np.sort(first, axis=0), np.sort(third, axis=0))


# Errors


def test_a_loss_that_is_not_finite_names_the_rate(blobs):
    class Poison(Callback):
        def on_epoch_begin(self, net, **_):
            with torch.no_grad():
                net.module_.heads.weight.fill_(float("nan"))

    clusterer = make_heads(lr=0.00123, callbacks=[Poison()])
    with pytest.raises(FloatingPointError, match=re.escape("lower lr (now 0.00123)")):
        clusterer.fit(blobs[0])


def test_ctrl_c_keeps_what_was_trained(blobs):
    class Interrupt(Callback):
        def on_epoch_end(self, net, **_):
            raise KeyboardInterrupt

    clusterer = make_heads(max_epochs=9, callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        clusterer.fit(blobs[0])
    assert clusterer.n_iter_ == 1
    np.testing.assert_array_equal(clusterer.predict(blobs[0]), clusterer.labels_)


@pytest.mark.usefixtures("generators_unchanged")
def test_global_generators_stay(embedding):
    clusterer = make_temi().fit(embedding)
    clusterer.predict(embedding)
    clusterer.score(embedding)
