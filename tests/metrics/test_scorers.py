import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClusterMixin, TransformerMixin
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from invariant_cluster.inspection import turned_copy
from invariant_cluster.metrics import (
    accuracy_scorer,
    adjusted_label_stability_scorer,
    cluster_silhouette_score,
    invariance_score,
    invariance_scorer,
    label_agreement_score,
    label_agreement_scorer,
    label_stability_scorer,
    neighbor_agreement_scorer,
    resampling_stability_score,
    resampling_stability_scorer,
    silhouette_scorer,
)

UNDER_TURNS = [
    adjusted_label_stability_scorer,
    invariance_scorer,
    label_stability_scorer,
    neighbor_agreement_scorer,
]
OF_CLUSTERS = [label_agreement_scorer, resampling_stability_scorer, silhouette_scorer]
LABEL_FREE = [*UNDER_TURNS, *OF_CLUSTERS]


class RingMeans(TransformerMixin, BaseEstimator):
    """Invariant: the mean grey value in rings about the centre."""

    def __init__(self, image_shape=None):
        self.image_shape = image_shape

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        X = np.asarray(X, dtype=float)
        X = X.reshape(len(X), *(self.image_shape or X.shape[1:]))
        y, x = np.indices(X.shape[1:3]) - (X.shape[1] - 1) / 2
        rings = np.hypot(x, y) // 2
        return np.stack([X[:, rings == r].mean(axis=1) for r in range(4)], axis=1)


class Quadrants(RingMeans):
    """Not invariant: the mean grey value in each quadrant."""

    def transform(self, X):
        X = np.asarray(X, dtype=float)
        halves = [slice(None, 8), slice(8, None)]
        return np.stack(
            [X[:, i, j].mean(axis=(1, 2)) for i in halves for j in halves], axis=1
        )


class Splitter(ClusterMixin, TransformerMixin, BaseEstimator):
    """Two clusters, by whether the first value of z exceeds its median."""

    def fit(self, X, y=None):
        self.median_ = np.median(X[:, 0])
        return self

    def predict(self, X):
        return (X[:, 0] > self.median_).astype(int)

    def transform(self, X):
        raise AssertionError("log-probabilities are no embedding")


@pytest.fixture(scope="module")
def data():
    """Smooth blobs at a random place of a 16 x 16 image, narrow or wide by class."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    y, x = np.indices((16, 16)) - 7.5
    cx, cy = 3.5 * rng.uniform(-1, 1, (2, 120, 1, 1))
    width = np.where(labels, 1.2, 2.2)[:, None, None]
    width = width * rng.uniform(0.9, 1.1, (120, 1, 1))
    images = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * width**2))
    return np.rint(200 * images).astype(np.uint8), labels


def fitted(data, embedder):
    return make_pipeline(embedder, Splitter()).fit(data[0])


@pytest.mark.parametrize("scorer", UNDER_TURNS)
def test_an_invariant_embedder_scores_higher(data, scorer):
    invariant = scorer(fitted(data, RingMeans()), data[0])
    varying = scorer(fitted(data, Quadrants()), data[0])
    assert invariant > 0.7
    assert varying < invariant - 0.2


@pytest.mark.parametrize("scorer", [invariance_scorer, neighbor_agreement_scorer])
def test_the_embedder_is_found(data, scorer):
    images = data[0]
    expected = scorer(RingMeans().fit(images), images)
    for steps in (
        [RingMeans(), Splitter()],
        [RingMeans(), LogisticRegression()],
        [RingMeans(), "passthrough"],
        [FunctionTransformer(), RingMeans()],
        [RingMeans()],
    ):
        assert scorer(make_pipeline(*steps).fit(*data), images) == expected


@pytest.mark.parametrize("scorer", LABEL_FREE)
@pytest.mark.usefixtures("generators_unchanged")
def test_labels_are_not_used_and_seeds_are_fixed(data, scorer):
    pipeline = fitted(data, Quadrants())
    assert scorer(pipeline, data[0], data[1]) == scorer(pipeline, data[0])


@pytest.mark.parametrize("scorer", LABEL_FREE)
def test_flat_rows_are_folded_by_image_shape(data, scorer):
    wide = np.pad(data[0], ((0, 0), (0, 0), (2, 2)))
    shape = wide.shape[1:]
    rows = wide.reshape(len(wide), -1)

    class Columns(RingMeans):
        def transform(self, X):
            X = np.asarray(X, dtype=float)
            return X.reshape(len(X), *shape).mean(axis=1)

    of_rows = make_pipeline(Columns(image_shape=shape), Splitter()).fit(rows)
    of_images = make_pipeline(Columns(), Splitter()).fit(wide)
    assert scorer(of_rows, rows) == scorer(of_images, wide)


def test_accuracy_scorer_matches_clusters_with_classes(data):
    images, labels = data
    pipeline = fitted(data, RingMeans())
    hits = (pipeline.predict(images) == labels).mean()
    assert accuracy_scorer(pipeline, images, labels) == max(hits, 1 - hits)
    names = np.array(["wide", "narrow"])[labels]
    assert accuracy_scorer(pipeline, images, names) == max(hits, 1 - hits)


def test_clusters_of_z_are_scored_as_by_metrics(data):
    images = data[0]
    pipeline = make_pipeline(RingMeans(), KMeans(3, n_init=1, random_state=0))
    labels = pipeline.fit_predict(images)
    z = pipeline[0].transform(images)
    agreement = label_agreement_score(z, labels, n_neighbors=12)
    assert label_agreement_scorer(pipeline, images) == agreement
    assert silhouette_scorer(pipeline, images) == cluster_silhouette_score(z, labels)
    stability = resampling_stability_score(pipeline[-1], z)
    assert resampling_stability_scorer(pipeline, images) == stability
    for scorer in OF_CLUSTERS:  # A clusterer of rows has z already.
        assert scorer(pipeline[-1], z) == scorer(pipeline, images)


@pytest.mark.parametrize("scorer", [adjusted_label_stability_scorer, *OF_CLUSTERS])
def test_one_cluster_scores_nothing(data, scorer):
    pipeline = make_pipeline(RingMeans(), KMeans(1, random_state=0)).fit(data[0])
    assert scorer(pipeline, data[0]) == 0


@pytest.mark.parametrize("scorer", OF_CLUSTERS)
@pytest.mark.parametrize("parameter", ["cluster__n_clusters", "embed__d"])
def test_grid_search_over_clusters_and_width(
    make_embedder, make_clusterer, images, scorer, parameter
):
    pipeline = Pipeline([("embed", make_embedder()), ("cluster", make_clusterer())])
    search = GridSearchCV(
        pipeline, {parameter: [2, 3]}, scoring=scorer, cv=2, error_score="raise"
    ).fit(images)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("scorer", [accuracy_scorer, neighbor_agreement_scorer])
def test_grid_search_in_two_processes(data, scorer):
    rows = data[0].reshape(len(data[0]), -1)
    pipeline = Pipeline(
        [("embed", PCA(random_state=0)), ("cluster", KMeans(2, random_state=0))]
    )
    grid = {"embed__n_components": [2, 6]}
    search = GridSearchCV(
        pipeline, grid, scoring=scorer, cv=2, n_jobs=2, error_score="raise"
    ).fit(rows, data[1])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.score(rows, data[1]) == scorer(search.best_estimator_, rows, data[1])


def test_cross_validate_with_many_scorers_and_no_classes(data):
    scoring = {scorer.__name__: scorer for scorer in LABEL_FREE}
    pipeline = make_pipeline(RingMeans(), Splitter())
    found = cross_validate(
        pipeline, data[0], scoring=scoring, cv=3, error_score="raise"
    )
    for scorer in UNDER_TURNS:
        assert (found[f"test_{scorer.__name__}"] > 0.5).all()
    for scorer in OF_CLUSTERS:
        assert np.isfinite(found[f"test_{scorer.__name__}"]).all()


@pytest.mark.parametrize("scorer", [accuracy_scorer, *LABEL_FREE])
def test_scorers_pickle(scorer):
    assert pickle.loads(pickle.dumps(scorer)) is scorer


def test_errors_say_what_to_do(data):
    images = data[0]
    with pytest.raises(ValueError, match=r"y is None, but accuracy_scorer .* give y"):
        accuracy_scorer(fitted(data, RingMeans()), images)
    with pytest.raises(TypeError, match="accuracy_scorer calls predict, which RingM"):
        accuracy_scorer(RingMeans(), images, data[1])
    with pytest.raises(TypeError, match="label_stability_scorer calls predict"):
        label_stability_scorer(RingMeans(), images)
    with pytest.raises(TypeError, match="silhouette_scorer calls predict, which RingM"):
        silhouette_scorer(RingMeans().fit(images), images)
    alone = AgglomerativeClustering(2).fit(np.eye(9))
    with pytest.raises(TypeError, match=r"Agglomerative.* has no predict"):
        resampling_stability_scorer(alone, np.eye(9))
    with pytest.raises(TypeError, match="calls transform, which LogisticRegression"):
        invariance_scorer(LogisticRegression(), images)


@pytest.mark.filterwarnings("ignore::invariant_cluster.DriftWarning")
def test_images_are_turned_on_the_background_of_the_model(data, make_polar_embedder):
    images = data[0].copy()
    images[:, [0, -1]] = images[:, :, [0, -1]] = 255  # a frame that objects do not have
    embedder = make_polar_embedder(d=4, background=0).fit(images)
    turned = turned_copy(embedder, images)
    expected = invariance_score(embedder.transform(images), embedder.transform(turned))
    assert invariance_scorer(embedder, images) == expected
    assert turned[:, 0, 0].max() < 255
    assert turned_copy(RingMeans(), images)[:, 0, 0].min() == 255
