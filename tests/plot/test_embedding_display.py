import numpy as np
import pytest

from invariant_cluster.inspection import map_to_plane
from invariant_cluster.plot import EmbeddingDisplay
from invariant_cluster.plot._thumbnails import choose_apart

make = EmbeddingDisplay.from_predictions


def centres(display):
    """The middle (x, y) and the sides of each thumbnail."""
    edges = np.array([image.get_extent() for image in display.thumbnails_])
    left, right, bottom, top = edges.T
    middle = np.column_stack([(left + right) / 2, (bottom + top) / 2])
    return middle, np.column_stack([right - left, top - bottom])


@pytest.fixture
def wide_images():
    return np.random.default_rng(0).random((60, 8, 16))


@pytest.fixture
def rows():
    return np.random.default_rng(1).normal(size=(60, 5))


def test_thumbnails_show_the_image_of_their_place(rows, wide_images):
    display = make(rows, wide_images, method="pca", n_thumbnails=20)
    assert 1 < len(display.shown_) <= 20
    middle, sides = centres(display)
    np.testing.assert_allclose(middle, display.places[display.shown_], atol=1e-5)
    np.testing.assert_allclose(sides[:, 0], 2 * sides[:, 1], rtol=1e-4)
    for index, image in zip(display.shown_, display.thumbnails_, strict=True):
        np.testing.assert_array_equal(image.get_array(), display.pictures[index])


def test_thumbnails_do_not_overlap(rows, wide_images):
    display = make(rows, wide_images, method="pca", thumbnail_size=0.2)
    middle, sides = centres(display)
    apart = np.abs(middle[:, None] - middle[None])
    np.fill_diagonal(apart[..., 0], np.inf)
    assert (apart > sides).any(axis=-1).all()


def test_points_apart_are_as_many_as_fit():
    places = np.column_stack([np.arange(10.0), np.zeros(10)])
    assert sorted(choose_apart(places, 1.0, 99)) == list(range(10))
    few = np.sort(choose_apart(places, 2.0, 99))
    assert (np.diff(few) >= 2).all()
    assert (np.abs(places[:, :1] - places[few, 0]).min(axis=1) < 2).all()
    assert len(choose_apart(places, 1.0, 3)) == 3
    assert len(choose_apart(places, 1.0, 0)) == 0


def test_labels_have_a_colour_and_a_marker_of_their_own(rows):
    labels = np.arange(60) % 12
    display = make(rows, labels=labels, method="pca")
    looks = set()
    for label, points in zip(range(12), display.ax_.collections, strict=True):
        offsets = np.asarray(points.get_offsets())
        np.testing.assert_allclose(offsets, display.places[labels == label])
        path = points.get_paths()[0].vertices.round(3)
        looks.add((tuple(points.get_facecolor()[0]), path.tobytes()))
    assert len(looks) == 12
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == [str(label) for label in range(12)]


def test_map_is_that_of_z(fitted_pipe, digits):
    images, target = digits
    display = EmbeddingDisplay.from_estimator(fitted_pipe, images, method="pca")
    z = fitted_pipe[:-1].transform(images)
    np.testing.assert_allclose(display.places, map_to_plane(z, method="pca"), atol=1e-4)
    np.testing.assert_array_equal(display.labels, fitted_pipe.predict(images))
    assert display.label_names[0] == "cluster 0"
    by_class = EmbeddingDisplay.from_estimator(
        fitted_pipe, images, target, target_names=list("abcdefghij"), method="pca"
    )
    np.testing.assert_array_equal(by_class.labels, target)
    assert by_class.label_names[2] == "c"


def test_the_map_says_what_it_is(fitted_pipe, digits, rows):
    images, target = digits
    by_cluster = EmbeddingDisplay.from_estimator(fitted_pipe, images, random_state=0)
    n = len(images)
    assert by_cluster.ax_.get_title() == f"t-SNE of z: {n} images, coloured by cluster"
    assert "distances between them mean little" in by_cluster.ax_.get_xlabel()
    assert by_cluster.ax_.get_legend().get_title().get_text() == "cluster"
    by_class = EmbeddingDisplay.from_estimator(
        fitted_pipe, images, target, method="pca"
    )
    assert by_class.ax_.get_title().endswith("coloured by class")
    assert "further components" in by_class.ax_.get_xlabel()
    plain = make(rows, method="pca")
    assert plain.ax_.get_title() == "Principal components of z: 60 images"
    bare = EmbeddingDisplay(rows[:, :2]).plot()
    assert bare.ax_.get_title() == "Map of z: 60 images"


@pytest.mark.parametrize("name", ["a", "a name of a class that is long"])
def test_the_legend_fits_beside_a_square_map(name):
    turn = np.linspace(0, 6, 40)
    places = np.column_stack([np.cos(turn), np.sin(turn)])
    labels = np.zeros(40, int)
    display = EmbeddingDisplay(places, labels=labels, label_names={0: name}).plot()
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend().get_window_extent()
    assert legend.x1 <= display.figure_.bbox.x1 + 1
    assert legend.x0 >= display.ax_.get_window_extent().x1


def test_embedder_alone_has_no_labels(fitted_pipe, images):
    display = EmbeddingDisplay.from_estimator(fitted_pipe[0], images, random_state=0)
    assert display.labels is None
    assert display.ax_.get_legend() is None
    assert len(display.thumbnails_) > 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": [0, 1]}, r"len\(labels\)=2"),
        ({"images": np.zeros((2, 8, 8))}, r"len\(images\)=2"),
        ({"method": "mds"}, "method='mds' is unknown"),
        ({"z": np.full((60, 2), np.nan)}, "z holds NaN"),
        ({"labels": np.ones(60, int), "target_names": ["a"]}, "target_names has 1"),
    ],
)
def test_bad_input_is_named(rows, options, message):
    with pytest.raises(ValueError, match=message):
        make(**{"z": rows, "method": "pca", **options})


def test_a_map_of_many_images_shows_a_sample():
    rows = np.random.default_rng(0).normal(size=(50_000, 3))
    labels = (rows[:, 0] > 0).astype(int)
    images = np.broadcast_to(labels[:, None, None], (50_000, 8, 8)).astype(np.uint8)
    display = make(rows, images, labels, method="pca", n_thumbnails=5)
    assert display.places.shape == (20_000, 2)
    assert "20,000 of 50,000 images" in display.ax_.get_title()
    # Pictures and labels are those of the same rows.
    np.testing.assert_array_equal(display.pictures[:, 0, 0] > 0.5, display.labels == 1)
    assert display.labels.mean() == pytest.approx(0.5, abs=0.02)
