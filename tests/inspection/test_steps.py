"""Which step embeds and which clusters, and what a clusterer predicts."""

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from invariant_cluster.inspection import (
    divide,
    find_step,
    image_shape_of,
    predict_clusters,
    steps_of,
)

SCALER, KMEANS = StandardScaler(), KMeans(2, n_init=1)


@pytest.mark.parametrize("last", [KMEANS, DBSCAN(), LogisticRegression()])
def test_the_last_step_clusters_if_it_predicts_or_does_not_transform(last):
    embedder, clusterer = divide(make_pipeline(SCALER, FunctionTransformer(), last))
    assert clusterer is last
    assert steps_of(embedder)[0] is SCALER
    assert len(embedder) == 2
    assert divide(last) == (None, last)
    assert divide(make_pipeline(last)) == (None, last)


@pytest.mark.parametrize(
    "model", [SCALER, make_pipeline(SCALER), make_pipeline(SCALER, "passthrough")]
)
def test_a_model_without_clusterer_embeds_with_all_its_steps(model):
    assert divide(model) == (model, None)


def test_a_step_is_found_with_what_it_receives(images, make_polar_embedder):
    embedder = make_polar_embedder(d=4)
    pipe = make_pipeline(FunctionTransformer(np.negative), embedder)
    pipe.fit(images.astype(float))
    step, seen = find_step(pipe, images.astype(float), "layout_")
    assert step is embedder
    np.testing.assert_array_equal(seen, -images.astype(float))
    with pytest.raises(TypeError, match="estimator=Pipeline has no draw: give an"):
        find_step(pipe, images, "draw")


def test_the_first_image_shape_given_counts(make_polar_embedder):
    given = make_polar_embedder(image_shape=(4, 4))
    assert image_shape_of(given) == (4, 4)
    steps = [("scale", SCALER), ("none", make_polar_embedder()), ("embed", given)]
    assert image_shape_of(Pipeline(steps)) == (4, 4)
    assert image_shape_of(SCALER) is None


def test_predictions_take_the_best_that_a_clusterer_has():
    z = np.repeat([[0.0, 0], [9, 9]], 6, axis=0)
    classes = np.repeat([0, 1], 6)
    labels, probabilities = predict_clusters(LogisticRegression().fit(z, classes), z)
    np.testing.assert_array_equal(labels, classes)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), classes)
    plain = predict_clusters(KMeans(2, n_init=1).fit(z), z)
    assert plain.probabilities is None is plain.confidence
    own = DBSCAN(eps=1, min_samples=2).fit(z)
    np.testing.assert_array_equal(predict_clusters(own, z).labels, classes)
    with pytest.raises(ValueError, match=r"X has 5 images but DBSCAN.* has no predict"):
        predict_clusters(own, z[:5])


def test_confidence_is_the_probability_of_the_cluster():
    z = np.random.default_rng(0).normal(size=(30, 2))
    model = LogisticRegression().fit(z, z[:, 0] > 0)
    prediction = predict_clusters(model, z)
    assert prediction.confidence.shape == (30,)
    assert (prediction.confidence >= 0.5).all()
