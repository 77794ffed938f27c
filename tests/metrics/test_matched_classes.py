"""Names of clusters, checked against counts and against the matching."""

import numpy as np
import pytest

from invariant_cluster.metrics import (
    MatchedClass,
    clustering_accuracy_score,
    match_labels,
    matched_classes,
)


def test_shares_are_those_of_counting():
    rng = np.random.default_rng(0)
    y, clusters = rng.integers(0, 5, 300), rng.integers(0, 7, 300)
    found = matched_classes(y, clusters)
    matched = match_labels(y, clusters, unmatched=-1)
    assert list(found) == list(range(7))
    for cluster, entry in found.items():
        inside = y[clusters == cluster]
        own = matched[clusters == cluster][0]
        assert entry.name == (None if own == -1 else str(own))
        assert entry.share == pytest.approx((inside == own).mean())
        shares = [(inside == code).mean() for code in range(5)]
        assert entry.commonest_share == pytest.approx(max(shares))
        assert entry.commonest == str(np.argmax(shares))


def test_shares_and_sizes_give_the_accuracy():
    rng = np.random.default_rng(1)
    y, clusters = rng.integers(0, 4, 200), rng.integers(0, 6, 200)
    found = matched_classes(y, clusters)
    agree = sum(found[c].share * (clusters == c).sum() for c in found)
    assert agree / 200 == pytest.approx(clustering_accuracy_score(y, clusters))


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (("donut", 0.62, "donut", 0.62), "mostly donut (62 %)"),
        (("donut", 0.5, "donut", 0.5), "partly donut (50 %)"),
        (("donut", 0.3, "ring", 0.6), "partly donut (30 %), more ring (60 %)"),
        ((None, 0.0, "ring", 0.6), "no class of its own, mostly ring (60 %)"),
        (("donut", 0.999, "donut", 0.999), "mostly donut (99 %)"),
        (("donut", 1.0, "donut", 1.0), "mostly donut (100 %)"),
    ],
)
def test_words_hold_for_the_share(entry, told):
    assert str(MatchedClass(*entry)) == told


def test_names_are_those_of_the_sorted_classes():
    found = matched_classes([5, 5, 2], ["a", "a", "b"], target_names=["two", "five"])
    assert (found["a"].name, found["b"].name) == ("five", "two")


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="target_names has 1 names but labels_true ho"):
        matched_classes([0, 1], [0, 1], target_names=["a"])
    with pytest.raises(ValueError, match=r"len\(labels_true\)=2, len\(labels_pred\)=3"):
        matched_classes([0, 1], [0, 1, 1])
