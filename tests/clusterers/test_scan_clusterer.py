"""What users see of SCANClusterer."""

import math
import re

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from skorch.callbacks import Callback, EarlyStopping

from invariant_cluster import ImageEmbedding, SCANClusterer
from invariant_cluster.clusterers import (
    Start,
    _embedding_clusterer,
    _scan_clusterer,
    _stage_sizes,
)
from invariant_cluster.metrics import clustering_accuracy_score
from invariant_cluster.neighbors import mine_neighbors

AUGMENTATIONS = ["R", "R+T", "S1", "S1+R", "S1+R+T", "S1+S2", "S1+S2+R", "S1+S2+R+T"]
PREDICTIONS = ["predict", "predict_proba", "predict_log_proba", "transform"]


@pytest.fixture(scope="module")
def blobs():
    """60 plain rows of 6 values in three clusters, and their classes."""
    return make_blobs(60, n_features=6, centers=3, cluster_std=0.5, random_state=0)


@pytest.fixture(scope="module")
def rows(blobs):
    return blobs[0]


@pytest.fixture(scope="module")
def embedder(make_embedder, images):
    # Long enough for the statistics of batch normalisation to settle.
    return make_embedder(max_epochs=15, lr=3e-3).fit(images)


@pytest.fixture(scope="module")
def embedding(embedder, images):
    return embedder.transform(images)


@pytest.fixture
def make_head(make_clusterer):
    """Return a maker of clusterers that train heads alone."""
    return lambda n_clusters=3, **parameters: make_clusterer(
        n_clusters, fine_tune=False, **parameters
    )


@pytest.fixture(params=["plain rows", "images"])
def kind(request, make_head, make_clusterer, rows, embedding):
    """Both ways to train: a maker of clusterers, and what to fit them on."""
    if request.param == "images":
        return make_clusterer, embedding
    return make_head, rows


def weights_of(module):
    return {name: w.detach().clone() for name, w in module.state_dict().items()}


def equal_weights(first, second):
    assert first.keys() == second.keys()
    return all(torch.equal(first[name].cpu(), second[name].cpu()) for name in first)


# Results


def test_results_have_their_shapes(kind):
    make, X = kind
    n = len(X)
    clusterer = make(fine_tune_max_epochs=2, max_epochs=3)
    assert clusterer.fit(X) is clusterer
    assert (clusterer.labels_.shape, clusterer.labels_.dtype) == ((n,), np.int64)
    assert clusterer.probabilities_.shape == (n, 3)
    assert clusterer.neighbors_.shape == (n, 3)
    assert clusterer.neighbors_.dtype == np.int64
    assert clusterer.n_iter_ == (5 if clusterer.fine_tuned_ else 3)
    assert clusterer.n_features_in_ == X.shape[1]

    probabilities = clusterer.predict_proba(X)
    log_probabilities = clusterer.predict_log_proba(X)
    np.testing.assert_array_equal(clusterer.transform(X), log_probabilities)
    assert probabilities.dtype == log_probabilities.dtype == np.float32
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.exp(log_probabilities), probabilities, rtol=1e-5)
    np.testing.assert_array_equal(clusterer.predict(X), probabilities.argmax(axis=1))


def test_fine_tuning_goes_on_from_the_heads(make_clusterer, embedding):
    settings = {"max_epochs": 20, "fine_tune_lr": 1e-12}
    heads, tuned = (
        make_clusterer(fine_tune=fine_tune, **settings).fit(embedding)
        for fine_tune in [False, True]
    )
    pd.testing.assert_frame_equal(
        heads.history_.drop(columns="seconds"),
        tuned.history_.drop(columns="seconds").iloc[:20],
    )
    tuned = make_clusterer(**{**settings, "lr": 1e-12}).fit(embedding)
    start = make_clusterer(fine_tune=False, lr=1e-12).fit(embedding)
    assert np.mean(tuned.labels_ == start.labels_) > 0.9


def test_heads_have_a_rate_of_their_own_in_fine_tuning(make_clusterer, embedding):
    still = {"lr": 1e-12, "weight_decay": 0.0}
    start = make_clusterer(fine_tune=False, **still).fit(embedding).net_.module_
    tuned = make_clusterer(fine_tune_lr=1e-2, **still).fit(embedding)
    torch.testing.assert_close(tuned.net_.module_.heads.weight, start.heads.weight)
    before = weights_of(embedding.encoder)
    assert not equal_weights(weights_of(tuned.encoder_), before)


class Plan(Callback):
    """Notes how many epochs each stage is to take, and ends it before them."""

    def __init__(self):
        self.epochs = []

    def on_train_begin(self, net, **_):
        self.epochs.append(net.max_epochs)
        net.set_params(max_epochs=0)


@pytest.mark.parametrize(
    ("n_rows", "batch_size", "epochs"), [(400, 16, 100), (400, 2, 50), (1200, 2, 20)]
)
def test_heads_take_10_000_steps_in_20_to_100_epochs(
    n_rows, batch_size, epochs, make_head
):
    plan, rows = Plan(), np.random.default_rng(0).normal(size=(n_rows, 2))
    make_head(max_epochs="auto", batch_size=batch_size, callbacks=[plan]).fit(rows)
    assert plan.epochs == [epochs]


@pytest.mark.parametrize(
    ("n_rows", "batch_size", "epochs"),
    [
        (10_000, 128, 100),
        (60_000, 128, 21),
        (320_000, 128, 20),
        (1_000_000, 128, 6),
        (1_000_000, 1024, 10),
        (10_000_000, 128, 1),
    ],
)
def test_heads_see_6_million_rows_of_many(n_rows, batch_size, epochs):
    assert _stage_sizes.count_head_epochs("auto", n_rows, batch_size) == epochs
    assert _stage_sizes.count_head_epochs(7, n_rows, batch_size) == 7


@pytest.mark.parametrize(
    ("device", "batch_size", "epochs"),
    [("cpu", 16, 50), ("cpu", 2, 21), ("cuda", 2, 50)],
)
def test_fine_tuning_takes_500_steps_on_a_cpu_and_50_epochs_on_a_gpu(
    device, batch_size, epochs, make_clusterer, embedding, monkeypatch
):
    monkeypatch.setattr(_stage_sizes, "resolve_device", lambda _: torch.device(device))
    plan = Plan()
    settings = {"fine_tune_max_epochs": "auto", "batch_size": batch_size}
    make_clusterer(callbacks=[plan], **settings).fit(embedding)
    assert plan.epochs == [1, epochs]


def test_separate_blobs_are_found(make_head, blobs):
    rows, classes = blobs
    clusterer = make_head(max_epochs=3).fit(rows)
    assert clusterer.score(rows, classes) == 1.0
    assert len(np.unique(clusterer.labels_)) == 3


def test_few_epochs_on_few_rows_already_cluster(make_head):
    rows, classes = make_blobs(30, n_features=4, centers=3, random_state=1)
    assert make_head(fine_tune_max_epochs=1).fit(rows).score(rows, classes) > 0.9


def test_new_rows_get_the_cluster_of_their_blob(make_head, blobs):
    rows, classes = blobs
    clusterer = make_head().fit(rows[:40])
    assert clustering_accuracy_score(classes[40:], clusterer.predict(rows[40:])) == 1


# Score


def naive_scan_loss(p, q, entropy_weight, most):
    """``mean -log <p_i, q_ij> - w min(H(mean p), most)``, q_ij (n, k, c)."""
    agreements = [-np.log(p[i] @ q[i, j]) for i in range(len(p)) for j in range(3)]
    mean = p.mean(axis=0)
    spread = -(mean * np.log(mean)).sum()
    return np.mean(agreements) - entropy_weight * min(spread, most)


@pytest.mark.parametrize("entropy_target", ["uniform", "k-means"])
@pytest.mark.parametrize("entropy_weight", [0.0, 5.0])
def test_score_without_labels_equals_its_naive_twin(
    entropy_weight, entropy_target, make_head
):
    """Trained on unequal groups, scored on equal ones."""
    sizes = {"n_samples": [50, 20, 20], "n_features": 6, "cluster_std": 2.0}
    rows, _ = make_blobs(**sizes, shuffle=False, random_state=0)
    new = np.r_[40:50, 60:70, 80:90]
    trained, new = np.delete(rows, new, axis=0), rows[new]
    settings = {"entropy_weight": entropy_weight, "entropy_target": entropy_target}
    clusterer = make_head(**settings).fit(trained)
    center = trained.mean(axis=0)

    def unit(some):
        return (some - center) / np.linalg.norm(some - center, axis=1, keepdims=True)

    nearest = np.argsort(-(unit(new) @ unit(trained).T), axis=1)[:, :3]
    p, q = (
        softmax(clusterer.temperature_ * clusterer.predict_log_proba(some), axis=1)
        for some in (new.astype(float), trained)
    )
    q = q.astype(float)[nearest]
    most = entropy([40, 10, 10]) if entropy_target == "k-means" else np.inf
    expected = -naive_scan_loss(p, q, entropy_weight, most)
    assert clusterer.score(new) == pytest.approx(expected, rel=1e-4)


def test_score_with_labels_is_the_matched_accuracy(kind):
    make, X = kind
    clusterer = make().fit(X)
    y = np.array(["cat", "dog", "ant"])[np.arange(len(X)) % 3]
    expected = clustering_accuracy_score(y, clusterer.labels_)
    assert clusterer.score(X, y) == expected
    assert 1 / 3 <= expected <= 1


def test_score_of_images_is_finite(make_clusterer, embedder, embedding, images):
    clusterer = make_clusterer().fit(embedding)
    some = embedder.transform(images[:10])
    assert np.isfinite([clusterer.score(embedding), clusterer.score(some)]).all()


# Fine-tuning


def test_fine_tuning_leaves_the_embedder_alone(
    make_clusterer, embedder, embedding, images
):
    before = weights_of(embedder.net_.module_)
    clusterer = make_clusterer(fine_tune_max_epochs=2, fine_tune_lr=1e-3).fit(embedding)
    assert clusterer.fine_tuned_ is True
    assert equal_weights(weights_of(embedder.net_.module_), before)
    np.testing.assert_array_equal(embedder.transform(images), embedding)

    assert clusterer.encoder_ is not embedder.encoder_
    fine_tuned = weights_of(clusterer.encoder_)
    assert not equal_weights(fine_tuned, weights_of(embedder.encoder_))
    parameters = dict(clusterer.encoder_.named_parameters())
    originals = dict(embedder.encoder_.named_parameters())
    moved = [n for n in parameters if not torch.equal(parameters[n], originals[n])]
    assert len(moved) > len(parameters) / 2


def test_fine_tune_true_does_what_auto_does_on_images(make_clusterer, embedding):
    first, second = (
        make_clusterer(fine_tune=fine_tune).fit(embedding)
        for fine_tune in ["auto", True]
    )
    np.testing.assert_array_equal(first.probabilities_, second.probabilities_)
    assert first.fine_tuned_
    assert second.fine_tuned_


def test_fine_tuning_sees_the_images(make_clusterer, embedder, embedding, images):
    """What a fine-tuned clusterer predicts comes from the images, not from z."""
    clusterer = make_clusterer().fit(embedding)
    misleading = ImageEmbedding(
        np.zeros_like(embedding), images=images, encoder=embedder.encoder_
    )
    np.testing.assert_array_equal(clusterer.predict(misleading), clusterer.labels_)


def test_heads_alone_take_any_kind_of_rows(make_head, embedding, images):
    clusterer = make_head().fit(embedding)
    assert clusterer.fine_tuned_ is False
    np.testing.assert_array_equal(
        make_head().fit_predict(np.asarray(embedding)), clusterer.labels_
    )
    for method in PREDICTIONS:
        np.testing.assert_array_equal(
            getattr(clusterer, method)(np.asarray(embedding)),
            getattr(clusterer, method)(embedding),
        )


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
@pytest.mark.parametrize("colours", ["grey", "RGB"])
def test_augmentations(colours, augmentation, make_clusterer, make_embedder, images):
    X = images if colours == "grey" else np.stack([images, images, 255 - images], -1)
    embedding = make_embedder().fit_transform(X)
    clusterer = make_clusterer(augmentation=augmentation).fit(embedding)
    assert np.isfinite(clusterer.probabilities_).all()
    assert np.isfinite(clusterer.history_["loss"]).all()


@pytest.mark.parametrize(
    ("invariance", "expected"),
    [
        ("rotation", "R"),
        ("rotation+reflection", "R"),
        ("rotation+translation", "S1+R+T"),
    ],
)
def test_auto_augments_by_what_the_embedder_is_invariant_to(
    invariance, expected, make_embedder, make_clusterer, images
):
    embedding = make_embedder(invariance=invariance).fit_transform(images)
    auto, named = (
        make_clusterer(augmentation=name).fit(embedding) for name in ["auto", expected]
    )
    np.testing.assert_array_equal(auto.probabilities_, named.probabilities_)


def test_augmentations_differ(make_clusterer, embedding):
    fitted = [make_clusterer(augmentation=a).fit(embedding) for a in AUGMENTATIONS]
    losses = {clusterer.history_["loss"].iloc[1] for clusterer in fitted}
    assert len(losses) == len(AUGMENTATIONS)


# Heads


def test_the_best_head_is_kept(make_head, blobs, monkeypatch):
    """Of a head with all rows in one cluster and a good one, the good one stays."""
    rows, classes = blobs
    centred = rows - rows.mean(axis=0)
    good = np.stack([centred[classes == c].mean(axis=0) for c in range(3)])
    bad = np.repeat(good[:1], 3, axis=0)

    def start(z, n_clusters, n_heads, *, seed):
        centroids = np.stack([bad, bad, good, bad]).astype(np.float32)
        return Start(z.mean(axis=0), 1.0, centroids, math.log(3))

    monkeypatch.setattr(
        "invariant_cluster.clusterers._scan_clusterer.find_start", start
    )
    clusterer = make_head(n_heads=4, lr=1e-12).fit(rows)
    assert clusterer.score(rows, classes) == 1.0
    assert clusterer.probabilities_.shape == (60, 3)
    np.testing.assert_array_equal(clusterer.predict(rows), clusterer.labels_)


def test_more_heads_fit_at_least_as_well(make_head):
    rows, _ = make_blobs(80, n_features=2, centers=6, cluster_std=2.0, random_state=3)
    one, many = (
        make_head(6, n_heads=n_heads, lr=1e-12).fit(rows) for n_heads in [1, 6]
    )
    assert many.score(rows) >= one.score(rows) - 1e-6


def test_entropy_weight_keeps_clusters_in_use(make_head):
    rows, _ = make_blobs([80, 6, 6], n_features=4, random_state=0)

    def entropy(entropy_weight):
        clusterer = make_head(entropy_weight=entropy_weight, max_epochs=20, lr=0.3)
        mean = clusterer.fit(rows).probabilities_.mean(axis=0)
        return -(mean * np.log(mean + 1e-12)).sum()

    assert entropy(20.0) > entropy(0.0) + 0.02


def test_clusters_may_be_as_unequal_as_those_of_k_means(make_head):
    """Of unequal groups "uniform" makes equal clusters; "k-means" leaves them whole."""
    rows, _ = make_blobs([300, 20, 20], n_features=2, random_state=3)
    start = KMeans(3, n_init=10, random_state=0).fit_predict(rows)
    settings = {"max_epochs": 99, "lr": 0.1, "batch_size": 128}
    settings["entropy_weight"] = 20.0
    start, unequal, equal = (
        entropy(np.bincount(labels, minlength=3))
        for labels in (
            start,
            make_head(**settings).fit_predict(rows),
            make_head(entropy_target="uniform", **settings).fit_predict(rows),
        )
    )
    assert start < 0.5
    assert unequal - start < 0.3 * (equal - start)
    assert equal > 1.0


def test_batches_may_be_as_unequal_as_draws_from_the_k_means_clusters(make_head):
    """A draw has less entropy than the whole; the reward ends there, not beyond."""
    rows, classes = make_blobs([300, 60, 40], n_features=4, random_state=3)
    net = make_head(batch_size=20).fit(rows).net_
    draws = np.random.default_rng(0).choice(classes, (4000, 20))
    counts = np.stack([(draws == c).sum(axis=1) for c in range(3)])
    expected = entropy(counts).mean()
    assert net.criterion_.entropy_target == pytest.approx(expected, abs=0.01)
    assert expected < entropy([300, 60, 40]) - 0.03


# Rounds


def test_each_round_has_its_stages(make_clusterer, embedding):
    settings = {"fine_tune_max_epochs": 2, "n_rounds": 3, "self_label": True}
    clusterer = make_clusterer(**settings).fit(embedding)
    counts = clusterer.history_.groupby("stage", sort=False).size()
    assert counts.to_dict() == {
        "heads": 1,
        "fine-tuning": 2,
        "fine-tuning 2": 2,
        "fine-tuning 3": 2,
        "self-labelling": 20,
    }
    assert np.isfinite(clusterer.history_["loss"]).all()
    np.testing.assert_array_equal(clusterer.predict(embedding), clusterer.labels_)


def test_a_round_mines_neighbors_on_the_encoder_tuned_before(
    make_clusterer, embedding, images
):
    once, twice = (
        make_clusterer(n_rounds=n, fine_tune_max_epochs=9, fine_tune_lr=1e-2).fit(
            embedding
        )
        for n in [1, 2]
    )
    with torch.no_grad():
        tuned = once.encoder_(torch.tensor(images)[:, None])
    np.testing.assert_array_equal(twice.neighbors_, mine_neighbors(tuned, 3))
    assert (twice.neighbors_ != once.neighbors_).any()
    np.testing.assert_array_equal(twice.training_embedding_, embedding)


def test_rounds_go_on_from_the_clusters_before(make_clusterer, embedding):
    still = {"fine_tune_lr": 1e-9, "lr": 1e-9}
    once, twice = (make_clusterer(**still, n_rounds=n).fit(embedding) for n in [1, 2])
    np.testing.assert_allclose(twice.probabilities_, once.probabilities_, atol=1e-3)


def test_one_head_of_several_is_fine_tuned(make_clusterer, embedding):
    n_heads = []

    class Count(Callback):
        def on_train_begin(self, net, **_):
            n_heads.append(net.module_.heads.n_heads)

    clusterer = make_clusterer(n_rounds=2, n_heads=3, callbacks=[Count()])
    clusterer.fit(embedding)
    assert n_heads == [3, 1, 1]
    np.testing.assert_array_equal(clusterer.predict(embedding), clusterer.labels_)


def test_rounds_are_saved(make_clusterer, embedding, tmp_path):
    clusterer = make_clusterer(n_rounds=2).fit(embedding)
    assert clusterer.neighbors_recall_ == 1
    clusterer.neighbors_recall_ = 0.97
    clusterer.save(tmp_path / "rounds.safetensors")
    loaded = SCANClusterer.load(tmp_path / "rounds.safetensors")
    assert loaded.n_rounds == 2
    assert loaded.neighbors_recall_ == 0.97
    np.testing.assert_array_equal(loaded.neighbors_, clusterer.neighbors_)
    np.testing.assert_array_equal(loaded.predict(embedding), clusterer.labels_)


# Self-labelling


def test_each_stage_has_its_epochs(make_clusterer, embedding):
    settings = {
        "fine_tune_max_epochs": 2,
        "self_label_max_epochs": 3,
        "self_label_lr": 1e-9,
    }
    clusterer = make_clusterer(self_label=True, **settings).fit(embedding)
    assert clusterer.n_iter_ == len(clusterer.history_) == 6
    counts = clusterer.history_.groupby("stage", sort=False).size()
    assert counts.to_dict() == {"heads": 1, "fine-tuning": 2, "self-labelling": 3}
    assert np.isfinite(clusterer.history_["loss"]).all()
    np.testing.assert_array_equal(clusterer.predict(embedding), clusterer.labels_)


def test_self_labelling_without_a_confident_image(make_clusterer, embedding):
    clusterer = make_clusterer(self_label=True, confidence_threshold=1 - 1e-9)
    clusterer.fit(embedding)
    assert np.isfinite(clusterer.history_["loss"]).all()
    assert np.isfinite(clusterer.probabilities_).all()


class KillCluster(Callback):
    """Empties every cluster but one at the end of the last stage."""

    def on_train_begin(self, net, **_):
        self.n_stages_ = getattr(self, "n_stages_", 0) + 1

    def on_train_end(self, net, **_):
        if self.n_stages_ == 3:
            with torch.no_grad():
                net.module_.heads.weight.zero_()
                net.module_.heads.bias.zero_()
                net.module_.heads.bias[..., 0] = 50


def test_self_labelling_that_empties_a_cluster_is_undone(make_clusterer, embedding):
    still = {"fine_tune_lr": 1e-9, "lr": 1e-9}
    scan = make_clusterer(**still).fit(embedding)
    assert len(np.unique(scan.labels_)) > 1
    kill = KillCluster()
    guarded = make_clusterer(**still, self_label=True, callbacks=[kill])
    guarded.set_params(self_label_max_epochs=1)
    with pytest.warns(UserWarning, match=r"emptied cluster.*confidence_threshold"):
        guarded.fit(embedding)
    assert kill.n_stages_ == 3
    np.testing.assert_array_equal(guarded.probabilities_, scan.probabilities_)
    np.testing.assert_array_equal(guarded.labels_, scan.labels_)
    np.testing.assert_array_equal(guarded.predict(embedding), scan.labels_)


# Training


def test_history_has_one_row_an_epoch_and_one_column_a_term(kind):
    make, X = kind
    settings = {"fine_tune_max_epochs": 3, "max_epochs": 2, "entropy_target": "uniform"}
    clusterer = make(**settings).fit(X)
    history = clusterer.history_
    n_epochs = 5 if clusterer.fine_tuned_ else 2
    assert len(history) == clusterer.n_iter_ == n_epochs
    assert {"loss", "consistency", "entropy", "seconds", "stage"} <= set(history)
    np.testing.assert_allclose(
        history["loss"],
        history["consistency"] - clusterer.entropy_weight * history["entropy"],
        rtol=1e-3,
        atol=1e-4,
    )


def test_verbose_tells_the_time_left_and_the_loss(kind, capsys):
    make, X = kind
    clusterer = make(fine_tune_max_epochs=2, max_epochs=2, verbose=2).fit(X)
    printed = "".join(capsys.readouterr())
    assert re.search(r"\d+/\d+ \[\d\d:\d\d<\d\d:\d\d", printed)
    for term in ["consistency", "entropy"]:
        assert len(re.findall(rf"{term} [\d.e+-]+", printed)) == clusterer.n_iter_


class Interrupt(Callback):
    """Presses Ctrl-C at the end of an epoch of one stage."""

    def __init__(self, stage=1):
        self.stage = stage

    def on_train_begin(self, net, **_):
        self.n_stages_ = getattr(self, "n_stages_", 0) + 1

    def on_epoch_end(self, net, **_):
        if self.n_stages_ == self.stage:
            raise KeyboardInterrupt


def test_interrupt_keeps_what_was_trained(kind):
    make, X = kind
    settings = {"fine_tune_max_epochs": 9, "max_epochs": 9, "self_label": True}
    clusterer = make(**settings, callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        clusterer.fit(X)
    assert clusterer.n_iter_ == len(clusterer.history_) == 1
    assert clusterer.fine_tuned_ is False
    np.testing.assert_array_equal(clusterer.predict(X), clusterer.labels_)
    assert np.isfinite(clusterer.score(X))


@pytest.mark.parametrize("stage", [2, 3])
def test_interrupt_of_a_later_stage(make_clusterer, embedding, stage):
    clusterer = make_clusterer(self_label=True, callbacks=[Interrupt(stage)])
    with pytest.raises(KeyboardInterrupt):
        clusterer.fit(embedding)
    assert clusterer.n_iter_ == stage
    assert clusterer.fine_tuned_
    np.testing.assert_array_equal(clusterer.predict(embedding), clusterer.labels_)


@pytest.mark.parametrize(
    ("stage", "result"), [(2, "fine-tuning"), (3, "fine-tuning 2")]
)
def test_interrupt_of_a_later_round(make_clusterer, embedding, stage, result):
    clusterer = make_clusterer(n_rounds=3, n_heads=2, callbacks=[Interrupt(stage)])
    with pytest.raises(KeyboardInterrupt):
        clusterer.fit(embedding)
    assert clusterer.n_iter_ == stage
    assert clusterer.fine_tuned_
    assert clusterer.history_["stage"].iloc[-1] == result
    np.testing.assert_array_equal(clusterer.predict(embedding), clusterer.labels_)


@pytest.mark.parametrize(
    ("module", "step", "n_before"),
    [(_scan_clusterer, "map_rows", 0), (_embedding_clusterer, "mine_with_recall", 1)],
)
def test_interrupt_between_rounds(
    make_clusterer, embedding, monkeypatch, module, step, n_before
):
    once = make_clusterer().fit(embedding)
    work, calls = getattr(module, step), []

    def interrupt(*arguments, **options):
        calls.append(step)
        if len(calls) > n_before:
            raise KeyboardInterrupt
        return work(*arguments, **options)

    monkeypatch.setattr(module, step, interrupt)
    clusterer = make_clusterer(n_rounds=3, self_label=True)
    with pytest.raises(KeyboardInterrupt):
        clusterer.fit(embedding)
    assert clusterer.history_["stage"].tolist() == ["heads", "fine-tuning"]
    np.testing.assert_array_equal(clusterer.neighbors_, once.neighbors_)
    np.testing.assert_array_equal(clusterer.probabilities_, once.probabilities_)
    np.testing.assert_array_equal(clusterer.predict(embedding), clusterer.labels_)


def test_early_stopping(kind):
    make, X = kind
    stop = EarlyStopping(
        monitor="train_loss", patience=2, threshold=1e9, threshold_mode="abs", sink=len
    )
    settings = {"fine_tune_max_epochs": 8, "max_epochs": 8}
    clusterer = make(**settings, callbacks=[stop])
    try:
        clusterer.fit(X)
    except KeyboardInterrupt:  # by which skorch's callback stops
        pytest.fail("early stopping was taken for Ctrl-C", pytrace=False)
    counts = clusterer.history_.groupby("stage", sort=False).size()
    assert set(counts) == {3}
    assert len(counts) == (2 if clusterer.fine_tuned_ else 1)


class Poison(Callback):
    """Makes the weights NaN before or after an epoch."""

    def __init__(self, epoch, *, after=False):
        self.epoch = epoch
        self.after = after

    def poison(self, net):
        if len(net.history) == self.epoch:
            with torch.no_grad():
                for parameter in net.module_.parameters():
                    parameter.fill_(float("nan"))

    def on_epoch_begin(self, net, **_):
        if not self.after:
            self.poison(net)

    def on_epoch_end(self, net, **_):
        if self.after:
            self.poison(net)


def nan_methods(clusterer, X):
    """Return the prediction methods that return NaN, rather than raise."""
    returned = {}
    for method in PREDICTIONS[1:]:
        try:
            returned[method] = np.isfinite(getattr(clusterer, method)(X)).all()
        except (NotFittedError, FloatingPointError):
            continue
    return [method for method, finite in returned.items() if not finite]


def test_nan_loss_stops_training(kind):
    make, X = kind
    settings = {"max_epochs": 5, "lr": 0.00123}
    clusterer = make(**settings, callbacks=[Poison(2)])
    with pytest.raises(
        FloatingPointError, match=r"loss became nan in epoch 2: lower lr .*0\.00123"
    ):
        clusterer.fit(X)
    assert nan_methods(clusterer, X) == []
    with pytest.raises(NotFittedError):
        clusterer.predict(X)


def test_nan_after_the_last_loss_is_found(kind):
    """The step after the last loss can make weights NaN that no loss has seen."""
    make, X = kind
    settings = {"fine_tune_max_epochs": 2, "max_epochs": 2}
    clusterer = make(**settings, callbacks=[Poison(2, after=True)])
    with pytest.raises(FloatingPointError, match=r"lr\b"):
        clusterer.fit(X)
    assert nan_methods(clusterer, X) == []


def test_far_too_high_lr(make_clusterer, embedding):
    clusterer = make_clusterer(fine_tune_lr=1e20, batch_size=64)
    with pytest.raises(FloatingPointError, match=r"\blr\b"):
        clusterer.fit(embedding)
    assert nan_methods(clusterer, embedding) == []


# Randomness


@pytest.mark.usefixtures("generators_unchanged")
def test_global_generators_stay(make_clusterer, embedding):
    clusterer = make_clusterer(self_label=True, n_heads=2).fit(embedding)
    clusterer.predict(embedding)
    clusterer.score(embedding)


@pytest.mark.filterwarnings("ignore:.* images are blank")
@pytest.mark.parametrize("value", [0, 7])
def test_constant_images_cluster_without_nan(
    value, make_embedder, make_clusterer, images
):
    X = np.full_like(images, value)
    embedding = make_embedder().fit_transform(X)
    clusterer = make_clusterer(self_label=True).fit(embedding)
    assert np.isfinite(clusterer.probabilities_).all()
    assert np.isfinite(clusterer.history_["loss"]).all()


def test_precision_is_that_of_fine_tuning(make_clusterer, embedding):
    automatic, single, half = (
        make_clusterer(precision=precision).fit(embedding).probabilities_
        for precision in ["auto", "float32", "bfloat16"]
    )
    assert single.dtype == half.dtype == np.float32
    assert not np.array_equal(half, single)
    # What "auto" means depends on what the processor multiplies fast.
    assert np.array_equal(automatic, single) or np.array_equal(automatic, half)


def test_heads_alone_are_trained_in_float32(make_head, rows):
    single, half = (
        make_head(precision=precision).fit(rows).probabilities_
        for precision in ["float32", "bfloat16"]
    )
    np.testing.assert_array_equal(half, single)


def test_the_training_embedding_is_a_copy(make_head, rows):
    given = rows.astype(np.float32)
    clusterer = make_head().fit(given)
    before = clusterer.score_samples(rows)
    given[:] = 0
    np.testing.assert_array_equal(clusterer.score_samples(rows), before)


def test_images_of_another_shape_are_not_folded_anew(
    make_clusterer, embedder, embedding, images
):
    other = ImageEmbedding(embedding, images.reshape(48, 8, 32), embedder.encoder_)
    with pytest.raises(ValueError, match=r"\(48, 8, 32\)"):
        make_clusterer().fit(other)


def test_parameters_changed_after_the_fit_do_not_change_the_score(make_head, rows):
    clusterer = make_head().fit(rows)
    before = clusterer.score(rows)
    clusterer.set_params(n_neighbors=9, n_clusters=7)
    assert clusterer.score(rows) == before
    assert len(clusterer.get_feature_names_out()) == 3


def test_ctrl_c_after_the_epochs_keeps_what_was_trained(
    make_clusterer, embedding, monkeypatch
):
    function, calls = _embedding_clusterer.infer_heads, []

    def interrupt(*arguments):
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return function(*arguments)

    monkeypatch.setattr(_embedding_clusterer, "infer_heads", interrupt)
    clusterer = make_clusterer()
    with pytest.raises(KeyboardInterrupt):
        clusterer.fit(embedding)
    np.testing.assert_array_equal(clusterer.predict(embedding), clusterer.labels_)
