"""Clusterers that choose the number of clusters themselves."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.model_selection import GridSearchCV

from invariant_cluster.model_selection import choose_n_clusters


@pytest.fixture(scope="module")
def rows():
    """50 plain rows of 6 values in three clusters."""
    return make_blobs(50, n_features=6, centers=3, random_state=0)[0]


@pytest.fixture(scope="module")
def make(make_any_clusterer):
    def make(n_clusters="auto", **parameters):
        return make_any_clusterer(n_clusters, fine_tune=False, **parameters)

    return make


@pytest.fixture(scope="module")
def fitted(make, rows):
    return make().fit(rows)


def test_the_chosen_number_is_fitted(make, rows, fitted):
    assert fitted.n_clusters_ == fitted.choice_.n_clusters == 3
    assert type(fitted.n_clusters_) is int
    assert fitted.n_clusters == "auto"
    assert fitted.predict_proba(rows).shape == (50, 3)
    assert fitted.get_feature_names_out().shape == (3,)
    given = make(3).fit(rows)
    np.testing.assert_array_equal(given.labels_, fitted.labels_)
    assert (given.n_clusters_, given.choice_) == (3, None)


def test_the_choice_is_that_of_model_selection(rows, fitted):
    # float32, as clusterers see rows; the seed of the fit is drawn from random_state
    expected = choose_n_clusters(rows.astype(np.float32), random_state=1)
    assert fitted.choice_.value == expected.value
    assert list(fitted.choice_.table) == list(expected.table)
    assert list(fitted.choice_.table.index) == [2, 3, 4, 5]
    assert fitted.choice_.low <= 3 <= fitted.choice_.high
    assert fitted.choice_.reason.startswith("3 clusters were chosen")


def test_equal_seeds_give_equal_choices(make, rows, fitted):
    again = make().fit(rows)
    pd.testing.assert_frame_equal(again.choice_.table, fitted.choice_.table)


def test_files_pickles_and_clones(rows, fitted, tmp_path):
    fitted.save(tmp_path / "model.safetensors")
    loaded = type(fitted).load(tmp_path / "model.safetensors")
    for copy in (loaded, pickle.loads(pickle.dumps(fitted))):
        assert (copy.n_clusters, copy.n_clusters_) == ("auto", 3)
        assert copy.choice_.reason == fitted.choice_.reason
        assert (copy.choice_.low, copy.choice_.high) == (
            fitted.choice_.low,
            fitted.choice_.high,
        )
        assert copy.choice_.found is fitted.choice_.found is True
        pd.testing.assert_frame_equal(copy.choice_.table, fitted.choice_.table)
        np.testing.assert_array_equal(copy.predict(rows), fitted.labels_)
    assert clone(fitted).n_clusters == "auto"
    assert not hasattr(clone(fitted), "choice_")


def test_a_given_number_is_loaded_too(make, rows, tmp_path):
    clusterer = make(2).fit(rows)
    clusterer.save(tmp_path / "model.safetensors")
    loaded = type(clusterer).load(tmp_path / "model.safetensors")
    assert (loaded.n_clusters_, loaded.choice_) == (2, None)


def test_a_grid_holds_it(make, rows):
    grid = {"n_clusters": ["auto", 2]}
    search = GridSearchCV(make(), grid, cv=2, error_score="raise").fit(
        np.concatenate([rows, rows])
    )
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_rows_without_clusters_warn(make):
    z = np.random.default_rng(0).normal(size=(40, 5))
    with pytest.warns(UserWarning, match=r"'auto': \d clusters were .* too small"):
        clusterer = make().fit(z)
    assert clusterer.choice_.found is False


def test_a_bar_shows_the_choice(make, rows, bars_at_once, capsys):
    make(verbose=1).fit(rows)
    assert "number of clusters: 100%" in capsys.readouterr().err


def test_too_few_rows_are_refused_and_an_earlier_fit_stays(make, rows):
    clusterer = make().fit(rows)
    with pytest.raises(ValueError, match=r"'auto' but n_samples=29: .* give a number"):
        clusterer.fit(rows[:29])
    assert clusterer.n_clusters_ == 3
    with pytest.raises(ValueError, match=r"'n_clusters' parameter of .*'auto'.*'many'"):
        make("many").fit(rows)
