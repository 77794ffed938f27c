"""Heads that find in one space what others found in another."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from invariant_cluster.clusterers import imitate_heads

WIDE, NARROW = 12.0, 0.5


def make_unequal_rows(n=200):
    """Return two groups along a line; much of the wide one is near the other's mean."""
    rng = np.random.default_rng(0)
    line = np.concatenate([rng.uniform(0, WIDE, n), rng.uniform(-NARROW, 0, n // 4)])
    z = np.stack([line, rng.normal(size=len(line))], axis=1).astype(np.float32)
    return z, (line < 0).astype(int)


def one_hot(labels):
    """Return certain probabilities of one head, (n, 1, n_clusters)."""
    return np.eye(labels.max() + 1, dtype=np.float32)[labels, None]


def read_heads(heads, z):
    with torch.no_grad():
        return heads(torch.from_numpy(z)).exp().numpy()


def test_clusters_of_unequal_width_are_found_where_means_would_part_them_wrongly():
    z, labels = make_unequal_rows()
    means = np.stack([z[labels == cluster].mean(axis=0) for cluster in (0, 1)])
    by_means = np.linalg.norm(z[:, None] - means, axis=2).argmin(axis=1)
    assert (by_means == labels).mean() < 0.85
    found = read_heads(imitate_heads(z, one_hot(labels)), z)[0].argmax(axis=1)
    assert (found == labels).mean() > 0.97


def test_the_heads_are_a_logistic_regression():
    z, labels = make_unequal_rows()
    heads = imitate_heads(z, one_hot(labels))
    scaled = (z - heads.mean.numpy()) / heads.scale.item()
    # Two clusters have two weights each, of opposite sign: half the penalty of one.
    peer = LogisticRegression(C=2 / (len(z) * 1e-4), max_iter=5000, tol=1e-8)
    expected = peer.fit(scaled, labels).predict_proba(scaled)
    np.testing.assert_allclose(read_heads(heads, z)[0], expected, atol=0.01)


def test_each_head_imitates_its_own_clusters():
    z, labels = make_unequal_rows()
    other = (z[:, 1] > 0).astype(int)
    heads = imitate_heads(z, np.concatenate([one_hot(labels), one_hot(other)], axis=1))
    alone = imitate_heads(z, one_hot(labels))
    p = read_heads(heads, z)
    assert (p[1].argmax(axis=1) == other).mean() > 0.97
    np.testing.assert_allclose(p[0], read_heads(alone, z)[0], atol=0.02)


def test_unsure_clusters_stay_as_unsure_as_they_are():
    z, _ = make_unequal_rows()
    one = 1 / (1 + np.exp(-z[:, 1]))
    unsure = np.stack([one, 1 - one], axis=1).astype(np.float32)
    found = read_heads(imitate_heads(z, unsure[:, None]), z)[0]
    np.testing.assert_allclose(found, unsure, atol=0.01)


def test_equal_rows_and_an_empty_cluster_are_no_trouble():
    z = np.full((10, 3), 2.0, np.float32)
    p = np.zeros((10, 1, 3), np.float32)
    p[:6, :, 0], p[6:, :, 1] = 1, 1
    found = read_heads(imitate_heads(z, p), z)
    np.testing.assert_allclose(found[0, 0], [0.6, 0.4, 0.0], atol=0.01)


def test_nothing_is_left_for_the_next_optimiser():
    z, labels = make_unequal_rows()
    heads = imitate_heads(z, one_hot(labels))
    for parameter in heads.parameters():
        assert parameter.requires_grad
        assert parameter.grad is None
