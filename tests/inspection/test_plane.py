import sys

import numpy as np
import pytest

from invariant_cluster.inspection import map_to_plane


@pytest.mark.parametrize("method", ["pca", "tsne"])
@pytest.mark.parametrize("n", [2, 5, 60])
@pytest.mark.parametrize("d", [1, 7])
def test_every_row_has_a_place(method, n, d):
    z = np.random.default_rng(0).normal(size=(n, d))
    places = map_to_plane(z, method=method, random_state=0)
    assert places.shape == (n, 2)
    assert places.dtype == np.float32
    assert np.isfinite(places).all()
    np.testing.assert_array_equal(
        places, map_to_plane(z, method=method, random_state=0)
    )


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_groups_stay_together(method):
    centres = np.repeat(np.eye(6)[:3] * 20, 20, axis=0)
    z = centres + np.random.default_rng(0).normal(size=centres.shape)
    places = map_to_plane(z, method=method, random_state=0)
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    assert (apart.argmin(axis=1) // 20 == np.arange(60) // 20).all()


def test_bad_input_is_named(monkeypatch):
    with pytest.raises(ValueError, match="method='mds' is unknown: choose one of"):
        map_to_plane(np.eye(3), method="mds")
    with pytest.raises(ValueError, match=r"z has 1 row\(s\): a map needs at least 2"):
        map_to_plane(np.ones((1, 3)))
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ImportError, match="pip install umap-learn, or use method="):
        map_to_plane(np.eye(3), method="umap")


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_rows_that_are_all_equal_lie_at_one_place(method):
    places = map_to_plane(np.ones((30, 3)), method=method, random_state=0)
    np.testing.assert_array_equal(places, np.zeros((30, 2)))
