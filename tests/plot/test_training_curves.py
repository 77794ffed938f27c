import numpy as np
import pytest

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


def test_estimator_without_history_is_named():
    with pytest.raises(TypeError, match="IRLINREmbedder has no history_: fit it first"):
        TrainingCurvesDisplay.from_estimator(IRLINREmbedder())
