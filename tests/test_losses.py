"""Each loss against plain loops over its formula, and the objective that sums them."""

import math
import statistics

import pytest
import torch

from invariant_cluster.geometry import (
    SYMMETRY_RULES,
    center_of_mass,
    complex_moment,
    principal_axis,
)
from invariant_cluster.losses import (
    CONSISTENCIES,
    RECONSTRUCTIONS,
    centered_cosine_consistency,
    cosine_consistency,
    cross_correlation_consistency,
    cross_entropy,
    mean_entropy,
    nt_xent_consistency,
    pair_agreement,
    pair_information,
    scan_consistency,
    self_label_loss,
    squared_error,
    symmetry_loss,
)
from invariant_cluster.modules import (
    PoseRule,
    PoseVectors,
    Reconstruction,
    TrainingBatch,
)
from invariant_cluster.training import IRLINRObjective, TemiObjective


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def naive_squared_error(logits, targets):
    """Section 3.3.1: ``1/P sum_p ||J_p - I_p||^2``, mean over images."""
    total = 0.0
    for image, wanted in zip(logits, targets, strict=True):
        per_image = 0.0
        for p in range(len(image)):
            for c in range(len(image[p])):
                per_image += (wanted[p][c] - sigmoid(image[p][c])) ** 2
        total += per_image / len(image)
    return total / len(logits)


def naive_cross_entropy(logits, targets):
    total = 0.0
    for image, wanted in zip(logits, targets, strict=True):
        for p in range(len(image)):
            for logit, j in zip(image[p], wanted[p], strict=True):
                s = sigmoid(logit)
                total += (-j * math.log(s) - (1 - j) * math.log(1 - s)) / len(image)
    return total / len(logits)


def naive_cosine(z1, z2):
    """Section 3.3.2: ``1 - z1 . z2 / (|z1| |z2|)``, mean over images."""
    total = 0.0
    for a, b in zip(z1, z2, strict=True):
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        total += 1 - dot / (math.hypot(*a) * math.hypot(*b))
    return total / len(z1)


def naive_centered_cosine(z1, z2):
    rows = [*z1, *z2]
    mean = [sum(column) / len(rows) for column in zip(*rows, strict=True)]

    def minus_mean(z):
        return [[x - m for x, m in zip(row, mean, strict=True)] for row in z]

    return naive_cosine(minus_mean(z1), minus_mean(z2))


def naive_cross_correlation(z1, z2):
    """Barlow Twins: ``1/d (sum_i (1 - C_ii)^2 + 0.01 sum_{i != j} C_ij^2)``."""
    d, total = len(z1[0]), 0.0
    for i in range(d):
        for j in range(d):
            a, b = [row[i] for row in z1], [row[j] for row in z2]
            correlation = statistics.correlation(a, b)
            total += (1 - correlation) ** 2 if i == j else 0.01 * correlation**2
    return total / d


def naive_nt_xent(z1, z2, temperature=0.5):
    """SimCLR, equation 1, mean over the 2 n views: own view against all but itself."""

    def similarity(a, b):
        dot = sum(x * y for x, y in zip(a, b, strict=True))
        return math.exp(dot / (math.hypot(*a) * math.hypot(*b)) / temperature)

    views, n, total = [*z1, *z2], len(z1), 0.0
    for i in range(2 * n):
        partner = similarity(views[i], views[(i + n) % (2 * n)])
        others = sum(similarity(views[i], views[k]) for k in range(2 * n) if k != i)
        total -= math.log(partner / others)
    return total / (2 * n)


def naive_mse(z1, z2):
    errors = [
        (x - y) ** 2
        for a, b in zip(z1, z2, strict=True)
        for x, y in zip(a, b, strict=True)
    ]
    return sum(errors) / len(errors)


def naive_symmetry(tau, theta, center, has_mass):
    """Section 3.4: ``||m - |tau| (cos theta, -sin theta)||^2``, where there is mass.

    In the paper's own (tau, theta), which move the image the other way.
    """
    total, count = 0.0, 0
    for i in range(len(tau)):
        if has_mass[i]:
            length = math.hypot(*tau[i])
            x = center[i][0] - length * math.cos(theta[i])
            y = center[i][1] + length * math.sin(theta[i])
            total += x**2 + y**2
            count += 1
    return total / count


def naive_scan(p, q):
    """SCAN, equation 2, first term: ``-mean log <p, q>``."""
    total = 0.0
    for a, b in zip(p, q, strict=True):
        total -= math.log(sum(x * y for x, y in zip(a, b, strict=True)))
    return total / len(p)


def naive_entropy(p):
    """SCAN, equation 2, second term: entropy of the mean probabilities."""
    mean = [sum(column) / len(p) for column in zip(*p, strict=True)]
    return -sum(m * math.log(m) for m in mean)


def naive_self_label(p, labels, confident):
    """Section 2.3: mean cross-entropy a cluster, then mean over the clusters."""
    clusters = {}
    for row, label, sure in zip(p, labels, confident, strict=True):
        if sure:
            clusters.setdefault(label, []).append(-math.log(row[label]))
    return sum(sum(part) / len(part) for part in clusters.values()) / len(clusters)


def naive_information(p, q, prior, beta):
    """TEMI: ``log sum_c (p_c q_c)^beta / m_c`` of one pair, by one head."""
    terms = [(a * b) ** beta / m for a, b, m in zip(p, q, prior, strict=True)]
    return math.log(sum(terms))


def naive_agreement(p, q):
    """TEMI: ``mean_h sum_c p_c q_c`` of one pair."""
    total = 0.0
    for a, b in zip(p, q, strict=True):
        total += sum(x * y for x, y in zip(a, b, strict=True))
    return total / len(p)


def naive_temi(student, teacher, prior, beta):
    """TEMI: ``-mean_i w_i (pmi(x_i, x'_i) + pmi(x'_i, x_i)) / 2``, summed over heads.

    student, teacher : lists of (probabilities of x, probabilities of x') a head.
    """
    n_heads, n, total = len(student), len(student[0][0]), 0.0
    for i in range(n):
        weight = naive_agreement(
            [head[0][i] for head in teacher], [head[1][i] for head in teacher]
        )
        for h in range(n_heads):
            (s, s_other), (t, t_other) = student[h], teacher[h]
            there = naive_information(s[i], t_other[i], prior[h], beta)
            back = naive_information(s_other[i], t[i], prior[h], beta)
            total -= weight * (there + back) / 2
    return total / n


# Reconstruction

RECONSTRUCTION_TWINS = {
    "cross_entropy": naive_cross_entropy,
    "squared_error": naive_squared_error,
}


def test_every_reconstruction_has_a_twin():
    assert RECONSTRUCTION_TWINS.keys() == RECONSTRUCTIONS.keys()


@pytest.mark.parametrize("name", RECONSTRUCTIONS)
@pytest.mark.parametrize("n_channels", [1, 3])
def test_reconstruction_equals_the_naive_twin(name, n_channels):
    logits, targets = torch.randn(4, 7, n_channels) * 3, torch.rand(4, 7, n_channels)
    expected = RECONSTRUCTION_TWINS[name](logits.tolist(), targets.tolist())
    found = RECONSTRUCTIONS[name](logits, targets).item()
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", RECONSTRUCTIONS)
def test_reconstruction_is_least_at_the_target(name):
    loss, targets = RECONSTRUCTIONS[name], torch.rand(2, 5, 1) * 0.9 + 0.05
    best = targets.logit().requires_grad_()
    loss(best, targets).backward()
    assert best.grad.abs().max() < 1e-6
    with torch.no_grad():
        assert loss(best + 0.1, targets) > loss(best, targets)
        assert loss(best - 0.1, targets) > loss(best, targets)


def test_cross_entropy_pulls_where_the_sigmoid_saturates():
    logits = torch.full((1, 1, 1), -30.0, requires_grad=True)
    cross_entropy(logits, torch.ones(1, 1, 1)).backward()
    assert logits.grad.item() == pytest.approx(-1)


def test_cross_entropy_is_finite_at_extreme_logits():
    logits = torch.tensor([[[1e4], [-1e4]]])
    assert cross_entropy(logits, torch.tensor([[[0.0], [1.0]]])).item() == 1e4


# Consistency

# A new consistency is a row here: its twin, and the precision to which they agree.
TWINS = {
    "cosine": (naive_cosine, 1e-5),
    "centered_cosine": (naive_centered_cosine, 1e-5),
    "cross_correlation": (naive_cross_correlation, 1e-3),  # it has a floor of variance
    "mse": (naive_mse, 1e-5),
    "nt_xent": (naive_nt_xent, 1e-5),
}


def test_every_consistency_has_a_twin():
    assert TWINS.keys() == CONSISTENCIES.keys()


@pytest.mark.parametrize("name", CONSISTENCIES)
def test_consistency_equals_the_naive_twin(name):
    twin, precision = TWINS[name]
    z1, z2 = torch.randn(2, 9, 5) * 3 + 1
    expected = twin(z1.tolist(), z2.tolist())
    assert CONSISTENCIES[name](z1, z2).item() == pytest.approx(expected, rel=precision)


@pytest.mark.parametrize("name", ["cosine", "centered_cosine", "mse"])
def test_equal_representations_are_consistent(name):
    z = torch.randn(9, 5) + 1
    assert CONSISTENCIES[name](z, z).item() == pytest.approx(0, abs=1e-6)


def test_cross_correlation_wants_dimensions_that_agree_and_differ():
    spread = torch.cat([torch.eye(4), -torch.eye(4)])  # uncorrelated dimensions
    alike = torch.randn(8, 1).expand(8, 4)
    assert cross_correlation_consistency(spread, spread).item() < 1e-5
    assert cross_correlation_consistency(alike, alike).item() == pytest.approx(
        0.01 * 3, rel=1e-2
    )
    assert cross_correlation_consistency(spread, -spread).item() > 3


@pytest.mark.parametrize("n", [1, 2, 9])
def test_nt_xent_equals_the_naive_twin(n):
    z1, z2 = torch.randn(2, n, 5) * 3 + 1
    expected = naive_nt_xent(z1.tolist(), z2.tolist())
    found = nt_xent_consistency(z1, z2).item()
    warm = nt_xent_consistency(z1, z2, temperature=1.3).item()
    assert warm == pytest.approx(naive_nt_xent(z1.tolist(), z2.tolist(), 1.3))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_nt_xent_falls_as_the_two_views_come_to_agree():
    z1, other = torch.randn(2, 20, 6)
    losses = [
        nt_xent_consistency(z1, z1 + distance * other).item()
        for distance in (0, 0.3, 1, 3)
    ]
    assert losses == sorted(losses)
    assert losses[0] < losses[-1] - 0.5


def test_nt_xent_rises_as_the_images_become_alike():
    """One direction for all, which meets the cosine, is the loss of a mere guess."""
    z, common = torch.randn(20, 6), torch.randn(1, 6)
    spread, near, alike = (
        nt_xent_consistency(z + c * common, z + c * common).item() for c in (0, 2, 1e4)
    )
    assert spread < near < alike
    assert alike == pytest.approx(math.log(2 * 20 - 1), rel=1e-3)


def test_nt_xent_pairs_rows_in_any_order_and_at_any_length():
    z1, z2 = torch.randn(2, 12, 5)
    loss, order = nt_xent_consistency(z1, z2), torch.randperm(12)
    same = [
        nt_xent_consistency(z1[order], z2[order]),
        nt_xent_consistency(z2, z1),
        nt_xent_consistency(z1 * (torch.rand(12, 1) + 0.1), z2 * 7),
    ]
    for other in same:
        torch.testing.assert_close(other, loss)
    unpaired = nt_xent_consistency(z1, z1.roll(1, 0))
    assert unpaired > nt_xent_consistency(z1, z1) + 0.5


def test_nt_xent_pulls_pairs_together_and_pushes_images_apart():
    z1 = torch.nn.functional.normalize(torch.randn(30, 4)).requires_grad_()
    z2 = (z1.detach() + 0.5 * torch.randn(30, 4)).requires_grad_()
    before = nt_xent_consistency(z1, z2)
    before.backward()
    assert z1.grad.isfinite().all()
    assert z2.grad.isfinite().all()
    with torch.no_grad():
        after = nt_xent_consistency(z1 - 0.1 * z1.grad, z2 - 0.1 * z2.grad)
    assert after < before


def test_one_constant_direction_meets_the_cosine_but_not_the_centered_cosine():
    z1, z2 = torch.randn(2, 50, 8) + 100
    assert cosine_consistency(z1, z2) < 0.01
    assert centered_cosine_consistency(z1, z2) > 0.5


@pytest.mark.parametrize("name", CONSISTENCIES)
def test_zero_representations_give_no_nan(name):
    z = torch.zeros(4, 3, requires_grad=True)
    CONSISTENCIES[name](z, z).backward()
    assert z.grad.isfinite().all()


# Symmetry breaking


def test_symmetry_loss_equals_the_papers_formula():
    estimate, center = torch.randn(2, 6, 2)
    has_mass = torch.tensor([True, True, False, True, False, True])
    tau = (-estimate).tolist()
    theta = (-torch.atan2(estimate[:, 1], estimate[:, 0])).tolist()
    expected = naive_symmetry(tau, theta, center.tolist(), has_mass.tolist())
    found = symmetry_loss(estimate, center, has_mass).item()
    assert found == pytest.approx(expected, rel=1e-5)


def test_images_without_mass_get_no_gradient():
    estimate = torch.randn(3, 2, requires_grad=True)
    symmetry_loss(estimate, torch.zeros(3, 2), torch.tensor([1, 0, 1]) > 0).backward()
    assert not estimate.grad[1].any()
    assert estimate.grad[[0, 2]].all()


def test_a_batch_without_mass_has_no_symmetry_loss():
    estimate = torch.randn(3, 2, requires_grad=True)
    loss = symmetry_loss(estimate, torch.zeros(3, 2), torch.zeros(3) > 0)
    loss.backward()
    assert loss.item() == 0
    assert not estimate.grad.any()


# SCAN


def test_scan_consistency_equals_the_naive_twin():
    p, q = torch.randn(2, 3, 8, 4).softmax(dim=-1)
    found = scan_consistency(p.log(), q.log())
    expected = [naive_scan(a, b) for a, b in zip(p.tolist(), q.tolist(), strict=True)]
    assert found.tolist() == pytest.approx(expected, rel=1e-5)


def test_scan_consistency_is_least_for_equal_and_certain_rows():
    certain = torch.eye(4).clamp_min(1e-12).log()
    assert scan_consistency(certain, certain).item() == pytest.approx(0, abs=1e-6)
    assert scan_consistency(certain, certain.roll(1, 0)).item() > 10


def test_mean_entropy_equals_the_naive_twin():
    p = torch.randn(3, 8, 4).softmax(dim=-1)
    expected = [naive_entropy(head) for head in p.tolist()]
    assert mean_entropy(p.log()).tolist() == pytest.approx(expected, rel=1e-5)


def test_mean_entropy_is_largest_when_clusters_are_equally_filled():
    log_p = torch.eye(4).clamp_min(1e-30).log()
    assert mean_entropy(log_p).item() == pytest.approx(math.log(4), rel=1e-5)
    assert mean_entropy(log_p[[0, 0, 0, 0]]).item() == pytest.approx(0, abs=1e-5)


def test_an_empty_cluster_gives_no_nan():
    log_p = torch.tensor([[0.0, -200.0], [0.0, -200.0]], requires_grad=True)
    mean_entropy(log_p).backward()
    assert log_p.grad.isfinite().all()


# TEMI


def test_pair_agreement_equals_the_naive_twin():
    p, q = torch.randn(2, 3, 8, 4).softmax(dim=-1)
    heads = zip(p.transpose(0, 1).tolist(), q.transpose(0, 1).tolist(), strict=True)
    expected = [naive_agreement(*pair) for pair in heads]
    assert pair_agreement(p.log(), q.log()).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("beta", [0.6, 1.0])
def test_pair_information_equals_the_naive_twin(beta):
    p, q = torch.randn(2, 3, 8, 4).softmax(dim=-1)
    prior = torch.randn(3, 4).softmax(dim=-1)
    found = pair_information(p.log(), q.log(), prior.log(), beta)
    for h in range(3):
        expected = [
            naive_information(a, b, prior[h].tolist(), beta)
            for a, b in zip(p[h].tolist(), q[h].tolist(), strict=True)
        ]
        assert found[h].tolist() == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_rare_clusters_tell_more_of_a_pair():
    certain = torch.eye(2).clamp_min(1e-30).log()[None]
    prior = torch.tensor([[0.9, 0.1]])
    found = pair_information(certain, certain, prior.log(), 0.6)
    assert found[0].tolist() == pytest.approx([-math.log(0.9), -math.log(0.1)])


def test_a_pair_in_two_clusters_agrees_in_nothing_and_tells_less_than_chance():
    certain = torch.eye(4).clamp_min(1e-12).log()[None]
    apart = certain.roll(1, 1)
    prior = torch.full((1, 4), 0.25)
    assert pair_agreement(certain, certain).tolist() == pytest.approx([1] * 4)
    assert pair_agreement(certain, apart).tolist() == pytest.approx([0] * 4, abs=1e-6)
    assert (pair_information(certain, apart, prior.log(), 1.0) < 0).all()


@pytest.mark.parametrize("beta", [0.6, 1.0])
def test_the_objective_of_temi_equals_the_naive_twin(beta):
    student, teacher = torch.randn(2, 3, 10, 4).softmax(dim=-1)
    objective = TemiObjective(beta, n_heads=3, n_clusters=4)
    terms = objective((student.log(), teacher.log()))
    prior = [[0.9 / 4 + 0.1 * m for m in head] for head in teacher.mean(dim=1).tolist()]
    halves = [
        [h.chunk(2) for h in probabilities] for probabilities in (student, teacher)
    ]
    split = [[(a.tolist(), b.tolist()) for a, b in heads] for heads in halves]
    assert terms["loss"].item() == pytest.approx(
        naive_temi(*split, prior, beta), rel=1e-4
    )
    assert objective.prior.tolist() == [pytest.approx(head) for head in prior]


def test_the_prior_of_temi_moves_in_training_alone():
    log_p = torch.randn(2, 6, 3).log_softmax(dim=-1)
    objective = TemiObjective(0.6, n_heads=2, n_clusters=3).eval()
    objective((log_p, log_p))
    assert objective.prior.tolist() == [pytest.approx([1 / 3] * 3)] * 2
    objective.train()
    for _ in range(200):
        objective((log_p, log_p))
    torch.testing.assert_close(objective.prior, log_p.exp().mean(dim=1))


def test_an_empty_cluster_gives_temi_no_nan():
    log_p = torch.tensor([[[0.0, -200.0], [0.0, -200.0]]], requires_grad=True)
    objective = TemiObjective(0.6, n_heads=1, n_clusters=2)
    objective.prior = torch.tensor([[1.0, 0.0]])
    objective((log_p, log_p.detach()))["loss"].backward()
    assert log_p.grad.isfinite().all()


# Self-labelling


def test_self_label_loss_equals_the_naive_twin():
    logits, labels = torch.randn(12, 4), torch.randint(3, (12,))  # cluster 3 unused
    confident = torch.rand(12) < 0.6
    twin = naive_self_label(
        logits.softmax(dim=1).tolist(), labels.tolist(), confident.tolist()
    )
    found = self_label_loss(logits, labels, confident, n_clusters=4)
    assert found.item() == pytest.approx(twin, rel=1e-5)


def test_a_large_cluster_weighs_no_more_than_a_small_one():
    logits = torch.tensor([[2.0, 0.0]] * 9 + [[0.0, 1.0]])
    labels = torch.tensor([0] * 9 + [1])
    sure = torch.ones(10, dtype=torch.bool)
    once = self_label_loss(logits[8:], labels[8:], sure[8:], 2)
    assert self_label_loss(logits, labels, sure, 2).item() == pytest.approx(once.item())


def test_without_confident_images_self_labelling_does_nothing():
    logits = torch.randn(5, 3, requires_grad=True)
    loss = self_label_loss(
        logits, torch.zeros(5, dtype=torch.long), torch.zeros(5) > 0, 3
    )
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


# The objective of IRL-INR


WEIGHTS = {"reconstruction": 2.0, "consistency": 0.5, "symmetry": 15.0}


def make_objective(rule="complex_moment", translates=True, **options):
    settings = {
        "reconstruction": "cross_entropy",
        "consistency": "cosine",
        "direction_scale": 0.5,
        **{f"{name}_weight": weight for name, weight in WEIGHTS.items()},
    }
    return IRLINRObjective(pose_rule=PoseRule(rule, translates), **settings | options)


def make_batch(mass=None, n=4):
    return TrainingBatch(
        Reconstruction(torch.randn(n, 6, 1), torch.rand(n, 6, 1)),
        PoseVectors(
            torch.randn(n, 2, requires_grad=True), torch.randn(n, 2, requires_grad=True)
        ),
        torch.rand(n, 8, 8) if mass is None else mass,
        torch.randn(n, 3),
        torch.randn(n, 3),
    )


@pytest.mark.parametrize("reconstruction", RECONSTRUCTIONS)
@pytest.mark.parametrize("consistency", CONSISTENCIES)
def test_the_objective_is_the_weighted_sum_of_its_terms(reconstruction, consistency):
    objective = make_objective(reconstruction=reconstruction, consistency=consistency)
    error, distance = RECONSTRUCTIONS[reconstruction], CONSISTENCIES[consistency]
    batch = make_batch()
    terms = objective(batch)
    assert terms["reconstruction"] == error(*batch.reconstruction)
    assert terms["consistency"] == distance(batch.z1, batch.z2)
    assert terms["squared_error"] == squared_error(*batch.reconstruction)
    total = sum(weight * terms[name].item() for name, weight in WEIGHTS.items())
    assert terms["loss"].item() == pytest.approx(total, rel=1e-5)


def test_the_symmetry_term_of_the_complex_moment():
    """Mean ||m - m-hat||^2 plus mean ||mu_21 / scale - u-hat||^2."""
    batch, total = make_batch(), 0.0
    m = center_of_mass(batch.mass)
    mu = complex_moment(batch.mass, m) / 0.5
    for target, estimate in zip((m, mu), batch.pose, strict=True):
        total += (target - estimate).square().sum(dim=1).mean().item()
    assert make_objective()(batch)["symmetry"].item() == pytest.approx(total, rel=1e-5)


def test_the_symmetry_term_of_the_principal_axis():
    """Mean ||m - m-hat||^2 plus mean ||axis / scale - u-hat||^2."""
    batch, total = make_batch(), 0.0
    m = center_of_mass(batch.mass)
    axis = principal_axis(batch.mass, m, first=(2, 1)) / 0.5
    for target, estimate in zip((m, axis), batch.pose, strict=True):
        total += (target - estimate).square().sum(dim=1).mean().item()
    terms = make_objective("principal_axis")(batch)
    assert terms["symmetry"].item() == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("rule", SYMMETRY_RULES)
def test_the_symmetry_term_of_images_without_mass_has_no_gradient(rule):
    mass = torch.rand(4, 8, 8)
    mass[1] = 0
    batch = make_batch(mass)
    make_objective(rule)(batch)["loss"].backward()
    used = [v for v in batch.pose if v.grad is not None]
    assert len(used) == (1 if rule == "center_of_mass" else 2)
    for vector in used:
        assert not vector.grad[1].any()
        assert vector.grad[[0, 2, 3]].all()


def test_without_a_rule_there_is_no_symmetry_term():
    batch = make_batch()
    terms = make_objective(None)(batch)
    assert terms["symmetry"].item() == 0
    terms["loss"].backward()
    assert not batch.pose.center.grad.any()


def test_effective_d_counts_the_dimensions_in_use():
    spread = torch.cat([torch.eye(3), -torch.eye(3)])
    batch = make_batch(n=6)
    objective = make_objective()
    assert objective(batch._replace(z1=spread))["effective_d"].item() == pytest.approx(
        3
    )
    line = torch.linspace(-1, 1, 6)[:, None] * torch.tensor([[1.0, 2.0, 3.0]]) + 5
    assert objective(batch._replace(z1=line))["effective_d"].item() == pytest.approx(1)
