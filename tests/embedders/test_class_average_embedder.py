"""What is particular to ClassAverageEmbedder: classes and poses of shapes in noise."""

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from invariant_cluster import (
    ClassAverageEmbedder,
    JointEmbedder,
    PolarFourierEmbedder,
    SCANClusterer,
    cluster_report,
    load_model,
    save_model,
)
from invariant_cluster.datasets import make_oriented
from invariant_cluster.embedders import _class_average_embedder as module
from invariant_cluster.geometry import disc_mask, move_array
from invariant_cluster.metrics import clustering_accuracy_score, rotation_error
from invariant_cluster.plot import PoseDisplay, ReconstructionDisplay

SIDE, N_ANGLES, SNR = 32, 24, 0.1
SIZES = {"n_rotations": N_ANGLES, "n_starts": 4, "device": "cpu", "random_state": 0}


def draw_shapes():
    """Return a hook, a wedge and two blobs (3, SIDE, SIDE), none with a symmetry."""
    shapes = np.zeros((3, SIDE, SIDE), dtype=np.float32)
    shapes[0, 5:27, 9:13] = shapes[0, 23:27, 9:23] = 1
    row, column = np.indices((SIDE, SIDE))
    shapes[1] = (abs(column - 15) < (row - 7) / 2) & (row < 24)
    shapes[1] *= 1 + column / SIDE
    shapes[2] = (np.hypot(row - 9, column - 15) < 4) + (
        np.hypot(row - 21, column - 16) < 6
    )
    return shapes


def add_noise(images, snr=SNR):
    """Return the images with white noise; the ratio is that of variances."""
    inside = disc_mask(*images.shape[1:3]).numpy()
    level = images[:, inside].var(axis=1).mean() ** 0.5 / snr**0.5
    noise = np.random.default_rng(0).normal(0, level, images.shape)
    return (images + noise).astype(np.float32)


def enlarged(images, factor):
    return images.repeat(factor, axis=1).repeat(factor, axis=2)


@pytest.fixture(scope="module")
def moved():
    """Shapes that are turned and shifted, in noise: images, labels, theta, tau."""
    labels = np.arange(450) % 3
    images, theta, tau = make_oriented(draw_shapes()[labels], translation_std=0.03)
    return add_noise(images), labels, theta, tau


@pytest.fixture(scope="module")
def embedder(moved):
    return ClassAverageEmbedder(3, **SIZES).fit(moved[0])


def error_of(embedder, images, labels, true):
    """Return the largest error of the angles of a class, in degrees."""
    theta, _ = embedder.predict_pose(images)
    classes = (labels == label for label in range(3))
    return max(rotation_error(true[rows], theta[rows]) for rows in classes)


# Classes and poses


def test_finds_the_classes_in_noise(moved, embedder):
    images, labels, _, _ = moved
    clusters = embedder.transform(images).argmax(axis=1)
    assert clustering_accuracy_score(labels, clusters) > 0.95


@pytest.mark.filterwarnings("ignore::invariant_cluster.DriftWarning")
def test_averages_show_the_shapes(embedder):
    assert embedder.class_averages_.shape == (3, SIDE, SIDE)
    assert embedder.class_averages_.dtype == np.float32
    clean = embedder.transform(draw_shapes())
    assert sorted(clean.argmax(axis=1)) == [0, 1, 2]
    assert clean.max(axis=1).min() > 0.8


def test_angles_follow_true_ones(moved, embedder):
    images, labels, true, _ = moved
    theta, tau, scale = embedder.predict_pose(images, return_scale=True)
    assert (theta.shape, tau.shape, scale.shape) == ((450,), (450, 2), (450,))
    assert {values.dtype for values in (theta, tau, scale)} == {np.dtype(np.float32)}
    assert theta.min() >= 0
    assert theta.max() < 2 * np.pi
    assert set(scale) == {1}
    assert error_of(embedder, images, labels, true) < 360 / N_ANGLES


@pytest.mark.filterwarnings("ignore::invariant_cluster.DriftWarning")
def test_poses_obey_the_law(embedder):
    """After a turn by alpha and a shift by t: theta + alpha and R(alpha) tau + t."""
    shapes = draw_shapes()
    theta, tau = embedder.predict_pose(shapes)
    turned = np.roll(np.rot90(shapes, axes=(1, 2)), (-1, 1), axis=(1, 2))
    after, tau_after = embedder.predict_pose(turned)
    turn = np.angle(np.exp(1j * (after - theta - np.pi / 2)))
    np.testing.assert_allclose(turn, 0, atol=2 * np.pi / N_ANGLES + 1e-5)
    expected = np.stack([1 - tau[:, 1], 1 + tau[:, 0]], axis=1)
    np.testing.assert_allclose(tau_after, expected, atol=1.01)


def test_canonical_images_lie_as_the_averages_do(moved, embedder):
    images, _, _, _ = moved
    canonical = embedder.canonicalize(images)
    assert canonical.shape == images.shape
    clusters = embedder.transform(images).argmax(axis=1)
    for cluster, average in enumerate(embedder.class_averages_):
        mean = canonical[clusters == cluster].mean(axis=0)
        inside = disc_mask(SIDE, SIDE).numpy() & (average != 0)
        assert np.corrcoef(mean[inside], average[inside])[0, 1] > 0.95


@pytest.mark.filterwarnings("ignore::invariant_cluster.DriftWarning")
def test_mirror_images_join_with_reflection(embedder):
    shapes = draw_shapes()
    turned = move_array(
        shapes[:, None].repeat(40, axis=0),
        np.linspace(0, 6, 120),
        np.zeros((120, 2)),
        0.0,
    )[:, 0]
    turned[::2] = turned[::2, :, ::-1]
    images, labels = add_noise(turned, 1.0), np.repeat(np.arange(3), 40)
    both = ClassAverageEmbedder(
        3, **SIZES, invariance="rotation+translation+reflection"
    ).fit(images)
    clusters = both.transform(images).argmax(axis=1)
    assert clustering_accuracy_score(labels, clusters) > 0.95
    mirrored = draw_shapes()[..., ::-1]
    np.testing.assert_allclose(
        both.transform(mirrored), both.transform(draw_shapes()), atol=0.05
    )
    canonical = both.canonicalize(np.concatenate([shapes, mirrored]))
    assert np.corrcoef(canonical[:3].ravel(), canonical[3:].ravel())[0, 1] > 0.9
    alone = embedder.transform(mirrored).max(axis=1)
    assert (alone < both.transform(mirrored).max(axis=1) - 0.05).any()


def test_rotation_alone_tries_no_shifts(moved):
    embedder = ClassAverageEmbedder(3, **SIZES, invariance="rotation").fit(moved[0])
    assert not embedder.predict_pose(moved[0])[1].any()


# The fit


def test_the_best_start_goes_on(moved, embedder):
    one = ClassAverageEmbedder(3, **{**SIZES, "n_starts": 1}).fit(moved[0])
    assert embedder.correlation_ >= one.correlation_ - 1e-3


def test_correlation_is_that_of_the_averages_joined(moved, embedder):
    best = embedder.transform(moved[0]).max(axis=1).mean()
    assert embedder.correlation_ == pytest.approx(best, abs=0.01)


def test_more_averages_than_kinds_of_image():
    """Averages that no image joins are drawn anew, and fitting ends."""
    images = np.repeat(draw_shapes(), 3, axis=0)
    z = ClassAverageEmbedder(5, **SIZES).fit_transform(images)
    assert np.isfinite(z).all()


def test_more_averages_than_images():
    told = r"n_averages=4 but X holds 3 images: give at most as many"
    with pytest.raises(ValueError, match=told):
        ClassAverageEmbedder(4, **SIZES).fit(draw_shapes())
    assert ClassAverageEmbedder(3, **SIZES).fit_transform(draw_shapes()).shape == (3, 3)


@pytest.mark.filterwarnings("ignore::invariant_cluster.DriftWarning")
def test_blank_images_correlate_with_nothing(embedder):
    blank = np.full((2, SIDE, SIDE), 7.0)
    assert not embedder.transform(blank).any()
    np.testing.assert_array_equal(embedder.canonicalize(blank)[:, 8:12, 8:12], 7)


METHODS = ["transform", "predict_pose", "canonicalize"]


@pytest.mark.parametrize("method", METHODS)
def test_methods_want_a_fit_and_its_images(method, embedder):
    images = draw_shapes()
    with pytest.raises(NotFittedError):
        getattr(ClassAverageEmbedder(3), method)(images)
    with pytest.raises(ValueError, match="ClassAverageEmbedder was fitted on arrays"):
        getattr(embedder, method)(images[:, :20])
    with pytest.raises(ValueError, match="X contains NaN, first in row 0"):
        getattr(embedder, method)(images * np.nan)


def test_fits_evenly_spaced_images_of_many(moved, monkeypatch):
    images = moved[0]
    monkeypatch.setattr(module, "_MOST_IMAGES", 225)
    few = ClassAverageEmbedder(3, **SIZES).fit(images)
    expected = ClassAverageEmbedder(3, **SIZES).fit(images[::2])
    np.testing.assert_array_equal(few.class_averages_, expected.class_averages_)


def test_blocks_change_nothing(moved, embedder, monkeypatch):
    images = moved[0]
    z, canonical = embedder.transform(images), embedder.canonicalize(images)
    monkeypatch.setattr(module, "_BLOCK", 100)
    np.testing.assert_allclose(embedder.transform(images), z, atol=1e-6)
    differs = abs(embedder.canonicalize(images) - canonical).max(axis=(1, 2)) > 1e-4
    assert differs.mean() < 0.01


# Sizes and layouts


def test_large_images_are_shrunk_and_poses_are_in_their_pixels(moved):
    """Three times as large: the same averages, and shifts are three times as long."""
    images = moved[0]
    large = enlarged(images, 3)
    small = ClassAverageEmbedder(3, **SIZES).fit(images)
    shrunk = ClassAverageEmbedder(3, **SIZES).fit(large)
    np.testing.assert_allclose(shrunk.class_averages_, small.class_averages_, atol=1e-4)
    (theta, tau), (other, far) = small.predict_pose(images), shrunk.predict_pose(large)
    np.testing.assert_allclose(other, theta, atol=1e-5)
    np.testing.assert_allclose(far, 3 * tau, atol=1e-4)
    assert shrunk.canonicalize(large[:5]).shape == (5, 96, 96)
    own = ClassAverageEmbedder(
        3, n_rotations=4, n_starts=1, n_iterations=1, side=200, device="cpu"
    )
    assert own.fit(large[:6]).class_averages_.shape == (3, 96, 96)


def test_the_square_in_the_middle_is_seen(moved, embedder):
    images = moved[0]
    wide = np.pad(images, [(0, 0), (0, 0), (4, 4)], constant_values=3)
    other = ClassAverageEmbedder(3, **SIZES).fit(wide)
    np.testing.assert_array_equal(other.class_averages_, embedder.class_averages_)
    for found, expected in zip(
        other.predict_pose(wide), embedder.predict_pose(images), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    assert other.canonicalize(wide).shape == wide.shape


def test_channels_are_averaged(moved, embedder):
    images = moved[0]
    colour = np.stack([0 * images, images, 2 * images], axis=-1)
    other = ClassAverageEmbedder(3, **SIZES).fit(colour)
    z = other.transform(colour)
    np.testing.assert_allclose(z, embedder.transform(images), atol=1e-4)
    assert other.canonicalize(colour).shape == colour.shape
    first = np.moveaxis(colour, -1, 1)
    again = ClassAverageEmbedder(3, **SIZES).fit_transform(np.ascontiguousarray(first))
    np.testing.assert_allclose(again, z, atol=1e-4)


def test_units_have_no_effect(moved, embedder):
    images = moved[0]
    other = ClassAverageEmbedder(3, **SIZES).fit(200 - 50 * images.astype(np.float64))
    z = other.transform(200 - 50 * images)
    assert z.shape == (450, 3)
    bright = embedder.transform(10 + 5 * images)
    np.testing.assert_allclose(bright, embedder.transform(images), atol=1e-4)


def test_memmaps_and_bytes_stay_as_they_are(moved, tmp_path):
    images = moved[0]
    low, high = images.min(), images.max()
    small = np.round((images - low) / (high - low) * 255).astype(np.uint8)
    small.tofile(tmp_path / "images")
    mapped = np.memmap(tmp_path / "images", np.uint8, "r", shape=small.shape)
    z = ClassAverageEmbedder(3, **SIZES).fit_transform(mapped)
    expected = ClassAverageEmbedder(3, **SIZES).fit_transform(small.astype(float))
    np.testing.assert_array_equal(z, expected)


# With the rest


def test_a_saved_model_returns_the_same(moved, embedder, tmp_path):
    images = moved[0]
    save_model(embedder, tmp_path / "averages.safetensors")
    loaded = load_model(tmp_path / "averages.safetensors")
    np.testing.assert_array_equal(loaded.class_averages_, embedder.class_averages_)
    np.testing.assert_array_equal(loaded.background_, embedder.background_)
    assert loaded.correlation_ == embedder.correlation_
    for method in METHODS:
        found, expected = (getattr(e, method)(images) for e in (loaded, embedder))
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_averages_are_arrays_in_the_file(embedder):
    part = embedder._dump(encoder_only=True)
    assert set(part.tensors) == {"class_averages_", "reference.values", "reference.z"}
    assert part.tensors["class_averages_"].dtype == torch.float32


@pytest.mark.parametrize(
    "clusterer",
    [
        KMeans(3, n_init=4, random_state=0),
        SCANClusterer(3, fine_tune=False, device="cpu", random_state=0),
    ],
    ids=["k-means", "SCAN"],
)
def test_pipelines_cluster_correlations(clusterer, moved):
    images, labels, _, _ = moved
    pipe = make_pipeline(ClassAverageEmbedder(3, **SIZES), clusterer).fit(images)
    assert clustering_accuracy_score(labels, pipe.predict(images)) > 0.9


def test_is_a_member_of_joint_spaces(moved, embedder):
    images = moved[0][:60]
    members = [
        ("averages", ClassAverageEmbedder(3, **{**SIZES, "n_starts": 1})),
        ("rings", PolarFourierEmbedder(d=4)),
    ]
    joint = JointEmbedder(members).fit(images)
    assert joint.transform(images).shape == (60, 7)
    alone = joint.named_embedders_["averages"]
    for found, expected in zip(
        joint.predict_pose(images, return_scale=True),
        alone.predict_pose(images, return_scale=True),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(
        joint.canonicalize(images), alone.canonicalize(images)
    )
    assert (joint.smoothing_, joint.noise_level_, joint.size_) == (0, 0, None)


def test_reports_and_plots_take_it(moved, tmp_path):
    images = moved[0][:60]
    embedder = ClassAverageEmbedder(3, **{**SIZES, "n_starts": 1})
    pipe = make_pipeline(embedder, KMeans(3, n_init=1, random_state=0)).fit(images)
    path = tmp_path / "report.html"
    cluster_report(pipe, images, path=path)
    assert "ClassAverageEmbedder" in path.read_text(encoding="utf-8")
    ReconstructionDisplay.from_estimator(pipe, images[:2], n_turns=3)
    display = PoseDisplay.from_estimator(pipe, images, random_state=0)
    assert display.ax_ is not None
