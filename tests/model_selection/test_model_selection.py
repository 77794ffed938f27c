"""Curves of criteria without labels."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from invariant_cluster.images import ImageEmbedding
from invariant_cluster.metrics import (
    cluster_silhouette_score,
    label_agreement_score,
    resampling_stability_score,
    valley_contrast_score,
)
from invariant_cluster.model_selection import CRITERIA, label_free_curve, suggest_value

OF_ROWS = ["resampling_stability", "label_agreement", "silhouette", "valley_contrast"]
OF_IMAGES = ["resampling_stability", "turning_stability", *OF_ROWS[1:]]


class Brightness(TransformerMixin, BaseEstimator):
    """Mean and spread of an image; counts its fits."""

    n_fits = 0

    def __init__(self, weight=1.0, image_shape=None):
        self.weight = weight
        self.image_shape = image_shape

    def fit(self, X, y=None):
        type(self).n_fits += 1
        self.fitted_ = True
        return self

    def transform(self, X):
        rows = np.asarray(X, dtype=float).reshape(len(X), -1)
        return np.stack([rows.mean(axis=1), self.weight * rows.std(axis=1)], axis=1)


@pytest.fixture
def pipeline():
    Brightness.n_fits = 0
    return Pipeline([("embed", Brightness()), ("cluster", KMeans(3, n_init=1))])


@pytest.fixture(scope="module")
def pictures():
    """60 images (16, 16) of three brightnesses."""
    rng = np.random.default_rng(0)
    grey = np.repeat([20.0, 100.0, 200.0], 20)[:, None, None]
    return grey + rng.normal(size=(60, 16, 16))


def curve(estimator, X, name, values, **options):
    options = {"n_repeats": 2, "random_state": 0} | options
    return label_free_curve(
        estimator, X, param_name=name, param_range=values, **options
    )


@pytest.mark.parametrize("k", [3, 4, 6])
@pytest.mark.usefixtures("generators_unchanged")
def test_the_curve_peaks_at_the_number_of_groups(k):
    z, _ = make_blobs(240, n_features=8, centers=k, cluster_std=0.7, random_state=1)
    table = curve(KMeans(n_init=3), z, "n_clusters", range(2, 9))
    assert suggest_value(table) == k
    assert table.loc[k, "resampling_stability"] == pytest.approx(1)
    for name in OF_ROWS:
        assert table.loc[k, f"{name}_excess"] > 0.2


def test_the_default_finds_unequal_groups_that_the_silhouette_does_not():
    random = np.random.default_rng(0)
    sizes, spreads = [400, 40, 40], [3.0, 0.6, 0.6]
    centres = 14 * np.eye(12)[:3]
    z = np.concatenate(
        [
            centre + spread * random.normal(size=(size, 12))
            for size, spread, centre in zip(sizes, spreads, centres, strict=True)
        ]
    )
    table = curve(KMeans(n_init=3), z, "n_clusters", range(2, 9))
    assert suggest_value(table) == 3


def test_scan_is_judged_by_its_heads(make_clusterer):
    z, _ = make_blobs(120, n_features=6, centers=4, cluster_std=0.5, random_state=0)
    clusterer = make_clusterer(max_epochs=10, n_neighbors=5)
    table = curve(clusterer, z, "n_clusters", [2, 4, 7], n_repeats=1)
    # SCAN leaves the other clusters of 7 empty, so both numbers mean the same.
    assert table.loc[suggest_value(table), "clusters_used"] == 4
    assert list(table["clusters_used"])[:2] == [2, 4]


def test_criteria_are_those_of_metrics(pictures):
    z = Brightness().transform(pictures)
    z = z + np.random.default_rng(0).normal(size=z.shape) * 30
    table = curve(KMeans(n_init=1), z, "n_clusters", [5], n_repeats=1)
    seed = np.random.RandomState(0).randint(2**31 - 1, size=1)[0]
    model = KMeans(5, n_init=1, random_state=seed)
    labels = model.fit_predict(z)
    assert table.loc[5, "silhouette"] == cluster_silhouette_score(z, labels)
    agreement = label_agreement_score(z, labels, n_neighbors=6)
    assert table.loc[5, "label_agreement"] == agreement
    stability = resampling_stability_score(model, z, random_state=seed)
    assert table.loc[5, "resampling_stability"] == stability
    assert table.loc[5, "silhouette_std"] == 0
    assert table.loc[5, "valley_contrast"] == valley_contrast_score(z, labels)


def test_data_without_clusters_exceed_nothing():
    z = np.random.default_rng(0).normal(size=(300, 4)) * [1, 2, 3, 9] + 5
    table = curve(KMeans(n_init=3), z, "n_clusters", [2, 5], n_repeats=4)
    assert (table[["silhouette_excess", "label_agreement_excess"]].abs() < 0.1).all(
        axis=None
    )
    assert (table["resampling_stability_excess"].abs() < 0.3).all()
    assert (table["valley_contrast_excess"].abs() < 0.2).all()


def test_a_table_of_means_and_spreads(pipeline, pictures):
    table = curve(pipeline, pictures, "cluster__n_clusters", [2, 3])
    assert table.index.name == "cluster__n_clusters"
    assert list(table.index) == [2, 3]
    columns = {"clusters_used", "clusters_used_std"}
    columns |= set(OF_IMAGES) | {f"{name}_std" for name in OF_IMAGES}
    columns |= {f"{name}_excess{end}" for name in OF_ROWS for end in ("", "_std")}
    assert set(table.columns) == columns
    assert np.isfinite(table.to_numpy()).all()
    again = curve(pipeline, pictures, "cluster__n_clusters", [2, 3])
    pd.testing.assert_frame_equal(table, again)


def test_images_are_embedded_once_for_all_numbers_of_clusters(pipeline, pictures):
    table = curve(pipeline, pictures, "cluster__n_clusters", range(2, 6))
    assert Brightness.n_fits == 1
    assert suggest_value(table) == 3
    assert not hasattr(pipeline[0], "fitted_")
    assert pipeline[-1].n_clusters == 3


def test_all_is_fitted_anew_for_the_embedders_parameter(pipeline, pictures):
    table = curve(pipeline, pictures, "embed__weight", [0.0, 1.0])
    assert Brightness.n_fits == 4
    assert set(CRITERIA) <= set(table.columns)
    assert not hasattr(pipeline[0], "fitted_")


def test_steps_themselves_may_vary(pipeline, pictures):
    steps = [KMeans(2, n_init=1), KMeans(3, n_init=1)]
    table = curve(pipeline, pictures, "cluster", steps)
    assert Brightness.n_fits == 1
    assert suggest_value(table) is steps[1]


@pytest.mark.parametrize("wrap", [FrozenEstimator, lambda embedder: embedder])
def test_a_fitted_embedder_is_not_fitted_again(pictures, wrap):
    embedder = Brightness().fit(pictures)
    Brightness.n_fits = 0
    fitted = Pipeline([("embed", wrap(embedder)), ("cluster", KMeans(n_init=1))])
    table = curve(fitted, pictures, "cluster__n_clusters", [2, 3])
    assert Brightness.n_fits == 0
    assert "turning_stability" in table


def test_a_fitted_embedder_is_fitted_again_if_asked(pipeline, pictures):
    pipeline.fit(pictures)
    embedder, Brightness.n_fits = pipeline[0], 0
    curve(pipeline, pictures, "cluster__n_clusters", [2, 3], refit=True)
    assert Brightness.n_fits == 1
    assert pipeline[0] is embedder
    curve(pipeline, pictures, "embed__weight", [1.0], n_repeats=1)
    assert Brightness.n_fits == 2


def test_an_embedding_is_the_input_of_the_clusterer(pipeline, pictures):
    pipeline.fit(pictures)
    z = pipeline[0].transform(pictures).astype(np.float32)
    given = curve(pipeline, ImageEmbedding(z), "cluster__n_clusters", [2, 3])
    alone = curve(pipeline[-1], z, "n_clusters", [2, 3])
    pd.testing.assert_frame_equal(given, alone, check_names=False)
    with pytest.raises(ValueError, match=r"X is an ImageEmbedding, but param_name='em"):
        curve(pipeline, ImageEmbedding(z), "embed__weight", [1.0])


def test_a_bar_counts_values_and_repetitions(bars_at_once, capsys):
    z = np.random.default_rng(0).normal(size=(40, 3))
    curve(KMeans(n_init=1), z, "n_clusters", [2, 3], verbose=1)
    assert "4/4" in capsys.readouterr().err
    curve(KMeans(n_init=1), z, "n_clusters", [2, 3])
    assert not capsys.readouterr().err


def test_flat_rows_are_turned_only_if_their_shape_is_known(pipeline, pictures):
    rows = pictures.reshape(60, -1)
    without = curve(pipeline, rows, "cluster__n_clusters", [3])
    assert "turning_stability" not in without
    pipeline.set_params(embed__image_shape=(16, 16))
    table = curve(pipeline, rows, "cluster__n_clusters", [3])
    expected = curve(
        pipeline.set_params(embed__image_shape=None),
        pictures,
        *("cluster__n_clusters", [3]),
    )
    pd.testing.assert_frame_equal(table, expected)


def test_seeds_of_embedder_and_clusterer_follow_random_state(pictures):
    rows = pictures.reshape(60, -1)
    pipeline = Pipeline(
        [("embed", PCA(svd_solver="randomized")), ("cluster", KMeans(3, n_init=1))]
    )
    first, second = (curve(pipeline, rows, "embed__n_components", [4]) for _ in "12")
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("heads_only", [True, False])
def test_an_embedder_and_scan(make_embedder, make_clusterer, images, heads_only):
    pipeline = Pipeline([("embed", make_embedder()), ("cluster", make_clusterer())])
    epochs = []

    class Counting(type(pipeline[-1])):
        def fit(self, X, y=None):
            super().fit(X)
            epochs.append(set(self.history_["stage"]))
            return self

    pipeline.steps[-1] = ("cluster", Counting(**pipeline[-1].get_params()))
    name = "cluster__n_clusters"
    table = curve(pipeline, images, name, [2, 3], heads_only=heads_only, n_repeats=1)
    assert np.isfinite(table.to_numpy()).all()
    tuned = [stages for stages in epochs if "fine-tuning" in stages]
    assert len(epochs) == 12
    assert len(tuned) == (0 if heads_only else 6)


def test_the_embedders_width_compares(make_embedder, make_clusterer, images):
    pipeline = Pipeline([("embed", make_embedder()), ("cluster", make_clusterer())])
    table = curve(pipeline, images, "embed__d", [2, 4], n_repeats=1)
    assert np.isfinite(table.to_numpy()).all()
    assert suggest_value(table, "neighbor_agreement") in (2, 4)


def test_frames_keep_their_names(make_embedder, make_clusterer, images, frame):
    embedder = make_embedder(image_shape=images.shape[1:])
    pipeline = Pipeline([("embed", embedder), ("cluster", make_clusterer())])
    # a warning is an error
    table = curve(pipeline, frame, "cluster__n_clusters", [3], n_repeats=1)
    assert "turning_stability" in table


def test_suggestions_go_by_the_excess():
    table = pd.DataFrame(
        {"silhouette": [3.0, 2.0], "silhouette_excess": [0.1, 0.2]}, index=["a", "b"]
    )
    assert suggest_value(table, "silhouette") == "b"
    assert suggest_value(table[["silhouette"]], "silhouette") == "a"
    with pytest.raises(ValueError, match="criterion='size' is unknown: choose one of"):
        suggest_value(table, "size")


def test_errors_say_what_to_do(pipeline, pictures):
    with pytest.raises(
        ValueError, match=r"param_name='k' is unknown: choose .*cluster"
    ):
        curve(pipeline, pictures, "k", [2])
    with pytest.raises(ValueError, match=r"param_range=\[\] is empty: give values"):
        curve(pipeline, pictures, "cluster__n_clusters", [])
    for value in (3, "abc"):
        with pytest.raises(TypeError, match=f"param_range={value!r} is not a seq"):
            curve(pipeline, pictures, "cluster__n_clusters", value)
    with pytest.raises(
        ValueError, match="n_repeats=0 must be an integer of at least 1"
    ):
        curve(pipeline, pictures, "cluster__n_clusters", [2], n_repeats=0)
    with pytest.raises(
        TypeError, match=r"Agglomerative.* has no predict.*: end the Pip"
    ):
        curve(AgglomerativeClustering(), np.eye(9), "n_clusters", [2])
