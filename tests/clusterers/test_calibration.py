"""Probabilities are softened until they foretell the neighbours' clusters."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.datasets import make_blobs

from invariant_cluster import SCANClusterer, TEMIClusterer, load_model
from invariant_cluster.clusterers._calibration import (
    at_temperature,
    find_temperature,
    log_of,
)
from invariant_cluster.neighbors import mine_neighbors
from invariant_cluster.persistence import dump_clusterer, restore_clusterer

N_ROWS, N_CLUSTERS = 2000, 4


@pytest.fixture
def overlapping():
    return make_blobs(400, 6, centers=4, cluster_std=6.0, random_state=0)[0]


def rows_and_neighbors(agreement, confidence, n_neighbors=5):
    """Rows of one confidence, whose neighbours are of the same cluster by a share."""
    random = np.random.default_rng(0)
    labels = np.arange(N_ROWS) % N_CLUSTERS
    p = np.full((N_ROWS, N_CLUSTERS), (1 - confidence) / (N_CLUSTERS - 1))
    p[np.arange(N_ROWS), labels] = confidence
    same = random.random((N_ROWS, n_neighbors)) < agreement
    other = (labels[:, None] + random.integers(1, N_CLUSTERS, same.shape)) % N_CLUSTERS
    wanted = np.where(same, labels[:, None], other)
    group = random.integers(N_ROWS // N_CLUSTERS, size=same.shape)
    return np.log(p), wanted + N_CLUSTERS * group


@pytest.mark.parametrize("agreement", [0.6, 0.8, 0.95])
def test_confidence_becomes_the_share_of_neighbors_that_agree(agreement):
    log_p, neighbors = rows_and_neighbors(agreement, confidence=0.99)
    softened = np.exp(at_temperature(log_p, find_temperature(log_p, neighbors)))
    assert softened.max(axis=1).mean() == pytest.approx(agreement, abs=0.01)
    np.testing.assert_allclose(softened.sum(axis=1), 1)


def test_the_temperature_is_the_best_of_a_grid(overlapping):
    head = SCANClusterer(4, fine_tune=False, random_state=0).fit(overlapping)
    log_p = head.predict_log_proba(overlapping) * 3
    log_p = log_softmax(log_p, axis=1)
    neighbors = mine_neighbors(overlapping, 20)
    labels = log_p.argmax(axis=1)[neighbors]

    def log_likelihood(temperature):
        softened = log_softmax(log_p / temperature, axis=1)
        return np.take_along_axis(softened, labels, axis=1).mean()

    grid = np.geomspace(1, 10, 400)
    best = grid[np.argmax([log_likelihood(t) for t in grid])]
    assert 1.05 < best < 9.5
    assert find_temperature(log_p, neighbors) == pytest.approx(best, rel=0.01)


def test_probabilities_are_never_sharpened():
    log_p, neighbors = rows_and_neighbors(agreement=0.95, confidence=0.6)
    assert find_temperature(log_p, neighbors) == 1
    assert at_temperature(log_p, 1.0) is log_p


def test_impossible_clusters_do_not_upset_the_temperature():
    log_p = np.array([[0.0, -np.inf], [-np.inf, 0.0]], dtype=np.float32)
    assert find_temperature(log_p, np.array([[0], [1]])) == 1


def test_one_cluster_has_temperature_1():
    assert find_temperature(np.zeros((5, 1)), np.zeros((5, 2), dtype=int)) == 1


def test_the_inverse_temperature_undoes_it():
    log_p = log_softmax(np.random.default_rng(0).normal(size=(20, 4)), axis=1)
    softened = np.exp(at_temperature(log_p, 2.5))
    np.testing.assert_allclose(at_temperature(log_of(softened), 1 / 2.5), log_p)


@pytest.mark.parametrize("kind", [SCANClusterer, TEMIClusterer])
def test_fitted_probabilities_are_at_the_temperature(kind, overlapping, tmp_path):
    """Without the entropy's pull, heads are far too sure of groups that overlap."""
    options = {"entropy_weight": 0.0} if kind is SCANClusterer else {"beta": 1.0}
    clusterer = kind(4, fine_tune=False, random_state=0, **options).fit(overlapping)
    assert clusterer.temperature_ > 1
    assert clusterer.probabilities_.dtype == np.float32
    log_p = clusterer.predict_log_proba(overlapping)
    raw = softmax(clusterer.temperature_ * log_p.astype(float), axis=1)
    assert raw.max(axis=1).mean() > np.exp(log_p).max(axis=1).mean()
    np.testing.assert_array_equal(raw.argmax(axis=1), clusterer.labels_)
    np.testing.assert_allclose(np.exp(log_p), clusterer.probabilities_, atol=1e-5)
    clusterer.save(tmp_path / "model.ic")
    loaded = load_model(tmp_path / "model.ic")
    assert loaded.temperature_ == clusterer.temperature_
    np.testing.assert_array_equal(loaded.predict_log_proba(overlapping), log_p)
    assert loaded.score(overlapping) == clusterer.score(overlapping)


def test_a_file_without_a_temperature_has_temperature_1(overlapping):
    clusterer = SCANClusterer(4, fine_tune=False, entropy_weight=0.0, random_state=0)
    part = dump_clusterer(clusterer.fit(overlapping))
    del part.spec["state"]["temperature"]
    older = SCANClusterer(4, fine_tune=False)
    restore_clusterer(older, part, None)
    log_p = clusterer.predict_log_proba(overlapping).astype(float)
    sharper = log_softmax(clusterer.temperature_ * log_p, axis=1)
    found = older.predict_log_proba(overlapping)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, sharper, atol=1e-4)


def test_an_interrupt_while_the_temperature_is_sought_keeps_the_fit(
    overlapping, monkeypatch
):
    """It is passed on after the search, which is done once more."""
    calls = []

    def pressed_once(log_p, neighbors):
        calls.append(len(log_p))
        if len(calls) == 1:
            raise KeyboardInterrupt
        return find_temperature(log_p, neighbors)

    module = "invariant_cluster.clusterers._embedding_clusterer.find_temperature"
    monkeypatch.setattr(module, pressed_once)
    clusterer = SCANClusterer(4, fine_tune=False, max_epochs=2, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        clusterer.fit(overlapping)
    assert len(calls) == 2
    assert clusterer.predict_proba(overlapping).shape == (400, 4)
