import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from invariant_cluster import IRLINREmbedder
from invariant_cluster.plot import TrainingCurvesDisplay


def test_each_term_has_its_strip(fitted_pipe):
    display = TrainingCurvesDisplay.from_estimator(fitted_pipe)
    assert list(display.axes_) == ["IRLINREmbedder", "SCANClusterer"]
    for title, strips in display.axes_.items():
        history = display.histories[title]
        assert set(strips) == set(history.columns) - {"stage", "seconds"}
        assert strips["loss"].get_title() == title
        for term, ax in strips.items():
            assert ax.get_ylabel() == term.replace("_", " ")


def test_curves_are_the_history(fitted_pipe):
    history = fitted_pipe[-1].history_
    display = TrainingCurvesDisplay.from_estimator(fitted_pipe[-1])
    strips = display.axes_["SCANClusterer"]
    named = set(history["stage"])
    curves = [line for line in strips["loss"].lines if line.get_label() in named]
    assert [line.get_label() for line in curves] == ["heads", "fine-tuning"]
    for line in curves:
        own = history[history["stage"] == line.get_label()]
        np.testing.assert_array_equal(line.get_ydata(), own["loss"])
        np.testing.assert_array_equal(line.get_xdata(), own.index + 1)


def test_stages_are_parted_and_named(fitted_pipe):
    display = TrainingCurvesDisplay.from_estimator(fitted_pipe)
    loss = display.axes_["SCANClusterer"]["loss"]
    named = [text.get_text() for text in loss.get_legend().get_texts()]
    assert named == ["heads", "fine-tuning"]
    parted = [line for line in loss.lines if len(set(line.get_xdata())) == 1]
    assert 1.5 in {float(line.get_xdata()[0]) for line in parted}
    assert display.axes_["IRLINREmbedder"]["loss"].get_legend() is None


def test_rounds_of_a_stage_look_alike_and_are_named_once(fitted_pipe, images):
    rounds = clone(fitted_pipe[-1]).set_params(n_rounds=3)
    rounds.fit(fitted_pipe[0].transform(images))
    display = TrainingCurvesDisplay.from_estimator(rounds)
    loss = display.axes_["SCANClusterer"]["loss"]
    named = [text.get_text() for text in loss.get_legend().get_texts()]
    assert named == ["heads", "fine-tuning"]
    shown = [line for line in loss.lines if not line.get_label().startswith("_child")]
    heads, *tuned = shown
    assert len(tuned) == 3
    assert {line.get_color() for line in tuned} == {tuned[0].get_color()}
    assert heads.get_color() != tuned[0].get_color()


def test_strips_share_their_epochs(fitted_pipe, images):
    labelled = clone(fitted_pipe[-1]).set_params(self_label=True)
    labelled.fit(fitted_pipe[0].transform(images))
    display = TrainingCurvesDisplay.from_estimator(labelled)
    strips = display.axes_["SCANClusterer"]
    assert np.isnan(labelled.history_["confident"].iloc[0])
    assert {ax.get_xlim() for ax in strips.values()} == {(0, labelled.n_iter_ + 1)}


def test_axes_of_terms_above_0_start_at_0():
    history = pd.DataFrame({"loss": [-1.0, -2.0, -2.1], "entropy": [2.0, 2.1, 2.05]})
    strips = TrainingCurvesDisplay({"SCAN": history}).plot().axes_["SCAN"]
    assert strips["entropy"].get_ylim()[0] == 0
    assert strips["entropy"].get_ylim()[1] > 2.1
    assert -2.3 < strips["loss"].get_ylim()[0] < -2.1


def test_epochs_are_whole(fitted_pipe):
    strips = TrainingCurvesDisplay.from_estimator(fitted_pipe).axes_["SCANClusterer"]
    ticks = strips["entropy"].get_xticks()
    assert len(ticks) > 1
    np.testing.assert_array_equal(ticks, ticks.round())


def test_estimator_without_history_is_named():
    with pytest.raises(TypeError, match="IRLINREmbedder has no history_: fit it first"):
        TrainingCurvesDisplay.from_estimator(IRLINREmbedder())
