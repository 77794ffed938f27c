import numpy as np
import pytest

from invariant_cluster.metrics import neighbor_agreement_score, neighbor_purity_score


def naive_neighbors(z, k):
    z = z - z.mean(axis=0)
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    found = []
    for i, row in enumerate(z):
        others = [j for j in range(len(z)) if j != i]
        found.append(sorted(others, key=lambda j: -(row @ z[j]))[:k])
    return found


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=120)
    return rng.normal(size=(120, 5)) + 2 * np.eye(4, 5)[labels] + 7, labels


def test_purity_equals_the_naive_twin(data):
    z, labels = data
    pairs = [(i, j) for i, row in enumerate(naive_neighbors(z, 8)) for j in row]
    expected = np.mean([labels[i] == labels[j] for i, j in pairs])
    assert neighbor_purity_score(z, labels, n_neighbors=8) == pytest.approx(expected)


def test_purity_does_not_change_with_turn_shift_scale_or_names(data):
    z, labels = data
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
    expected = neighbor_purity_score(z, labels)
    assert neighbor_purity_score(3 * z @ turn - 50, labels) == pytest.approx(expected)
    names = np.array(["d", "b", "a", "c"], dtype=object)
    assert neighbor_purity_score(z, names[labels]) == expected


def test_purity_at_its_ends():
    labels = np.repeat([0, 1, 2], 25)
    assert neighbor_purity_score(np.eye(3)[labels], labels) == 1.0
    others = np.eye(25)[np.arange(75) % 25]
    assert neighbor_purity_score(others, labels, n_neighbors=2) == 0.0


def test_agreement_equals_the_naive_twin(data):
    z, _ = data
    moved = z + np.random.default_rng(2).normal(size=z.shape)
    pairs = zip(naive_neighbors(z, 8), naive_neighbors(moved, 8), strict=True)
    expected = np.mean([len(set(a) & set(b)) / 8 for a, b in pairs])
    found = neighbor_agreement_score(z, moved, n_neighbors=8)
    assert found == pytest.approx(expected)


def test_agreement_compares_across_widths(data):
    z, _ = data
    assert neighbor_agreement_score(z, z) == 1.0
    wider = np.hstack([5 * z - 2, np.zeros((len(z), 9))])
    assert neighbor_agreement_score(z, wider) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("kind", ["constant", "one direction"])
def test_a_collapsed_embedding_does_not_agree(kind):
    z = np.ones((400, 3), dtype=np.float32)
    if kind == "one direction":
        z *= np.arange(400, dtype=np.float32)[:, None]
    assert neighbor_agreement_score(z, z) < 0.2


def test_unrelated_embeddings_agree_by_chance():
    z, other = np.random.default_rng(0).normal(size=(2, 400, 8))
    found = neighbor_agreement_score(z, other, n_neighbors=20)
    assert found == pytest.approx(20 / 399, abs=0.01)


@pytest.mark.parametrize("score", [neighbor_purity_score, neighbor_agreement_score])
def test_bad_input(score, data):
    z, labels = data
    other = labels if score is neighbor_purity_score else z
    with pytest.raises(ValueError, match=r"differ in length \(len\(\w+\)=120.*=119\)"):
        score(z, other[1:])
    with pytest.raises(ValueError, match=r"has shape \(120,\).*\(any, any\)"):
        score(z[:, 0], other)
    with pytest.raises(ValueError, match="NaN or infinity, first in row 0"):
        score(z * np.nan, other)
    with pytest.raises(ValueError, match=r"n_neighbors=120 must be .* 1 to 119"):
        score(z, other, n_neighbors=120)
