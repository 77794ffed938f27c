"""Many rows: time and memory grow with their number, not with its square."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from invariant_cluster import SCANClusterer
from invariant_cluster.metrics import cluster_silhouette_score, label_agreement_score

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "measure_memory.py"
MIB = 2**20
N = 210_000  # more than are searched exactly

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="RssAnon"),
]


@pytest.fixture(scope="module")
def groups():
    """Four groups of rows in the plane, and which group each is of."""
    random = np.random.default_rng(0)
    group = np.arange(N) % 4
    corners = np.array([[0, 0], [0, 9], [9, 0], [9, 9]], dtype=np.float32)
    noise = random.standard_normal((N, 2), dtype=np.float32)
    return corners[group] + noise, group


@pytest.fixture(scope="module")
def measure_growth():
    spec = importlib.util.spec_from_file_location("measure_memory", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.measure_growth


def test_a_clusterer_of_many_rows(groups, measure_growth):
    pytest.importorskip("faiss")
    rows, group = groups
    clusterer = SCANClusterer(
        4,
        n_neighbors=5,
        n_heads=1,
        fine_tune=False,
        max_epochs=1,
        batch_size=1024,
        random_state=0,
    )
    growth = measure_growth(lambda: clusterer.fit(rows).probabilities_)
    assert growth / MIB < 500
    assert 0.95 <= clusterer.neighbors_recall_ <= 1
    assert clusterer.neighbors_.shape == (N, 5)
    assert clusterer.score(rows[:1000], group[:1000]) > 0.99
    assert clusterer.score_samples(rows[:100]).max() < 0


def test_scores_of_many_rows(groups):
    pytest.importorskip("faiss")
    rows, group = groups
    assert cluster_silhouette_score(rows, group) > 0.7
    assert label_agreement_score(rows, group, n_neighbors=3) > 0.99
