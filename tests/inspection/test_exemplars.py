import numpy as np
import pytest

from invariant_cluster.inspection import pick_exemplars

LABELS = np.array([2, 0, 2, 0, 2, 5])
CONFIDENCE = np.array([0.3, 0.9, 0.8, 0.5, 0.1, 0.4])


def pick(order, n=2, **options):
    found = pick_exemplars(LABELS, CONFIDENCE, n, order=order, **options)
    return {cluster: indices.tolist() for cluster, indices in found.items()}


def test_surest_first():
    assert pick("most_confident") == {0: [1, 3], 2: [2, 0], 5: [5]}


def test_least_sure_first():
    assert pick("least_confident") == {0: [3, 1], 2: [4, 0], 5: [5]}


def test_random_is_reproducible_and_keeps_to_the_cluster():
    found = pick("random", n=3, random_state=1)
    assert found == pick("random", n=3, random_state=1)
    assert {cluster: sorted(members) for cluster, members in found.items()} == {
        0: [1, 3],
        2: [0, 2, 4],
        5: [5],
    }
    draws = {tuple(pick("random", n=3, random_state=seed)[2]) for seed in range(20)}
    assert len(draws) > 1


def test_unknown_order_is_named():
    with pytest.raises(ValueError, match="order='best' is unknown: choose one of"):
        pick("best")
