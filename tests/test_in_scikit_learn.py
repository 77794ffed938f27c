"""The two estimators inside scikit-learn's machinery, and after storage."""

import copy
import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from invariant_cluster import ImageEmbedding, metrics
from invariant_cluster.metrics import (
    accuracy_scorer,
    clustering_accuracy_score,
    label_stability_scorer,
    neighbor_agreement_scorer,
)
from invariant_cluster.modules import ImageEncoder

SCORERS = [name for name in metrics.__all__ if name.endswith("_scorer")]


def pipes_of(make_embedder, make_clusterer):
    """Return a maker of pipelines; parameters as in ``set_params``."""

    def make(memory=None, **parameters):
        steps = [("embed", make_embedder()), ("cluster", make_clusterer())]
        return Pipeline(steps, memory=memory).set_params(**parameters)

    return make


@pytest.fixture
def make_pipe(make_embedder, make_clusterer):
    return pipes_of(make_embedder, make_clusterer)


@pytest.fixture
def make_any_pipe(make_any_embedder, make_clusterer):
    return pipes_of(make_any_embedder, make_clusterer)


@pytest.fixture
def fitted(make_any_pipe, images):
    return make_any_pipe().fit(images)


def store_by_pickle(fitted, tmp_path):
    return pickle.loads(pickle.dumps(fitted))


def store_by_joblib(fitted, tmp_path):
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    return joblib.load(tmp_path / "fitted.joblib")


def store_by_deepcopy(fitted, tmp_path):
    return copy.deepcopy(fitted)


STORES = [store_by_pickle, store_by_joblib, store_by_deepcopy]


# Pipeline


def test_a_pipeline_clusters_images(make_any_pipe, digits):
    images, classes = digits
    pipe = make_any_pipe()
    labels = pipe.fit_predict(images)
    assert (labels.shape, labels.dtype) == ((48,), np.int64)
    assert pipe["cluster"].fine_tuned_
    np.testing.assert_array_equal(pipe.predict(images), labels)
    assert pipe.predict(images[:5]).shape == (5,)
    np.testing.assert_allclose(pipe.predict_proba(images).sum(axis=1), 1, rtol=1e-5)
    assert pipe.transform(images).shape == (48, 3)
    assert pipe.score(images, classes) == clustering_accuracy_score(classes, labels)
    assert np.isfinite(pipe.score(images))
    assert pipe.get_feature_names_out()[0] == "scanclusterer0"


@pytest.mark.parametrize(
    ("reshape", "image_shape"),
    [
        (lambda X: X.reshape(len(X), -1), None),
        (lambda X: pd.DataFrame(X.reshape(len(X), -1)).rename(columns=str), None),
        (lambda X: X[:, 2:14].reshape(len(X), -1), (12, 16)),
        (lambda X: np.stack([X, X, 255 - X], axis=-1), None),
        (lambda X: np.stack([X, X, 255 - X], axis=1) / 255, None),
        (lambda X: list(X), None),
    ],
    ids=["flat", "frame", "flat non-square", "RGB", "channels first", "list"],
)
def test_a_pipeline_fine_tunes_on_any_layout(reshape, image_shape, make_pipe, images):
    X = reshape(images)
    pipe = make_pipe(embed__image_shape=image_shape)
    labels = pipe.fit_predict(X)
    assert pipe["cluster"].fine_tuned_
    np.testing.assert_array_equal(pipe.predict(X), labels)


@pytest.mark.filterwarnings("ignore:Rows of 250 values:UserWarning")
def test_a_pipeline_fine_tunes_on_padded_rows(make_pipe, images):
    X = images.reshape(len(images), -1)[:, :250]
    pipe = make_pipe()
    labels = pipe.fit_predict(X)
    np.testing.assert_array_equal(pipe.predict(X), labels)


def test_a_pipeline_fine_tunes_on_a_memmap(make_pipe, images, tmp_path):
    images.tofile(tmp_path / "images")
    mapped = np.memmap(tmp_path / "images", np.uint8, "r", shape=images.shape)
    np.testing.assert_array_equal(
        make_pipe().fit_predict(mapped), make_pipe().fit_predict(images)
    )


def test_fine_tuning_in_a_pipeline_leaves_the_embedder_alone(
    make_any_pipe, make_any_embedder, images
):
    pipe = make_any_pipe(cluster__lr=1e-2, cluster__max_epochs=2).fit(images)
    alone = make_any_embedder().fit(images)
    np.testing.assert_array_equal(
        pipe["embed"].transform(images), alone.transform(images)
    )


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform"])
def test_a_fine_tuned_pipeline_encodes_each_image_once(
    method, make_pipe, images, monkeypatch
):
    """The fine-tuned encoder alone: z of the embedder is not asked for."""
    pipe = make_pipe().fit(images)
    seen, forward = [], ImageEncoder.forward

    def count(encoder, raw):
        seen.append((encoder, len(raw)))
        return forward(encoder, raw)

    monkeypatch.setattr(ImageEncoder, "forward", count)
    getattr(pipe, method)(images)
    assert sum(n for _, n in seen) == len(images)
    assert {id(encoder) for encoder, _ in seen} == {id(pipe["cluster"].encoder_)}


def test_cross_validation_fine_tunes_in_each_fold(make_pipe, images):
    pipe = make_pipe().fit(images)
    z = pipe[:-1].transform(images)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # as on plain rows
        results = cross_validate(pipe[-1], z, cv=3, return_estimator=True)
    assert all(clusterer.fine_tuned_ for clusterer in results["estimator"])
    assert np.isfinite(results["test_score"]).all()
    np.testing.assert_array_equal(pipe[-1].predict(z[:5]), pipe[-1].labels_[:5])


def test_an_embedding_does_not_follow_a_warm_start(make_any_embedder, images):
    embedder = make_any_embedder(warm_start=True).fit(images)
    used, unused = embedder.transform(images), embedder.transform(images)
    before = np.asarray(used)
    embedder.fit(images)
    np.testing.assert_array_equal(unused, before)
    assert not np.array_equal(embedder.transform(images), before)


def test_other_clusterers_take_the_embedding(make_any_embedder, images):
    pipe = make_pipeline(make_any_embedder(), KMeans(3, n_init=1, random_state=0))
    assert pipe.fit_predict(images).shape == (48,)


def test_a_scaler_in_between_changes_the_method_and_is_told_of(
    make_any_embedder, make_clusterer, images
):
    pipe = make_pipeline(make_any_embedder(), StandardScaler(), make_clusterer())
    with pytest.warns(UserWarning, match="fine_tune='auto' but X is a plain"):
        pipe.fit(images)
    assert not pipe[-1].fine_tuned_
    assert pipe.predict(images).shape == (48,)


class Interrupt(Callback):
    """Presses Ctrl-C at the end of the first epoch."""

    def on_epoch_end(self, net, **_):
        raise KeyboardInterrupt


def test_interrupt_of_the_embedder_stops_the_pipeline(make_any_pipe, images):
    pipe = make_any_pipe(embed__max_epochs=9, embed__callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        pipe.fit_predict(images)
    assert pipe["embed"].n_iter_ == 1
    assert np.isfinite(pipe["embed"].transform(images)).all()
    with pytest.raises(NotFittedError):
        pipe["cluster"].predict(pipe["embed"].transform(images))


def test_interrupt_of_the_clusterer_stops_the_pipeline(make_any_pipe, images):
    pipe = make_any_pipe(cluster__max_epochs=9, cluster__callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        pipe.fit(images)
    assert pipe["cluster"].n_iter_ == 1
    assert pipe.predict(images).shape == (48,)


# Clone and storage


def test_clone_is_unfitted_and_fits_to_the_same(fitted, images):
    twin = clone(fitted)
    assert twin["embed"].get_params() == fitted["embed"].get_params()
    assert twin["cluster"].get_params() == fitted["cluster"].get_params()
    with pytest.raises(NotFittedError):
        twin["embed"].transform(images)
    np.testing.assert_array_equal(
        twin.fit(images).predict_proba(images), fitted.predict_proba(images)
    )


@pytest.mark.parametrize("store", STORES)
def test_a_stored_pipeline_predicts_the_same(store, fitted, images, tmp_path):
    stored = store(fitted, tmp_path)
    np.testing.assert_array_equal(
        stored.predict_proba(images), fitted.predict_proba(images)
    )
    embedder, original = stored["embed"], fitted["embed"]
    methods = ["transform", "canonicalize", "reconstruct"]
    for method in methods[: 3 if hasattr(embedder, "reconstruct") else 2]:
        np.testing.assert_array_equal(
            getattr(embedder, method)(images), getattr(original, method)(images)
        )
    pd.testing.assert_frame_equal(embedder.history_, original.history_)


@pytest.mark.parametrize("store", STORES)
def test_a_stored_embedder_trains_on(store, make_any_embedder, images, tmp_path):
    embedder = make_any_embedder(warm_start=True, verbose=1).fit(images)
    stored = store(embedder, tmp_path).fit(images)
    embedder.fit(images)
    assert stored.n_iter_ == 2
    np.testing.assert_array_equal(stored.transform(images), embedder.transform(images))


def test_a_pickle_does_not_hold_the_images(make_any_embedder, images):
    many = np.concatenate([images] * 20)
    embedder = make_any_embedder().fit(images)
    on_many = make_any_embedder().fit(many)
    size, size_on_many = (len(pickle.dumps(e)) for e in [embedder, on_many])
    assert size_on_many < size + many.nbytes / 4


@pytest.mark.parametrize("store", STORES[:2])
def test_a_stored_embedding_keeps_images_and_encoder(
    store, make_any_embedder, make_clusterer, images, tmp_path
):
    embedding = make_any_embedder().fit_transform(images)
    stored = store(embedding, tmp_path)
    assert isinstance(stored, ImageEmbedding)
    np.testing.assert_array_equal(stored, embedding)
    np.testing.assert_array_equal(stored.images, images)
    batch = torch.from_numpy(images[:4, None].copy())
    with torch.no_grad():
        z = stored.encoder.eval()(batch)
    np.testing.assert_allclose(z, embedding[:4], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(
        make_clusterer().fit_predict(stored), make_clusterer().fit_predict(embedding)
    )


@pytest.mark.parametrize(
    "derive",
    [
        lambda z: z[0],
        lambda z: z[:, 0],
        lambda z: z.copy(),
        lambda z: z + 1,
        lambda z: np.concatenate([z, z]),
        lambda z: z.mean(axis=0),
        lambda z: np.asarray(z),
        lambda z: z.T,
        lambda z: z.reshape(-1),
        lambda z: z.astype(np.float64),
    ],
    ids=[
        *["row", "column", "copy", "sum", "concatenation", "mean", "asarray"],
        *["transposed", "reshaped", "cast"],
    ],
)
def test_what_is_derived_from_an_embedding_is_plain(derive, make_embedder, images):
    """Its rows need not be those of the images any more."""
    derived = derive(make_embedder().fit_transform(images))
    assert getattr(derived, "images", None) is None
    assert getattr(derived, "encoder", None) is None


# Caching


def test_memory_caches_the_embedder(make_any_pipe, images, tmp_path, monkeypatch):
    expected = make_any_pipe().fit_predict(images)
    memory = joblib.Memory(tmp_path, verbose=0)
    np.testing.assert_array_equal(make_any_pipe(memory).fit_predict(images), expected)

    def fit(self, X, y=None):
        raise AssertionError("trained again")

    again = make_any_pipe(memory)
    monkeypatch.setattr(type(again["embed"]), "fit", fit)
    np.testing.assert_array_equal(again.fit_predict(images), expected)
    assert again["cluster"].fine_tuned_
    np.testing.assert_array_equal(again.predict(images), expected)
    with pytest.raises(AssertionError, match="trained again"):
        make_any_pipe(memory, embed__d=3).fit(images)


# Frames


def test_set_output_pandas(make_any_embedder, make_clusterer, images, frame):
    embedder = make_any_embedder().set_output(transform="pandas")
    z = embedder.fit_transform(images)
    assert isinstance(z, pd.DataFrame)
    prefix = type(embedder).__name__.lower()
    assert z.columns.tolist() == [f"{prefix}{i}" for i in range(4)]
    plain = make_any_embedder().fit_transform(images)
    np.testing.assert_array_equal(z.to_numpy(), plain)

    rows = frame.set_axis([f"image {i}" for i in range(len(frame))])
    framed = make_any_embedder().set_output(transform="pandas").fit_transform(rows)
    assert framed.index.equals(rows.index)

    clusterer = make_clusterer(fine_tune=False).set_output(transform="pandas")
    log_probabilities = clusterer.fit(z).transform(z)
    assert log_probabilities.columns.tolist() == [f"scanclusterer{i}" for i in range(3)]


def test_set_output_pandas_in_a_pipeline_is_told_of(make_pipe, images):
    pipe = make_pipe().set_output(transform="pandas")
    with pytest.warns(UserWarning, match="pandas output"):
        pipe.fit(images)
    assert not pipe["cluster"].fine_tuned_
    pipe = make_pipe(cluster__fine_tune=True).set_output(transform="pandas")
    with pytest.raises(ValueError, match="pandas output"):
        pipe.fit(images)


@pytest.mark.parametrize("name", SCORERS)
def test_scorers_keep_the_names_of_a_frame(name, make_pipe, digits, frame):
    images, y = digits
    pipe = make_pipe(embed__image_shape=images.shape[1:]).fit(frame)
    scored = getattr(metrics, name)(pipe, frame, y)  # a warning is an error
    assert np.isfinite(scored)


def test_set_output_polars(make_embedder, images):
    polars = pytest.importorskip("polars")
    z = make_embedder().set_output(transform="polars").fit_transform(images)
    assert isinstance(z, polars.DataFrame)
    assert z.shape == (48, 4)


# Model selection


@pytest.mark.parametrize("scorer", [accuracy_scorer, neighbor_agreement_scorer])
def test_grid_search_over_d_in_two_processes(scorer, make_pipe, digits):
    images, classes = digits
    y = classes if scorer is accuracy_scorer else None
    search = GridSearchCV(
        make_pipe(), {"embed__d": [2, 5]}, scoring=scorer, cv=2, n_jobs=2
    )
    search.fit(images, y)
    scores = np.array([search.cv_results_[f"split{i}_test_score"] for i in range(2)])
    assert scores.shape == (2, 2)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert search.best_params_["embed__d"] in (2, 5)
    best = search.best_estimator_
    assert best["embed"].transform(images).shape == (
        48,
        search.best_params_["embed__d"],
    )
    assert best["cluster"].fine_tuned_
    assert search.predict(images).shape == (48,)


def test_a_search_in_two_processes_scores_as_in_one(make_pipe, digits):
    images, classes = digits
    scores = [
        cross_val_score(
            make_pipe(), images, classes, scoring=accuracy_scorer, cv=2, n_jobs=n_jobs
        )
        for n_jobs in [1, 2]
    ]
    np.testing.assert_array_equal(*scores)


def test_scoring_needs_no_labels(make_any_pipe, images):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for scoring in [label_stability_scorer, None]:
            scores = cross_val_score(make_any_pipe(), images, scoring=scoring, cv=2)
            assert np.isfinite(scores).all()
