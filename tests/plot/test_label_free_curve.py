"""Curves of criteria without labels, drawn."""

import builtins

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from invariant_cluster.model_selection import (
    label_free_curve,
    propose_value,
    suggest_value,
)
from invariant_cluster.plot import LabelFreeCurveDisplay

SETTINGS = {"param_name": "n_clusters", "param_range": [2, 3, 4, 6], "random_state": 0}
CRITERIA = ["resampling_stability", "label_agreement", "silhouette", "valley_contrast"]


@pytest.fixture(scope="module")
def rows():
    return make_blobs(90, n_features=6, centers=3, random_state=0)[0]


@pytest.fixture(scope="module")
def table(rows):
    return label_free_curve(KMeans(n_init=1), rows, **SETTINGS)


def test_lines_show_the_table(table):
    display = LabelFreeCurveDisplay.from_table(table)
    assert list(display.axes_) == CRITERIA
    for name, ax in display.axes_.items():
        line = display.lines_[name]
        assert ax.get_title() == name.replace("_", " ")
        np.testing.assert_array_equal(line.get_ydata(), table[name])
        assert ax.get_xlabel() == "n_clusters"
        assert [tick.get_text() for tick in ax.get_xticklabels()] == list("2346")
        told = [text.get_text() for text in ax.get_legend().get_texts()]
        assert f"highest: {suggest_value(table, name)}" in told
        assert "proposed: 3" in told
        bottom, top = ax.get_ylim()
        assert bottom <= 0 <= top
    assert display.suggestions_["silhouette"] == 3
    assert list(display.suggestions_) == CRITERIA


def test_one_value_is_proposed(table):
    display = LabelFreeCurveDisplay(table)
    expected = propose_value(table)
    assert display.best_.value == expected.value == 3
    assert display.best_.reason == expected.reason
    others = LabelFreeCurveDisplay(table[["silhouette", "silhouette_std"]])
    assert others.best_.reason == propose_value(others.table, "silhouette").reason


def test_the_range_that_is_as_good_is_marked(table):
    wide = table.assign(valley_contrast_excess_std=9.0)
    display = LabelFreeCurveDisplay.from_table(wide)
    for ax in display.axes_.values():
        told = [text.get_text() for text in ax.get_legend().get_texts()]
        assert "2 to 6 as good" in told


def test_progress_is_shown(rows, bars_at_once, capsys):
    LabelFreeCurveDisplay.from_estimator(
        KMeans(n_init=1), rows, **{**SETTINGS, "param_range": [2]}, verbose=1
    )
    assert "3/3" in capsys.readouterr().err


def test_from_estimator_computes_the_same(rows, table):
    display = LabelFreeCurveDisplay.from_estimator(KMeans(n_init=1), rows, **SETTINGS)
    for name, line in display.lines_.items():
        np.testing.assert_array_equal(line.get_ydata(), table[name])


def test_chosen_criteria_alone_are_drawn(table):
    display = LabelFreeCurveDisplay(table).plot(criteria=["silhouette"])
    assert list(display.axes_) == list(display.lines_) == ["silhouette"]


def test_errors_say_what_to_do(table):
    display = LabelFreeCurveDisplay(table)
    with pytest.raises(ValueError, match="criteria='accuracy' is unknown: choose one"):
        display.plot(criteria=["accuracy"])


def test_without_matplotlib_nothing_is_computed(rows, monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    def compute(*args, **kwargs):
        raise AssertionError("computed before the import was tried")

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        LabelFreeCurveDisplay.from_estimator(
            type("Never", (KMeans,), {"fit": compute})(), rows, **SETTINGS
        )
