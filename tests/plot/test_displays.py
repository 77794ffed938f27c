"""What holds for every display."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

from invariant_cluster import plot
from invariant_cluster.plot import (
    ClusterGalleryDisplay,
    EmbeddingDisplay,
    LabelFreeCurveDisplay,
    LatentTraversalDisplay,
    MatchedConfusionMatrixDisplay,
    PoseDisplay,
    ReconstructionDisplay,
    TrainingCurvesDisplay,
)

TABLE = pd.DataFrame(
    {"silhouette": [0.1, 0.2], "silhouette_std": [0.0, 0.1]},
    index=pd.Index([2, 3], name="n_clusters"),
)
ANGLES = np.linspace(0, 6, 20)
MAKERS = {
    "gallery": lambda pipe, X, y, **options: ClusterGalleryDisplay.from_estimator(
        pipe, X, **options
    ),
    "gallery of predictions": lambda pipe, X, y, **options: (
        ClusterGalleryDisplay.from_predictions(X, y, **options)
    ),
    "reconstruction": lambda pipe, X, y, **options: (
        ReconstructionDisplay.from_estimator(pipe, X[:2], n_turns=3, **options)
    ),
    "pose": lambda pipe, X, y, **options: PoseDisplay.from_estimator(
        pipe, X, random_state=0, **options
    ),
    "pose of predictions": lambda pipe, X, y, **options: PoseDisplay.from_predictions(
        ANGLES, ANGLES + 0.1, **options
    ),
    "confusion": lambda pipe, X, y, **options: (
        MatchedConfusionMatrixDisplay.from_estimator(pipe, X, y, **options)
    ),
    "confusion of predictions": lambda pipe, X, y, **options: (
        MatchedConfusionMatrixDisplay.from_predictions(y, y % 4, **options)
    ),
    "curves of both": lambda pipe, X, y, **options: (
        TrainingCurvesDisplay.from_estimator(pipe, **options)
    ),
    "curves of one": lambda pipe, X, y, **options: TrainingCurvesDisplay.from_estimator(
        pipe[0], **options
    ),
    "map": lambda pipe, X, y, **options: EmbeddingDisplay.from_estimator(
        pipe, X, method="pca", **options
    ),
    "map of predictions": lambda pipe, X, y, **options: (
        EmbeddingDisplay.from_predictions(
            X.reshape(len(X), -1), labels=y, method="pca", **options
        )
    ),
    "curve": lambda pipe, X, y, **options: LabelFreeCurveDisplay.from_estimator(
        KMeans(n_init=1),
        X.reshape(len(X), -1),
        param_name="n_clusters",
        param_range=[2, 3],
        n_repeats=1,
        random_state=0,
        **options,
    ),
    "curve of a table": lambda pipe, X, y, **options: LabelFreeCurveDisplay.from_table(
        TABLE, **options
    ),
    "traversal": lambda pipe, X, y, **options: LatentTraversalDisplay.from_estimator(
        pipe, X, n_components=2, n_steps=3, **options
    ),
}


@pytest.fixture(params=MAKERS)
def make_display(request, fitted_pipe, digits):
    def make(**options):
        return MAKERS[request.param](fitted_pipe, *digits, **options)

    return make


def axes_of(display):
    """All Axes that a display set."""
    if hasattr(display, "ax_"):
        return [display.ax_]
    parts = [
        part.values() if isinstance(part, dict) else [part]
        for part in display.axes_.values()
    ]
    return [ax for part in parts for ax in part]


def is_drawn(display):
    """Draw the figure; tell whether each of the display's Axes holds something."""
    display.figure_.canvas.draw()
    axes = axes_of(display)
    return bool(axes) and all(
        ax.has_data() and ax in display.figure_.axes for ax in axes
    )


def test_all_displays_are_tested(fitted_pipe, digits):
    made = {type(make(fitted_pipe, *digits)).__name__ for make in MAKERS.values()}
    assert made == set(plot.__all__)


@pytest.mark.parametrize(
    "name", ["gallery", "reconstruction", "pose", "confusion", "map", "traversal"]
)
def test_frames_are_as_good_as_arrays(name, framed_pipe, frame, digits):
    display = MAKERS[name](framed_pipe, frame, digits[1])  # a warning is an error
    assert is_drawn(display)


def test_own_figure(make_display):
    display = make_display()
    assert plt.get_fignums() == [display.figure_.number]
    assert is_drawn(display)


def test_given_axes_alone_are_used(make_display):
    figure, (left, right) = plt.subplots(1, 2)
    display = make_display(ax=right)
    assert plt.get_fignums() == [figure.number]
    assert display.figure_ is figure
    assert is_drawn(display)
    assert not left.has_data()
    box = right.get_subplotspec().get_position(figure)
    for ax in axes_of(display):
        place = ax.get_position(original=True)
        assert place.x0 >= box.x0 - 1e-6
        assert place.x1 <= box.x1 + 1e-6


def test_axes_without_a_grid_are_used(make_display):
    figure = plt.figure()
    display = make_display(ax=figure.add_axes([0.2, 0.2, 0.5, 0.5]))
    assert is_drawn(display)
    assert plt.get_fignums() == [figure.number]


def test_plot_draws_again(make_display):
    first = make_display()
    before = axes_of(first)
    again = first.plot()
    assert again is first
    assert is_drawn(again)
    assert len(plt.get_fignums()) == 2
    assert not set(before) & set(axes_of(again))
    ax = plt.figure().subplots()
    for _ in range(2):
        assert is_drawn(first.plot(ax=ax))


def test_text_stays_inside_of_its_figure(make_display):
    figure = make_display().figure_
    figure.canvas.draw()
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 > -0.02
    assert box.y0 > -0.02
    assert box.x1 < width + 0.02
    assert box.y1 < height + 0.02


def test_what_is_no_axes_is_named(make_display):
    with pytest.raises(TypeError, match=r"ax=3 is not a matplotlib Axes: give one"):
        make_display(ax=3)


def test_missing_matplotlib_is_told(make_display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        make_display()


def test_importing_the_package_leaves_matplotlib_out():
    code = "import sys, invariant_cluster.plot; print('matplotlib' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
