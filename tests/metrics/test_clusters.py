"""Scores of clusters that need no labels."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from invariant_cluster import ImageEmbedding
from invariant_cluster.metrics import (
    adjusted_label_stability_score,
    cluster_silhouette_score,
    label_agreement_score,
    resampling_stability_score,
    valley_contrast_score,
)

SCORES = [label_agreement_score, cluster_silhouette_score, valley_contrast_score]


@pytest.fixture(scope="module")
def blobs():
    """120 rows of 6 values in four groups, and the groups."""
    return make_blobs(120, n_features=6, centers=4, cluster_std=0.5, random_state=0)


@pytest.mark.parametrize("score", SCORES)
def test_names_of_clusters_mean_nothing(blobs, score):
    z, labels = blobs
    named = np.array(["d", "a", "c", "b"])[labels]
    assert score(z, labels) == pytest.approx(score(z, named))


@pytest.mark.parametrize("score", SCORES)
def test_true_groups_score_above_merged_split_and_random_ones(blobs, score):
    z, labels = blobs
    merged = np.where(labels == 3, 2, labels)
    halved = 2 * labels + np.random.default_rng(0).integers(2, size=len(z))
    shuffled = np.random.default_rng(0).permutation(labels)
    best = score(z, labels)
    assert best > 0.5
    assert score(z, halved) < best
    assert score(z, shuffled) < 0.1
    if score is not label_agreement_score:  # fewer borders: no loss when merged
        assert score(z, merged) < best


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("labels", [np.zeros(120, int), np.arange(120)])
def test_one_cluster_and_a_cluster_a_row_score_nothing(blobs, score, labels):
    assert score(blobs[0], labels) == pytest.approx(0, abs=1e-12)


def test_label_agreement_is_that_of_its_formula():
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(30, 4)), rng.integers(3, size=30)
    cosine = -cdist(z - z.mean(axis=0), z - z.mean(axis=0), "cosine")
    same = pairs = hits = 0
    for i in range(30):
        others = [j for j in range(30) if j != i]
        same += sum(labels[i] == labels[j] for j in others)
        pairs += len(others)
        nearest = sorted(others, key=lambda j: -cosine[i, j])[:5]
        hits += sum(labels[i] == labels[j] for j in nearest)
    p, e = hits / 150, same / pairs
    found = label_agreement_score(z, labels, n_neighbors=5)
    assert found == pytest.approx((p - e) / (1 - e))


def test_label_agreement_of_random_labels_is_none_however_many():
    z = np.random.default_rng(0).normal(size=(2000, 3))
    for k in (2, 10, 50):
        labels = np.random.default_rng(1).integers(k, size=2000)
        assert abs(label_agreement_score(z, labels)) < 0.02


@pytest.mark.usefixtures("generators_unchanged")
def valley_of_the_formula(first, second):
    """Depth of the valley between rows, with a loop over rows and points."""
    line = second.mean(axis=0) - first.mean(axis=0)
    line /= np.linalg.norm(line)
    places = np.concatenate([first @ line, second @ line])
    weights = [0.5 / len(first)] * len(first) + [0.5 / len(second)] * len(second)
    n = 1 / np.sum(np.square(weights))  # effective rows
    mean = np.dot(weights, places)
    variance = np.dot(weights, (places - mean) ** 2) * n / (n - 1)
    width = n**-0.2 * np.sqrt(variance)  # Scott
    points = np.linspace(places[: len(first)].mean(), places[len(first) :].mean(), 60)
    f = [np.dot(weights, np.exp(-(((x - places) / width) ** 2) / 2)) for x in points]
    return max(1 - f[i] / min(max(f[: i + 1]), max(f[i:])) for i in range(60))


def test_valley_contrast_is_that_of_its_formula():
    rng = np.random.default_rng(0)
    centres = 3 * np.eye(3)[[0, 0, 1, 2]]
    groups = [centre + rng.normal(size=(25, 3)) for centre in centres]
    labels = np.repeat([0, 0, 1, 2], 25)
    groups = [np.concatenate(groups[:2]), *groups[2:]]
    contrasts = []
    for i, own in enumerate(groups):
        others = [group for j, group in enumerate(groups) if j != i]
        beside = min(valley_of_the_formula(own, other) for other in others)
        halves = KMeans(2, n_init=3, random_state=0).fit_predict(own)
        within = valley_of_the_formula(own[halves == 0], own[halves == 1])
        contrasts.append(len(own) / 100 * (beside - within))
    score = valley_contrast_score(np.concatenate(groups), labels)
    assert score == pytest.approx(sum(contrasts), abs=1e-6)


def test_valleys_within_clusters_cost(blobs):
    z, labels = blobs
    assert valley_contrast_score(z, labels // 2) < 0


def test_valley_contrast_of_equal_rows():
    z = np.repeat(np.eye(3), 10, axis=0)
    labels = np.repeat([0, 1, 2], 10)
    assert valley_contrast_score(z, labels) > 0.5
    assert valley_contrast_score(np.ones((30, 3)), labels) == 0


def test_the_silhouette_of_many_rows_is_that_of_some(blobs):
    z, labels = make_blobs(6000, n_features=6, centers=4, random_state=0)
    some = cluster_silhouette_score(z, labels)
    assert some == cluster_silhouette_score(z, labels)
    assert some == pytest.approx(
        cluster_silhouette_score(z[:900], labels[:900]), abs=0.05
    )


def test_adjusted_stability_is_none_where_nothing_is_told_apart():
    one, two = np.zeros(10, int), np.arange(10) % 2
    assert (
        adjusted_label_stability_score(one, one)
        == adjusted_label_stability_score(one, two)
        == 0
    )
    assert adjusted_label_stability_score(two, 1 - two) == 1


@pytest.mark.usefixtures("generators_unchanged")
def test_more_clusters_than_groups_are_less_stable(blobs):
    z, _ = blobs
    four, six, eight = (
        resampling_stability_score(KMeans(k, n_init=3), z, n_repeats=3)
        for k in (4, 6, 8)
    )
    assert four == pytest.approx(1)
    assert max(six, eight) < 0.9
    assert resampling_stability_score(KMeans(1), z) == 0


def test_stability_compares_halves_on_all_rows(blobs):
    class Recorder(KMeans):
        calls = []

        def fit(self, X, y=None):
            self.calls.append(("fit", len(X), self.random_state))
            return super().fit(X)

        def predict(self, X):
            self.calls.append(("predict", len(X), self.random_state))
            return super().predict(X)

    model = Recorder(5, n_init=1)
    found = resampling_stability_score(model, blobs[0], random_state=3)
    assert found == resampling_stability_score(model, blobs[0], random_state=3)
    assert [call[:2] for call in Recorder.calls[:4]] == [
        ("fit", 60),
        ("predict", 120),
        ("fit", 60),
        ("predict", 120),
    ]
    assert Recorder.calls[0][2] != Recorder.calls[2][2]
    assert not hasattr(model, "labels_")
    assert model.random_state is None


def test_stability_of_data_without_clusters_is_low():
    z = np.random.default_rng(0).normal(size=(300, 10))
    assert resampling_stability_score(KMeans(6, n_init=1), z, n_repeats=3) < 0.4


def test_halves_of_an_image_embedding_keep_their_images(blobs):
    z, _ = blobs
    images = np.arange(120)

    class Seeing(KMeans):
        def fit(self, X, y=None):
            assert X.encoder == "encoder"
            np.testing.assert_array_equal(np.asarray(X), np.float32(z)[X.images])
            return super().fit(np.asarray(X))

        def predict(self, X):
            return super().predict(np.asarray(X))

    embedding = ImageEmbedding(z, images, "encoder")
    assert resampling_stability_score(Seeing(4, n_init=1), embedding) == 1


def test_errors_say_what_to_do(blobs):
    z, labels = blobs
    with pytest.raises(TypeError, match=r"Agglomerative.* has no predict.* give SCANC"):
        resampling_stability_score(AgglomerativeClustering(2), z)
    with pytest.raises(ValueError, match=r"X has 3 row\(s\): two halves need at least"):
        resampling_stability_score(KMeans(2), z[:3])
    with pytest.raises(ValueError, match="n_repeats=0 must be at least 1"):
        resampling_stability_score(KMeans(2), z, n_repeats=0)
    with pytest.raises(ValueError, match="differ in length"):
        cluster_silhouette_score(z, labels[1:])


def test_the_index_is_scikit_learns():
    rng = np.random.default_rng(0)
    first, second = rng.integers(3, size=(2, 50))
    assert adjusted_label_stability_score(first, second) == adjusted_rand_score(
        first, second
    )
