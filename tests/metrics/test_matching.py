from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from invariant_cluster.metrics import (
    clustering_accuracy_score,
    match_labels,
    matched_confusion_matrix,
)


def naive_accuracy(labels_true, labels_pred):
    """Best over every one-to-one renaming of clusters, spares for extra clusters."""
    classes, clusters = sorted(set(labels_true)), sorted(set(labels_pred))
    spares = [f"spare {i}" for i in range(len(clusters))]
    best = 0
    for names in permutations(classes + spares, len(clusters)):
        renamed = dict(zip(clusters, names, strict=True))
        hits = sum(
            renamed[p] == t for t, p in zip(labels_true, labels_pred, strict=True)
        )
        best = max(best, hits)
    return best / len(labels_true)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n_classes", "n_clusters"), [(3, 3), (4, 2), (2, 4), (1, 3)])
def test_equals_every_permutation(n_classes, n_clusters, seed):
    rng = np.random.default_rng(seed)
    true = rng.integers(n_classes, size=30).tolist()
    pred = rng.integers(n_clusters, size=30).tolist()
    assert clustering_accuracy_score(true, pred) == naive_accuracy(true, pred)


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    true = rng.integers(5, size=400)
    return true, np.where(rng.random(400) < 0.7, true, rng.integers(7, size=400))


def test_names_of_clusters_do_not_matter(labels):
    true, pred = labels
    expected = clustering_accuracy_score(true, pred)
    for names in ([6, 2, 4, 0, 1, 3, 5], [-1, 9, -7, 2, 3, 40, 8], list("gbcdaef")):
        assert clustering_accuracy_score(true, np.array(names)[pred]) == expected
    words = np.array(["a", "b", "c", "d", "e"], dtype=object)[true]
    assert clustering_accuracy_score(words, pred) == expected
    assert clustering_accuracy_score(pd.Series(words), pred.astype(float)) == expected


def test_accuracy_is_symmetric_and_one_for_equal_partitions(labels):
    true, pred = labels
    assert clustering_accuracy_score(true, pred) == clustering_accuracy_score(
        pred, true
    )
    assert clustering_accuracy_score(true, 10 - true) == 1.0


def test_over_clustering_does_not_raise_it():
    true = np.repeat([0, 1], 50)
    assert clustering_accuracy_score(true, np.arange(100)) == 0.02


def test_matched_labels_hit_as_often_as_the_accuracy(labels):
    true, pred = labels
    for a, b in [(true, pred), (pred, true), (true.astype(str), pred)]:
        matched = match_labels(a, b)
        assert (matched == a).mean() == clustering_accuracy_score(a, b)
        # One to one: a cluster has one name, a class at most one cluster.
        pairs = set(zip(matched.tolist(), b.tolist(), strict=True))
        assert len(pairs) == len(set(b.tolist()))


@pytest.mark.parametrize(
    ("classes", "unmatched", "dtype"),
    [
        (np.array([4, 7], dtype=np.int8), -1, np.int8),
        (np.array([4, 7], dtype=np.uint8), -1, np.int16),
        (np.array([4.0, 7.0], dtype=np.float32), -1.0, np.float32),
        (np.array([False, True]), -1, np.int8),
        (np.array(["a", "b"]), "unmatched", "<U9"),
        (np.array(["a", "b"], dtype=object), "unmatched", object),
    ],
)
def test_clusters_without_a_class_are_called_so(classes, unmatched, dtype):
    true, pred = classes[[0, 0, 1, 1, 1]], [5, 5, 9, 9, 6]
    matched = match_labels(true, pred)
    assert matched.dtype == dtype
    assert matched.tolist() == [*true[:4].tolist(), unmatched]
    assert match_labels(true[:4], pred[:4]).dtype == classes.dtype


def test_the_name_of_the_unmatched_can_be_chosen():
    assert match_labels([1, 1, 2], [0, 3, 4], unmatched=-9).tolist() == [1, -9, 2]
    mixed = match_labels([1, 1, 2], [0, 3, 4], unmatched="none")
    assert mixed.tolist() == [1, "none", 2]


def test_the_name_of_a_class_is_refused_only_where_needed():
    with pytest.raises(ValueError, match=r"unmatched=-1 is the name of a class.*give"):
        match_labels([-1, -1, 2], [0, 3, 4])
    assert match_labels([-1, 2], [0, 3]).tolist() == [-1, 2]


def test_no_cluster_is_named_after_a_class_it_does_not_meet():
    # 0 and 0 or 0 and 1: both assignments hit 2, and one pairs cluster 1 with class 1.
    assert match_labels([0, 0, 0, 1], [0, 0, 1, 0]).tolist() == [0, 0, -1, 0]


def test_confusion_matrix_has_the_matches_on_its_diagonal(labels):
    true, pred = labels
    matrix = matched_confusion_matrix(true, pred)
    assert matrix.shape == (5, 7)
    assert matrix.dtype == np.int64
    np.testing.assert_array_equal(matrix.sum(axis=1), np.bincount(true))
    assert np.trace(matrix) / 400 == clustering_accuracy_score(true, pred)
    matched = match_labels(true, pred)
    for i in range(5):
        for j in range(5):
            assert matrix[i, j] == ((true == i) & (matched == j)).sum()


def test_confusion_matrix_with_fewer_clusters_than_classes():
    matrix = matched_confusion_matrix(["a", "b", "c", "c"], [1, 1, 0, 0])
    assert matrix.shape == (3, 3)
    assert np.trace(matrix) == 3
    assert (matrix.sum(axis=0) == 0).sum() == 1


@pytest.mark.parametrize(
    ("true", "pred", "text"),
    [
        ([1, 2], [1], r"differ in length \(len\(labels_true\)=2, len\(labels_pred\)=1"),
        ([], [], r"labels_true has shape \(0,\)"),
        ([[1], [2]], [1, 2], r"labels_true has shape \(2, 1\).*ravel"),
        ([1, 2], [[0.1, 0.9], [0.9, 0.1]], r"labels_pred.*argmax"),
        ([1, np.nan], [1, 2], "labels_true has a missing value, first in row 1: drop"),
        (np.array(["a", None]), [1, 2], "labels_true has a missing value"),
        (np.array(["a", 1], dtype=object), [1, 2], "labels_true mixes .* such as str"),
    ],
)
@pytest.mark.parametrize(
    "function", [clustering_accuracy_score, match_labels, matched_confusion_matrix]
)
def test_bad_labels(function, true, pred, text):
    with pytest.raises(ValueError, match=text):
        function(true, pred)
