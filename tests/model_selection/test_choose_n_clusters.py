"""One number of clusters, with the range that is as good."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN, AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline

from invariant_cluster.metrics import valley_contrast_score
from invariant_cluster.model_selection import (
    candidate_numbers,
    choose_n_clusters,
    propose_value,
    suggest_value,
)

QUICK = {"clusterer": KMeans(n_init=4), "n_repeats": 2, "random_state": 0}


def blobs(k, n=200):
    return make_blobs(n, n_features=6, centers=k, cluster_std=0.7, random_state=1)[0]


def table_of(excess, std=0.02, name="n_clusters", first=2):
    excess = np.array(excess, dtype=float)
    index = pd.Index(range(first, first + len(excess)), name=name)
    columns = {"valley_contrast": excess + 0.05, "valley_contrast_excess": excess}
    columns["valley_contrast_excess_std"] = np.full(len(excess), std)
    return pd.DataFrame(columns, index)


@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.usefixtures("generators_unchanged")
def test_separate_groups_are_counted(k):
    choice = choose_n_clusters(blobs(k), values=range(2, 8), **QUICK)
    assert (choice.n_clusters, choice.low, choice.high) == (k, k, k)
    assert choice.found
    assert choice.reason.startswith(f"{k} clusters were chosen (the best of 6): valley")
    assert list(choice.table.index) == [2, 3, 4, 5, 6, 7]
    assert list(choice.table.index[choice.table.as_good]) == [k]
    assert choice.value == suggest_value(choice.table)


def test_rows_without_clusters_are_told():
    z = np.random.default_rng(0).normal(size=(150, 5))
    choice = choose_n_clusters(z, values=[2, 3, 5, 8], **QUICK)
    assert choice.found is False
    assert choice.reason.endswith(
        "the difference is too small to tell that there are clusters."
    )


def test_the_table_is_that_of_clusters_of_the_same_rows():
    """A naive twin: the score of each repetition, without a reference."""
    z = blobs(3, n=60)
    table = choose_n_clusters(z, values=[2, 4], **QUICK).table
    seeds = np.random.RandomState(0).randint(2**31 - 1, size=2)
    for k in (2, 4):
        scores = []
        for seed in seeds:
            rows = z[np.random.default_rng(seed).permutation(60)[:48]]
            labels = KMeans(k, n_init=4, random_state=seed).fit_predict(rows)
            scores.append(valley_contrast_score(rows, labels))
        assert table.loc[k, "valley_contrast"] == pytest.approx(np.mean(scores))
        assert table.loc[k, "valley_contrast_std"] == pytest.approx(np.std(scores))


def test_many_rows_are_sampled():
    seen = []

    class Counting(KMeans):
        def fit(self, X, y=None):
            seen.append(len(X))
            return super().fit(X)

    choose_n_clusters(
        blobs(3, 300),
        clusterer=Counting(n_init=1),
        values=[2, 3],
        n_repeats=1,
        max_rows=40,
    )
    assert set(seen) == {40}


def test_heads_alone_of_a_clusterer_are_trained(make_clusterer):
    clusterer = make_clusterer(max_epochs=10, n_neighbors=5)
    z = blobs(3, 90)
    options = {"n_repeats": 1, "random_state": 0, "values": [2, 3]}
    choice = choose_n_clusters(z, clusterer=clusterer, **options)
    assert list(choice.table.clusters_used) == [2, 3]
    assert not hasattr(clusterer, "labels_")


@pytest.mark.parametrize("fitted", [True, False])
def test_a_pipeline_embeds(fitted):
    class CountingPCA(PCA):
        n_fits = 0

        def fit_transform(self, X, y=None):
            type(self).n_fits += 1
            return super().fit_transform(X)

    z = blobs(4)
    pipe = make_pipeline(CountingPCA(5), KMeans(2))
    expected = choose_n_clusters(PCA(5).fit_transform(z), values=[3, 4], **QUICK)
    if fitted:
        pipe.fit(z)
    fits = CountingPCA.n_fits
    choice = choose_n_clusters(z, embedder=pipe, values=[3, 4], **QUICK)
    assert CountingPCA.n_fits - fits == (not fitted)
    pd.testing.assert_frame_equal(choice.table, expected.table)


def test_a_bar_counts_numbers_and_repetitions(bars_at_once, capsys):
    choose_n_clusters(blobs(2, 40), values=[2, 3], verbose=1, **QUICK)
    assert "4/4" in capsys.readouterr().err


def test_candidates_leave_ten_rows_for_each_cluster():
    assert candidate_numbers(30) == [2, 3]
    assert candidate_numbers(150)[-2:] == [12, 14]
    assert candidate_numbers(10**6) == [*range(2, 13), 14, 16, 20]
    with pytest.raises(ValueError, match=r"n_clusters='auto' but n_samples=29: .* 30 "):
        candidate_numbers(29)


# The proposal


def test_the_range_ends_at_a_worse_value():
    choice = propose_value(table_of([0.39, 0.1, 0.385, 0.4, 0.39, 0.2, 0.385]))
    assert (choice.value, choice.low, choice.high) == (5, 4, 6)
    assert "(4 to 6 and 2 and 8 are as good)" in choice.reason
    assert list(choice.table.as_good) == [True, False, True, True, True, False, True]


def test_one_other_value_is_as_good():
    choice = propose_value(table_of([0.39, 0.1, 0.4, 0.2]))
    assert (choice.low, choice.high) == (4, 4)
    assert "4 clusters were chosen (2 is as good): valley contrast 0.45, 0.05 by" in (
        choice.reason
    )


def test_wider_deviations_make_a_wider_range():
    excess = [0.2, 0.3, 0.4, 0.3, 0.2]
    ends = [propose_value(table_of(excess, std)) for std in (0, 0.11, 0.21)]
    assert [(end.low, end.high) for end in ends] == [(4, 4), (3, 5), (2, 6)]


def test_what_does_not_exceed_chance_is_not_found():
    assert propose_value(table_of([0.1, 0.4], std=0.1)).found
    assert not propose_value(table_of([0.1, 0.4], std=0.21)).found
    assert not propose_value(table_of([0.02, 0.04], std=0)).found
    without = table_of([0.1, 0.4])[["valley_contrast"]]
    assert propose_value(without).found is None
    assert "by chance" not in propose_value(without).reason


def test_the_highest_number_may_be_too_low():
    told = "5 is the highest number tried, there may be more."
    assert told in propose_value(table_of([0.1, 0.2, 0.3, 0.4])).reason
    assert told not in propose_value(table_of([0.1, 0.2, 0.4, 0.3])).reason


def test_a_value_of_another_parameter():
    reason = propose_value(table_of([0.1, 0.4, 0.2], name="embed__d", first=7)).reason
    assert reason == (
        "embed__d=8 was chosen (the best of 3): valley contrast 0.45, 0.05 by chance."
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"n_repeats": 0}, "n_repeats=0 must be an integer of at least 1"),
        ({"max_rows": 3}, "max_rows=3 must be an integer of at least 30"),
        (
            {"values": [1, 2]},
            r"values=\[1, 2\] must be different integers from 2 to 32",
        ),
        ({"values": [2, 33]}, r"values=\[2, 33\] must be .* that a repetition sees of"),
        ({"values": []}, r"values=\[\] must be different integers"),
        ({"values": [3, 3]}, r"values=\[3, 3\] must be different integers"),
    ],
)
def test_errors_say_what_to_do(options, told):
    with pytest.raises(ValueError, match=told):
        choose_n_clusters(blobs(2, 40), **options)


def test_a_clusterer_embeds_nothing():
    with pytest.raises(TypeError, match="embedder=KMeans has no step that embeds"):
        choose_n_clusters(blobs(2, 40), embedder=KMeans(2))


@pytest.mark.parametrize(
    "clusterer", [DBSCAN(), AgglomerativeClustering(), GaussianMixture()]
)
def test_a_clusterer_needs_a_number_and_predict(clusterer):
    told = f"clusterer={type(clusterer).__name__} lacks .* such as KMeans"
    with pytest.raises(TypeError, match=told):
        choose_n_clusters(blobs(2, 40), clusterer=clusterer, values=[2, 3])
