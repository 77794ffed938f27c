import numpy as np
import pytest

from invariant_cluster.neighbors import find_neighbors, mine_neighbors


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
