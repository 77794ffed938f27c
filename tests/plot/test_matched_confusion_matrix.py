from itertools import pairwise

import numpy as np
import pytest

from invariant_cluster.metrics import clustering_accuracy_score
from invariant_cluster.plot import MatchedConfusionMatrixDisplay

make = MatchedConfusionMatrixDisplay.from_predictions


def written(display):
    return [[text.get_text() for text in row] for row in display.text_]


def test_matched_clusters_are_on_the_diagonal():
    display = make([0, 0, 0, 1, 1, 2], [7, 7, 5, 5, 5, 9])
    assert display.cluster_names == ["7", "5", "9"]
    assert written(display) == [["2", "1", "0"], ["0", "2", "0"], ["0", "0", "1"]]
    assert "83.3 %" in display.ax_.get_title()


def test_more_clusters_than_classes_stand_last():
    display = make(["a", "a", "a", "b"], [3, 3, 1, 0])
    assert display.confusion_matrix.tolist() == [[2, 0, 1], [0, 1, 0]]
    assert display.cluster_names == ["3", "0", "1"]
    assert display.class_names == ["a", "b"]


def test_class_without_a_cluster_has_an_empty_column():
    display = make([0, 0, 1, 2, 2], [4, 4, 4, 6, 6], target_names=["x", "y", "z"])
    assert display.cluster_names == ["4", "-", "6"]
    assert display.class_names == ["x", "y", "z"]
    assert (display.confusion_matrix[:, 1] == 0).all()


@pytest.mark.parametrize(
    ("normalize", "axis"), [("true", 1), ("pred", 0), ("all", None)]
)
def test_shares_sum_to_one(normalize, axis):
    rng = np.random.default_rng(0)
    display = make(rng.integers(4, size=99), rng.integers(6, size=99))
    shares = display.plot(normalize=normalize).image_.get_array()[:4]
    np.testing.assert_allclose(shares.sum(axis=axis), 1)


def test_empty_column_has_no_share():
    display = make([0, 0, 1, 2, 2], [4, 4, 4, 6, 6], normalize="pred")
    assert np.isfinite(display.image_.get_array()).all()


def test_estimator_is_scored_on_all_images(fitted_pipe, digits):
    images, target = digits
    display = MatchedConfusionMatrixDisplay.from_estimator(fitted_pipe, images, target)
    counts = display.confusion_matrix
    assert counts.sum() == len(images)
    np.testing.assert_array_equal(counts.sum(axis=1), np.bincount(target))
    accuracy = clustering_accuracy_score(target, fitted_pipe.predict(images))
    assert np.trace(counts) / counts.sum() == pytest.approx(accuracy)
    rows = display.image_.get_array()[: len(counts)]
    np.testing.assert_array_equal(rows, counts)


def test_numbers_stand_out_from_their_cells():
    display = make([0] * 9 + [1], [0] * 9 + [1])
    for text, value in zip(
        display.text_.ravel(), display.confusion_matrix.ravel(), strict=True
    ):
        cell = np.mean(display.image_.cmap(display.image_.norm(value))[:3])
        assert abs(cell - np.mean(text.get_color()[:3])) > 0.2


def test_long_names_of_clusters_do_not_overlap():
    display = make(["a", "b", "b"], ["first cluster", "second one", "the third"])
    display.figure_.canvas.draw()
    boxes = [label.get_window_extent() for label in display.ax_.get_xticklabels()]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_shares_of_the_matched_classes_stand_below_the_clusters():
    display = make([0, 0, 0, 1, 1, 2, 1], [7, 7, 5, 5, 5, 9, 8])
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert labels == ["7\n100 %", "5\n67 %", "9\n100 %", "8\n\N{EN DASH}"]
    named = make(["a", "b"], ["first one", "second one"])
    labels = [label.get_text() for label in named.ax_.get_xticklabels()]
    assert labels == ["first one: 100 %", "second one: 100 %"]


def test_rows_are_the_classes_alone():
    display = make(["a", "a", "b"], [0, 1, 2])
    assert display.text_.shape == (2, 3)
    assert len(display.ax_.texts) == 6
    assert display.ax_.get_ylim() == (1.5, -0.5)


def test_a_colour_bar_tells_what_the_colours_mean():
    display = make([0, 0, 1], [1, 1, 0], normalize="true")
    assert display.colorbar_.ax.get_ylabel() == "share of the class"
    assert display.colorbar_.mappable is display.image_
    display.plot(display.ax_)
    assert display.colorbar_.ax.get_ylabel() == "images"
    assert display.ax_.child_axes == [display.colorbar_.ax]


def test_bad_input_is_named(fitted_pipe, digits):
    images, target = digits
    with pytest.raises(ValueError, match="differ in length"):
        make([0, 1], [0, 1, 2])
    with pytest.raises(ValueError, match="normalize='rows' is unknown"):
        make([0, 1], [0, 1], normalize="rows")
    with pytest.raises(ValueError, match="target_names has 1 names but y holds 1"):
        make([0, 1], [0, 1], target_names=["a"])
    with pytest.raises(TypeError, match="estimator=IRLINREmbedder has no predict"):
        MatchedConfusionMatrixDisplay.from_estimator(fitted_pipe[0], images, target)
