"""Cluster heads, their starting points, and what SCAN minimises."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from torch import nn

from invariant_cluster.clusterers import find_start
from invariant_cluster.losses import mean_entropy, scan_consistency
from invariant_cluster.modules import ClusterHeads, ScanModule
from invariant_cluster.training import ScanObjective, SelfLabelObjective


def naive_heads(z, mean, scale, centroids, sharpness=10.0):
    """Softmax of ``-s/2 ||u - c||^2``, u the centred and scaled z."""
    heads = []
    for head in centroids:
        rows = []
        for point in z:
            row = [(x - m) / scale for x, m in zip(point, mean, strict=True)]
            logits = [-sharpness / 2 * math.dist(row, c) ** 2 for c in head]
            total = sum(math.exp(logit) for logit in logits)
            rows.append([math.exp(logit) / total for logit in logits])
        heads.append(rows)
    return heads


def make_groups(n=30, d=5, n_groups=3):
    """Groups in directions of their own."""
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(d, d)))[0][:n_groups]
    labels = np.arange(n) % n_groups
    z = 9 * (directions[labels] + 0.05 * rng.normal(size=(n, d)))
    return z.astype(np.float32), labels


# Heads


@pytest.mark.parametrize("n_heads", [1, 3])
def test_heads_equal_the_naive_twin(n_heads):
    mean, centroids, z = torch.randn(5), torch.randn(n_heads, 4, 5), torch.randn(7, 5)
    p = ClusterHeads(mean, 1.7, centroids)(z).exp()
    expected = naive_heads(z.tolist(), mean.tolist(), 1.7, centroids.tolist())
    torch.testing.assert_close(p, torch.tensor(expected), atol=1e-5, rtol=1e-4)


def test_heads_are_trained_and_the_mean_is_not():
    heads = ClusterHeads(torch.randn(5), 2.0, torch.randn(2, 4, 5))
    assert {name for name, _ in heads.named_parameters()} == {"weight", "bias"}
    assert {"mean", "scale"} <= set(heads.state_dict())


def test_heads_do_not_share_memory_with_what_they_start_from():
    mean, centroids = torch.randn(5), torch.randn(1, 4, 5)
    heads, before = ClusterHeads(mean, 2.0, centroids), centroids.clone()
    heads.weight.data.zero_()
    heads.mean.zero_()
    assert torch.equal(centroids, before)
    assert mean.all()


def test_the_precision_of_z_does_not_matter():
    heads = ClusterHeads(torch.randn(5), 2.0, torch.randn(1, 4, 5))
    assert heads(torch.randn(7, 5).bfloat16()).dtype == torch.float32


@pytest.mark.parametrize("head", [0, 2])
def test_one_head_can_be_kept(head):
    heads, z = (
        ClusterHeads(torch.randn(5), 2.0, torch.randn(3, 4, 5)),
        torch.randn(7, 5),
    )
    before = heads(z)
    heads.keep(head)
    assert heads(z).shape == (1, 7, 4)
    torch.testing.assert_close(heads(z)[0], before[head])
    heads(z).sum().backward()
    assert all(parameter.grad is not None for parameter in heads.parameters())


def test_the_module_is_the_heads_after_the_encoder():
    heads = ClusterHeads(torch.zeros(5), 2.0, torch.randn(2, 4, 5))
    encoder = nn.Linear(3, 5)
    x = torch.randn(6, 3)
    assert torch.equal(ScanModule(encoder, heads)(x), heads(encoder(x)))


# Starting points


@pytest.mark.usefixtures("generators_unchanged")
def test_heads_that_start_from_centroids_find_groups_without_training():
    z, labels = make_groups()
    mean, scale, centroids, _ = find_start(z, 3, 2, seed=0)
    assert centroids.shape == (2, 3, 5)
    assert mean.dtype == centroids.dtype == np.float32
    heads = ClusterHeads(torch.from_numpy(mean), scale, torch.from_numpy(centroids))
    for found in heads(torch.from_numpy(z)).argmax(dim=-1).numpy():
        pairs = set(zip(found.tolist(), labels.tolist(), strict=True))
        assert len(pairs) == 3  # the groups, under names of their own


def test_centroids_are_means_of_the_scaled_rows():
    z, labels = make_groups()
    rows = z - z.mean(axis=0)
    scale = math.sqrt(np.mean([np.dot(row, row) for row in rows]))
    expected = [rows[labels == group].mean(axis=0) / scale for group in range(3)]
    start = find_start(z, 3, 1, seed=0)
    assert start.scale == pytest.approx(scale, rel=1e-5)
    np.testing.assert_allclose(start.mean, z.mean(axis=0), atol=1e-5)
    found = start.centroids[0]
    order = [int(np.linalg.norm(found - mean, axis=1).argmin()) for mean in expected]
    np.testing.assert_allclose(found[order], expected, atol=1e-5)


def test_heads_start_apart_and_repeat_with_the_seed():
    z = np.random.default_rng(0).normal(size=(60, 5))
    first = find_start(z, 6, 3, seed=0).centroids
    np.testing.assert_array_equal(first, find_start(z, 6, 3, seed=0).centroids)
    assert not np.allclose(first[0], first[1])
    assert not np.allclose(first, find_start(z, 6, 3, seed=9).centroids)


def test_the_scale_and_the_mean_of_z_do_not_matter():
    z, _ = make_groups()
    first, moved = find_start(z, 3, 1, seed=0), find_start(5 * z + 3, 3, 1, seed=0)
    np.testing.assert_allclose(moved.centroids, first.centroids, atol=1e-4)
    probabilities = [
        ClusterHeads(
            torch.from_numpy(start.mean), start.scale, torch.from_numpy(start.centroids)
        )(torch.from_numpy(rows))
        for start, rows in [(first, z), (moved, 5 * z + 3)]
    ]
    torch.testing.assert_close(*probabilities, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("value", [0.0, 3.7])
def test_equal_rows_have_a_start_without_nan_or_warning(value):
    start = find_start(np.full((10, 4), value, np.float32), 3, 2, seed=0)
    assert start.scale > 0
    assert np.isfinite(start.centroids).all()


@pytest.mark.parametrize("sizes", [(20, 20, 20), (60, 10, 5)])
def test_the_start_knows_how_unequal_the_clusters_are(sizes):
    rng = np.random.default_rng(0)
    z = np.repeat(np.eye(3) * 9, sizes, axis=0) + rng.normal(size=(sum(sizes), 3))
    shares = np.array(sizes) / sum(sizes)
    expected = -(shares * np.log(shares)).sum()
    assert find_start(z, 3, 1, seed=0).entropy == pytest.approx(expected)


def test_the_clusters_of_the_first_head_are_the_limit_however_many_follow():
    z = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    start = find_start(z, 6, 4, seed=3, n_init=2)
    scaled = (z - start.mean) / start.scale
    entropies = []
    for centroids in start.centroids:
        p = np.bincount(cdist(scaled, centroids).argmin(axis=1), minlength=6) / len(z)
        entropies.append(-(p * np.log(p)).sum())
    assert start.entropy == pytest.approx(entropies[0])
    assert max(entropies) > entropies[0] + 0.001


# Objectives


def draw_log_p(*shape):
    return (2 * torch.randn(shape)).log_softmax(dim=-1)


@pytest.mark.parametrize("n_heads", [1, 3])
@pytest.mark.parametrize("entropy_weight", [0.0, 5.0])
def test_the_scan_objective_is_its_formula(n_heads, entropy_weight):
    anchors, neighbors = draw_log_p(n_heads, 6, 4), draw_log_p(n_heads, 6, 4)
    terms = ScanObjective(entropy_weight)(torch.cat([anchors, neighbors], dim=1))
    consistency, entropy, loss = 0.0, 0.0, 0.0
    for head in range(n_heads):
        agree = scan_consistency(anchors[head], neighbors[head]).item()
        spread = mean_entropy(anchors[head]).item()
        consistency += agree / n_heads
        entropy += spread / n_heads
        loss += agree - entropy_weight * spread
    assert terms["consistency"].item() == pytest.approx(consistency, rel=1e-5)
    assert terms["entropy"].item() == pytest.approx(entropy, rel=1e-5)
    assert terms["loss"].item() == pytest.approx(loss, rel=1e-5)


def test_entropy_beyond_its_target_earns_nothing():
    batch = draw_log_p(1, 12, 4).requires_grad_()
    entropy = mean_entropy(batch[0, :6]).item()
    losses = {
        target: ScanObjective(5.0, entropy_target=target)(batch)["loss"]
        for target in (math.inf, entropy + 0.1, entropy - 0.1)
    }
    whole, below, beyond = losses.values()
    assert whole.item() == below.item() == pytest.approx(beyond.item() - 0.5, rel=1e-5)
    gradients = [
        torch.autograd.grad(loss, batch, retain_graph=True)[0]
        for loss in (beyond, ScanObjective(0.0)(batch)["loss"])
    ]
    torch.testing.assert_close(*gradients)


def test_the_entropy_of_each_head_has_the_target_for_itself():
    batch = draw_log_p(2, 12, 4)
    batch[1, :6] = (9 * torch.eye(4)[[0, 0, 0, 0, 0, 1]]).log_softmax(dim=-1)
    spreads = mean_entropy(batch[:, :6]).tolist()
    target = sum(spreads) / 2  # between the two
    losses = [
        ScanObjective(3.0, entropy_target=target)(heads)["loss"].item()
        for heads in (batch, batch[:1], batch[1:])
    ]
    assert losses[0] == pytest.approx(losses[1] + losses[2], rel=1e-5)
    plain = ScanObjective(3.0)(batch)["loss"].item()
    assert losses[0] == pytest.approx(plain + 3 * (max(spreads) - target), rel=1e-5)


def test_scan_prefers_clusters_that_are_sure_agreed_and_even():
    objective = ScanObjective(5.0)
    sure = (50 * torch.eye(4)).log_softmax(dim=-1)

    def loss(anchors, neighbors):
        return objective(torch.cat([anchors, neighbors])[None])["loss"].item()

    best = loss(sure, sure)
    assert best == pytest.approx(-5 * math.log(4), rel=1e-4)
    assert loss(sure, sure.roll(1, 0)) > best  # neighbours disagree
    assert loss(sure[[0, 0, 0, 0]], sure[[0, 0, 0, 0]]) > best  # one cluster holds all
    unsure = torch.zeros(4, 4).log_softmax(dim=-1)
    assert loss(unsure, unsure) > best


def test_self_labelling_teaches_the_labels_of_confident_images():
    plain = torch.tensor([[0.95, 0.05], [0.2, 0.8], [0.02, 0.98]]).log()
    augmented = draw_log_p(3, 2).requires_grad_()
    terms = SelfLabelObjective(0.9)((plain, augmented))
    expected = (-augmented[0, 0] - augmented[2, 1]) / 2
    assert terms["loss"].item() == pytest.approx(expected.item(), rel=1e-5)
    assert terms["confident"].item() == pytest.approx(2 / 3)
    terms["loss"].backward()
    assert not augmented.grad[1].any()


def test_a_probability_at_the_threshold_is_confident():
    plain = torch.tensor([[0.75, 0.25]]).log()
    assert SelfLabelObjective(0.75)((plain, plain))["confident"].item() == 1
    assert SelfLabelObjective(0.76)((plain, plain))["confident"].item() == 0


def test_without_confident_images_the_loss_is_zero_and_trains():
    plain = torch.full((4, 2), 0.5).log()
    augmented = draw_log_p(4, 2).requires_grad_()
    terms = SelfLabelObjective(0.99)((plain, augmented))
    terms["loss"].backward()
    assert terms["loss"].item() == terms["confident"].item() == 0
    assert not augmented.grad.any()


def test_of_many_rows_a_sample_has_the_same_start():
    z, _ = make_groups()
    many = np.tile(z, (-(-300_000 // len(z)), 1)).astype(np.float32)
    few, start = find_start(z, 3, 1, seed=0), find_start(many, 3, 1, seed=0, n_init=2)
    assert start.scale == pytest.approx(few.scale, rel=1e-4)
    np.testing.assert_allclose(start.mean, few.mean, atol=1e-3)
    found = start.centroids[0]
    order = [
        int(np.linalg.norm(found - centroid, axis=1).argmin())
        for centroid in few.centroids[0]
    ]
    assert sorted(order) == [0, 1, 2]
    np.testing.assert_allclose(found[order], few.centroids[0], atol=0.02)
    assert start.entropy == pytest.approx(few.entropy, abs=0.01)
