import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.pipeline import make_pipeline

from invariant_cluster import PolarFourierEmbedder
from invariant_cluster.datasets import load_wafer_maps
from invariant_cluster.plot import ClusterGalleryDisplay


@pytest.fixture
def numbered():
    """Six images, each of one grey: the i-th of value i."""
    return np.broadcast_to(np.arange(6.0)[:, None, None], (6, 8, 8))


LABELS = np.array([1, 0, 1, 0, 1, 1])
CONFIDENCE = np.array([0.6, 0.9, 0.8, 0.7, 0.5, 0.4])


def shown_numbers(display):
    """Which images are drawn, read off the picture by their grey."""
    mosaic = display.image_.get_array().filled(np.nan)
    return [
        [round(float(v) * 5) for v in row if not np.isnan(v)]
        for row in mosaic[4::9, 4::9]
    ]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("most_confident", [[1, 3], [2, 0, 4]]),
        ("least_confident", [[3, 1], [5, 4, 0]]),
    ],
)
def test_rows_show_the_images_asked_for(numbered, order, expected):
    display = ClusterGalleryDisplay.from_predictions(
        numbered,
        LABELS,
        CONFIDENCE,
        n_images=3,
        order=order,
        intensity_range=(0, 5),
    )
    assert shown_numbers(display) == expected
    assert [rows.tolist() for rows in display.exemplars.values()] == expected


def test_random_images_keep_to_their_cluster(numbered):
    options = {"order": "random", "intensity_range": (0, 5), "random_state": 0}
    display = ClusterGalleryDisplay.from_predictions(numbered, LABELS, **options)
    assert [sorted(row) for row in shown_numbers(display)] == [[1, 3], [0, 2, 4, 5]]


def test_without_confidence_images_keep_their_order(numbered):
    display = ClusterGalleryDisplay.from_predictions(
        numbered, LABELS, intensity_range=(0, 5)
    )
    assert shown_numbers(display) == [[1, 3], [0, 2, 4, 5]]


def test_titles_tell_number_size_and_class_with_its_share(numbered):
    make = ClusterGalleryDisplay.from_predictions
    assert make(numbered, LABELS).titles == {
        0: "cluster 0: 2 images",
        1: "cluster 1: 4 images",
    }
    named = make(
        numbered, LABELS, y=[0, 1, 0, 1, 0, 1], target_names=["ring", "scratch"]
    )
    assert named.titles == {
        0: "cluster 0: 2 images\nmostly scratch (100 %)",
        1: "cluster 1: 4 images\nmostly ring (75 %)",
    }
    numbered_only = make(numbered, LABELS, y=[0, 1, 0, 1, 0, 0])
    assert numbered_only.titles[1] == "cluster 1: 4 images\nmostly class 0 (100 %)"
    lone = make(numbered, [3, 0, 0, 0, 0, 0], y=["ring"] * 6)
    assert lone.titles[3] == (
        "cluster 3: 1 image\nno class of its own\nmostly ring (100 %)"
    )
    ticks = [label.get_text() for label in named.ax_.get_yticklabels()]
    assert ticks == list(named.titles.values())


@pytest.fixture(scope="module")
def maps():
    return load_wafer_maps().images[:24]


def outlines_of(display):
    """Boxes (left, top, right, bottom) of the outlines, in pixels of the mosaic."""
    return [
        [x - one.width / 2, y - one.height / 2, x + one.width / 2, y + one.height / 2]
        for one in display.ax_.patches
        for x, y in [one.get_center()]
    ]


def test_wafers_are_outlined_where_their_pictures_are(maps):
    labels = np.arange(24) % 5 == 0
    display = ClusterGalleryDisplay.from_predictions(maps, labels.astype(int))
    mosaic = display.image_.get_array()
    boxes = np.array(outlines_of(display)) + 0.5
    assert len(boxes) == sum(map(len, display.exemplars.values())) == 12 + 5
    shown = np.concatenate([display.pictures[0], display.pictures[1]])
    for (left, top, right, bottom), picture in zip(boxes.round(), shown, strict=True):
        inside = mosaic[int(top) : int(bottom), int(left) : int(right)]
        np.testing.assert_array_equal(inside, picture)


@pytest.mark.parametrize(
    ("outline", "wafers", "others"),
    [("auto", True, False), (True, True, True), (False, False, False)],
)
def test_outlines_are_drawn_if_wanted(outline, wafers, others, maps, images):
    for X, expected in [(maps, wafers), (images, others)]:
        display = ClusterGalleryDisplay.from_predictions(
            X, np.zeros(len(X), int), outline=outline
        )
        assert bool(outlines_of(display)) == expected


def test_estimator_shows_its_surest_members(fitted_pipe, images):
    display = ClusterGalleryDisplay.from_estimator(fitted_pipe, images, n_images=4)
    p = fitted_pipe.predict_proba(images)
    labels = p.argmax(axis=1)
    assert set(display.exemplars) == set(labels)
    low, high = fitted_pipe[0].intensity_range_
    for cluster, rows in display.exemplars.items():
        others = np.setdiff1d(np.flatnonzero(labels == cluster), rows)
        assert (labels[rows] == cluster).all()
        assert p[rows, cluster].min() >= p[others, cluster].max(initial=0)
        expected = (images[rows].astype(float) - low) / (high - low)
        np.testing.assert_allclose(display.pictures[cluster], expected, atol=1e-6)


def test_flat_rows_are_folded(numbered):
    display = ClusterGalleryDisplay.from_predictions(
        numbered.reshape(6, -1), LABELS, image_shape=(8, 8)
    )
    assert display.pictures[0].shape == (2, 8, 8)


def test_clusterer_without_probabilities_shows_random_images(images):
    embedder = PolarFourierEmbedder(random_state=0)
    pipe = make_pipeline(embedder, KMeans(2, random_state=0, n_init=1)).fit(images)
    display = ClusterGalleryDisplay.from_estimator(pipe, images, order="random")
    assert len(display.pictures) == 2
    with pytest.raises(TypeError, match=r"order='most_confident' needs predict_proba"):
        ClusterGalleryDisplay.from_estimator(pipe, images)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": LABELS[:5]}, r"len\(images\)=6, len\(labels\)=5"),
        ({"confidence": CONFIDENCE[:5]}, r"len\(confidence\)=5"),
        ({"confidence": [np.nan] * 6}, "confidence holds NaN"),
        ({"labels": LABELS.astype(str)}, "give clusters as integers"),
        ({"n_images": 0}, "n_images=0: show at least 1"),
        ({"outline": "square"}, "outline='square' is unknown"),
        ({"order": "best"}, "order='best' is unknown"),
        ({"y": [0, 1]}, r"len\(y\)=2"),
        ({"y": LABELS, "target_names": ["a"]}, "target_names has 1 names but y holds"),
        ({"y": LABELS - 1, "target_names": ["a"]}, "but y holds -1: give"),
        ({"y": list("abaabb"), "target_names": ["a"]}, "but y holds a: give y as"),
    ],
)
def test_bad_input_is_named(numbered, options, message):
    with pytest.raises(ValueError, match=message):
        ClusterGalleryDisplay.from_predictions(
            **{"images": numbered, "labels": LABELS, **options}
        )


def test_estimators_that_do_not_fit_are_named(fitted_pipe, images):
    with pytest.raises(TypeError, match="estimator=KMeans has no layout_"):
        ClusterGalleryDisplay.from_estimator(KMeans(), images)
    with pytest.raises(TypeError, match="estimator=IRLINREmbedder does not have"):
        ClusterGalleryDisplay.from_estimator(fitted_pipe[0], images)
