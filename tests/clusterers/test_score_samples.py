"""How normal a row is, given the rows trained on."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from invariant_cluster import SCANClusterer
from invariant_cluster.neighbors import score_nearness


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(80, 5)).astype(np.float32)


@pytest.fixture(scope="module")
def clusterer(make_clusterer):
    z, _ = make_blobs(60, n_features=6, centers=3, cluster_std=0.5, random_state=0)
    return make_clusterer(fine_tune=False).fit(z), z


def naive(queries, training, k, skip=None):
    scores = []
    for i, query in enumerate(queries):
        distances = [
            np.sqrt(((query.astype(float) - row) ** 2).sum())
            for j, row in enumerate(training)
            if skip is None or j != skip[i]
        ]
        scores.append(-np.mean(sorted(distances)[:k]))
    return np.array(scores)


def test_scores_are_those_of_the_formula(rows):
    new = rows[:10] + 0.3
    np.testing.assert_allclose(
        score_nearness(new, rows, 4), naive(new, rows, 4), rtol=1e-5
    )


def test_training_rows_are_not_their_own_neighbours(rows):
    found = score_nearness(rows, rows, 4)
    expected = naive(rows, rows, 4, skip=range(len(rows)))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    # Also one at a time, in another order, and embedded with other rounding.
    some = rows[[7, 3]] * np.float32(1 + 1e-6)
    np.testing.assert_allclose(score_nearness(some, rows, 4), found[[7, 3]], rtol=1e-3)


def test_training_rows_compare_with_new_ones():
    drawn = np.random.default_rng(0).normal(size=(2000, 5)).astype(np.float32)
    old, new = score_nearness(drawn, drawn[:1000], 5).reshape(2, -1)
    assert np.median(old) == pytest.approx(np.median(new), rel=0.05)


def test_of_equal_rows_one_is_the_row_itself(rows):
    twice = np.vstack([rows, rows[:1]])
    assert score_nearness(rows[:1], twice, 1) == pytest.approx(0, abs=1e-5)
    assert score_nearness(rows[:1], rows, 1) < -0.1


def test_what_lies_far_away_scores_lower(clusterer):
    model, z = clusterer
    farther = [z + shift for shift in (0, 3, 10, 100)]
    medians = [np.median(model.score_samples(x)) for x in farther]
    assert medians == sorted(medians, reverse=True)
    assert model.score_samples(farther[-1]).max() < model.score_samples(z).min()


@pytest.mark.usefixtures("generators_unchanged")
def test_scores_are_of_the_neighbours_that_scan_mines(clusterer):
    model, z = clusterer
    scores = model.score_samples(z)
    assert (scores.shape, scores.dtype) == ((60,), np.float32)
    assert (scores <= 0).all()
    np.testing.assert_array_equal(
        scores, score_nearness(np.float32(z), np.float32(z), model.n_neighbors)
    )


@pytest.mark.filterwarnings("ignore::invariant_cluster.DriftWarning")
def test_images_behind_an_embedder(make_embedder, make_clusterer, images):
    noise = np.random.default_rng(0).integers(256, size=images.shape, dtype=np.uint8)
    pipeline = make_pipeline(make_embedder(max_epochs=15, lr=3e-3), make_clusterer())
    pipeline.fit(images)
    known = pipeline.score_samples(images)
    assert known.shape == (len(images),)
    assert np.median(pipeline.score_samples(noise)) < np.median(known)
    # Fine-tuned or not, and with images or not: it is of the embedder's z.
    z = np.asarray(pipeline[0].transform(images))
    np.testing.assert_allclose(pipeline[-1].score_samples(z), known, rtol=1e-5)


def test_errors_say_what_to_do(clusterer):
    with pytest.raises(NotFittedError):
        SCANClusterer().score_samples(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="6 features"):
        clusterer[0].score_samples(np.zeros((3, 2)))


def test_of_many_training_rows_a_sample_is_searched():
    """The scores order the queries as before, and training rows compare with new."""
    random = np.random.default_rng(0)
    training = random.normal(size=(300_000, 2)).astype(np.float32)
    new = random.normal(size=(300, 2)).astype(np.float32)
    far = np.linspace(4, 9, 20, dtype=np.float32)[:, None] * np.ones(2, np.float32)
    scores = score_nearness(np.vstack([new, training[:300], far]), training, 5)
    fresh, old, outer = np.split(scores, [300, 600])
    assert np.median(old) == pytest.approx(np.median(fresh), rel=0.3)
    assert (np.diff(outer[5:]) < 0).all()
    assert outer.max() < np.quantile(fresh, 0.01)
    np.testing.assert_array_equal(score_nearness(new, training, 5), fresh)
