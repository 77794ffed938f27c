import sys

import numpy as np
import pytest

from invariant_cluster.neighbors import (
    find_neighbors,
    mine_neighbors,
    mine_with_recall,
)


def naive_cosines(queries, embedding):
    """Loop over pairs: cosine of q - mean and e - mean, 0 where either vanishes."""
    center = embedding.mean(axis=0)
    cosines = np.zeros((len(queries), len(embedding)))
    for i, q in enumerate(queries - center):
        for j, e in enumerate(embedding - center):
            length = np.sqrt(q @ q) * np.sqrt(e @ e)
            cosines[i, j] = q @ e / length if length > 0 else 0.0
    return cosines


def naive_neighbors(embedding, n_neighbors):
    cosines = naive_cosines(embedding, embedding)
    np.fill_diagonal(cosines, -np.inf)
    return np.argsort(-cosines, axis=1, kind="stable")[:, :n_neighbors]


@pytest.fixture
def embedding():
    return np.random.default_rng(0).normal(3.0, 1.0, (120, 6))


@pytest.mark.parametrize("n_neighbors", [1, 7, 119])
def test_equals_the_naive_twin(embedding, n_neighbors):
    found = mine_neighbors(embedding, n_neighbors)
    assert found.dtype == np.int64
    # Equal up to float32: the cosines of what was found are those of the twin.
    cosines = naive_cosines(embedding, embedding)
    expected = naive_neighbors(embedding, n_neighbors)
    np.testing.assert_allclose(
        np.take_along_axis(cosines, found, axis=1),
        np.take_along_axis(cosines, expected, axis=1),
        atol=1e-6,
    )
    assert all(len(set(row)) == n_neighbors for row in found)


def test_find_equals_the_naive_twin(embedding):
    queries, bank = embedding[:40] + 0.1, embedding[40:]
    found = find_neighbors(queries, bank, 5)
    expected = np.argsort(-naive_cosines(queries, bank), axis=1)[:, :5]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("memory_mib", [1e-9, 0.003, 0.02])
def test_blocks_of_any_size_find_the_same(embedding, memory_mib):
    np.testing.assert_array_equal(
        mine_neighbors(embedding, 9, memory_mib=memory_mib),
        mine_neighbors(embedding, 9),
    )


def test_mining_is_finding_without_oneself(embedding):
    found = find_neighbors(embedding, embedding, 6)
    np.testing.assert_array_equal(found[:, 0], np.arange(120))
    np.testing.assert_array_equal(found[:, 1:], mine_neighbors(embedding, 5))


def test_self_is_left_out_among_duplicates():
    rows = np.repeat(np.eye(4), 5, axis=0)
    found = mine_neighbors(rows, 4)
    for i, neighbors in enumerate(found):
        group = i - i % 5
        assert set(neighbors) == set(range(group, group + 5)) - {i}


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e30])
def test_a_scale_changes_nothing(embedding, scale):
    expected = mine_neighbors(embedding, 5)
    scaled = (embedding * scale).astype(np.float32)
    assert (mine_neighbors(scaled, 5) == expected).mean() > 0.99


def test_a_shift_and_a_rotation_change_nothing(embedding):
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    moved = embedding @ turn + 100.0
    np.testing.assert_array_equal(
        mine_neighbors(moved, 5), mine_neighbors(embedding, 5)
    )


def test_rows_without_direction_give_no_nan():
    rows = np.array([[1.0, 0], [-1, 0], [0, 0], [2, 0], [-2, 0]])
    found = mine_neighbors(rows, 4)
    assert found[0, 0] == 3
    assert found[1, 0] == 4
    np.testing.assert_array_equal(np.sort(found[2]), [0, 1, 3, 4])
    np.testing.assert_array_equal(
        np.sort(mine_neighbors(np.ones((3, 2)), 2), axis=1), [[1, 2], [0, 2], [0, 1]]
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int16, np.uint8, bool])
def test_any_real_dtype(dtype):
    rows = np.eye(9)[np.arange(18) % 9].astype(dtype)
    np.testing.assert_array_equal(
        mine_neighbors(rows, 1)[:, 0], (np.arange(18) + 9) % 18
    )


def test_input_is_left_as_it_was(embedding):
    before = embedding.copy()
    embedding.flags.writeable = False
    mine_neighbors(embedding, 3)
    np.testing.assert_array_equal(embedding, before)


@pytest.mark.parametrize("n_neighbors", [0, -1, 120, 2.5])
def test_n_neighbors_out_of_range(embedding, n_neighbors):
    text = rf"n_neighbors={n_neighbors} must be .* 1 to 119, since n_samples=120.*give"
    with pytest.raises(ValueError, match=text):
        mine_neighbors(embedding, n_neighbors)


def test_find_allows_all_rows_and_no_more(embedding):
    assert find_neighbors(embedding[:2], embedding, 120).shape == (2, 120)
    with pytest.raises(ValueError, match="n_neighbors=121 must be"):
        find_neighbors(embedding[:2], embedding, 121)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (np.zeros(4), r"embedding has shape \(4,\)"),
        (np.zeros((0, 3)), r"embedding has shape \(0, 3\)"),
        (np.full((4, 2), "a"), "dtype <U1: expected a numeric"),
        (np.array([[0.0], [np.nan]]), "NaN or infinity, first in row 1: drop"),
    ],
)
def test_bad_embeddings(rows, text):
    with pytest.raises(ValueError, match=text):
        mine_neighbors(rows, 1)


def test_widths_that_differ(embedding):
    with pytest.raises(ValueError, match="same number of columns"):
        find_neighbors(embedding[:, :3], embedding, 2)


def test_no_memory(embedding):
    with pytest.raises(ValueError, match="memory_mib=0 must be positive"):
        mine_neighbors(embedding, 2, memory_mib=0)


@pytest.mark.parametrize("n_neighbors", [1, 3, 20, 500])
@pytest.mark.parametrize("n", [1_000, 20_001])
def test_wide_blocks_equal_a_full_sort(n, n_neighbors):
    """In one block or two, by groups or, where there are many neighbours, without."""
    rows = np.random.default_rng(n).normal(size=(n, 4)).astype(np.float32)
    queries = rows[-50:]
    found = find_neighbors(queries, rows, n_neighbors)
    centred = rows - rows.mean(axis=0, dtype=np.float64)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosines = unit[-50:] @ unit.T
    best = -np.sort(-cosines, axis=1)[:, :n_neighbors]
    got = np.take_along_axis(cosines, found, axis=1)
    np.testing.assert_allclose(got, best, atol=1e-6)
    assert all(len(set(row)) == n_neighbors for row in found)


def test_self_is_left_out_in_every_block():
    rows = np.repeat(np.random.default_rng(0).normal(size=(9_000, 8)), 2, axis=0)
    found = mine_neighbors(rows, 1)[:, 0]
    np.testing.assert_array_equal(found, np.arange(18_000) ^ 1)


def test_equal_rows_are_in_order(embedding):
    rows = np.vstack([embedding, np.repeat(embedding[:1] * 2, 5, axis=0)])
    assert (np.diff(find_neighbors(rows[-1:], rows, 5)) > 0).all()


def clustered(n, d=16):
    random = np.random.default_rng(0)
    centers = random.normal(0, 1.5, (30, d))
    rows = centers[random.integers(30, size=n)] + random.normal(size=(n, d))
    return rows.astype(np.float32)


@pytest.fixture(scope="module")
def many():
    return clustered(20_000)


def share_found(found, truth):
    common = [len(set(f) & set(t)) for f, t in zip(found, truth, strict=True)]
    return np.mean(common) / truth.shape[1]


def test_approximate_neighbors_are_nearly_all(many):
    pytest.importorskip("faiss")
    indices, recall = mine_with_recall(many, 10, method="approximate")
    exact = mine_neighbors(many, 10, method="exact")
    assert indices.shape == exact.shape
    assert indices.dtype == np.int64
    assert 0.95 <= recall < 1
    assert share_found(indices, exact) == pytest.approx(recall, abs=0.02)
    assert not (indices == np.arange(len(many))[:, None]).any()
    assert all(len(set(row)) == 10 for row in indices)


def test_approximate_search_of_other_rows(many):
    pytest.importorskip("faiss")
    queries = clustered(20_400)[20_000:] + np.float32(0.01)
    found = find_neighbors(queries, many, 5, method="approximate")
    assert share_found(found, find_neighbors(queries, many, 5)) >= 0.94


def test_approximate_search_is_the_same_in_every_call(many):
    pytest.importorskip("faiss")
    first, second = (mine_neighbors(many, 5, method="approximate") for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_rows_without_clusters_are_searched_exactly():
    pytest.importorskip("faiss")
    rows = np.random.default_rng(0).normal(size=(9_000, 32))
    indices, recall = mine_with_recall(rows, 10, method="approximate")
    assert recall == 1
    np.testing.assert_array_equal(indices, mine_neighbors(rows, 10, method="exact"))


@pytest.mark.parametrize("n_neighbors", [1, 39, 400])
def test_approximate_search_of_few_rows_lacks_none(n_neighbors):
    """Lists hold fewer rows than are asked for, equal rows among them."""
    pytest.importorskip("faiss")
    rows = np.repeat(clustered(250), 2, axis=0)
    found = mine_neighbors(rows, n_neighbors, method="approximate")
    assert found.min() >= 0
    assert not (found == np.arange(500)[:, None]).any()
    assert all(len(set(row)) == n_neighbors for row in found)


def test_auto_is_exact_for_few_rows(many):
    indices, recall = mine_with_recall(many, 5)
    assert recall == 1
    np.testing.assert_array_equal(indices, mine_neighbors(many, 5, method="exact"))


@pytest.fixture
def few_pairs(monkeypatch):
    """Let "auto" be exact up to 10,000 pairs only."""
    monkeypatch.setattr("invariant_cluster.neighbors._mining._MOST_EXACT_PAIRS", 10_000)


@pytest.mark.usefixtures("few_pairs")
def test_auto_is_approximate_for_many_rows(many):
    pytest.importorskip("faiss")
    auto, approximate = (
        mine_with_recall(many, 5, method=method) for method in ("auto", "approximate")
    )
    assert auto.recall == approximate.recall < 1
    np.testing.assert_array_equal(auto.indices, approximate.indices)


@pytest.mark.usefixtures("few_pairs")
def test_auto_without_faiss_is_exact_and_says_so(many, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    rows = many[:200]
    with pytest.warns(
        UserWarning, match=r"of 200 rows .* exactly.*pip install faiss-cpu"
    ):
        indices, recall = mine_with_recall(rows, 5)
    assert recall == 1
    np.testing.assert_array_equal(indices, mine_neighbors(rows, 5, method="exact"))


def test_approximate_without_faiss(many, monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ImportError, match="pip install faiss-cpu`, or use method="):
        mine_neighbors(many, 5, method="approximate")


def test_a_low_recall_is_told(monkeypatch):
    """With many rows without clusters, of which few lists are searched."""
    pytest.importorskip("faiss")
    lists = "invariant_cluster.neighbors._approximate"
    monkeypatch.setattr(f"{lists}._PATIENCE", 0)
    rows = np.random.default_rng(0).normal(size=(9_000, 32))
    with pytest.warns(UserWarning, match=r"found 0\.\d\d of .* less than 0\.95, with"):
        indices, recall = mine_with_recall(rows, 10, method="approximate")
    exact = mine_neighbors(rows, 10, method="exact")
    assert share_found(indices, exact) == pytest.approx(recall, abs=0.05)


def test_unknown_method(embedding):
    with pytest.raises(ValueError, match="method='ann' must be one of"):
        mine_neighbors(embedding, 2, method="ann")
