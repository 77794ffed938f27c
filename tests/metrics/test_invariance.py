import numpy as np
import pytest

from invariant_cluster.metrics import invariance_score


def naive_score(z, z_moved):
    center = sum(z) / len(z)
    total = 0.0
    for a, b in zip(z - center, z_moved - center, strict=True):
        total += a @ b / np.sqrt((a @ a) * (b @ b))
    return total / len(z)


@pytest.fixture
def pair():
    z, noise = np.random.default_rng(0).normal(size=(2, 50, 4))
    return z + 3, z + 3 + 0.5 * noise


def test_equals_the_naive_twin(pair):
    assert invariance_score(*pair) == pytest.approx(naive_score(*pair))


def test_its_ends(pair):
    z, _ = pair
    assert invariance_score(z, z) == pytest.approx(1)
    assert invariance_score(z, 2 * z.mean(axis=0) - z) == pytest.approx(-1)


def test_a_common_component_and_a_turn_change_nothing(pair):
    z, moved = pair
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
    shifted = invariance_score(5 * z @ turn + 1000, 5 * moved @ turn + 1000)
    assert shifted == pytest.approx(invariance_score(z, moved))


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-20, 1e20])
def test_a_constant_embedding_is_not_invariant(value):
    z = np.full((37, 3), value, dtype=np.float32)
    assert invariance_score(z, z) == 0


def test_bad_input(pair):
    z, moved = pair
    with pytest.raises(ValueError, match=r"differ in shape \(z: \(50, 4\), z_moved"):
        invariance_score(z, moved[:, :3])
    with pytest.raises(ValueError, match="differ in shape"):
        invariance_score(z, moved[1:])
    with pytest.raises(ValueError, match=r"z has 1 row.*at least 2 images"):
        invariance_score(z[:1], moved[:1])
    with pytest.raises(ValueError, match="z_moved holds NaN or infinity"):
        invariance_score(z, np.where(z > 3, np.inf, z))
    with pytest.raises(ValueError, match="dtype complex128: expected real"):
        invariance_score(z * 1j, moved)
