"""What is particular to ScatteringEmbedder: poses, textures, mirror images, sizes."""

import math

import numpy as np
import pytest
import torch

from invariant_cluster import ScatteringEmbedder
from invariant_cluster.datasets import load_oriented_digits
from invariant_cluster.embedders import _scattering_embedder as module
from invariant_cluster.embedders._mean_image import mean_image_share
from invariant_cluster.embedders._texture_invariants import (
    disc_average,
    rotation_magnitudes,
)
from invariant_cluster.geometry import move_array
from invariant_cluster.metrics import neighbor_purity_score
from invariant_cluster.modules import ImageAligner, SquareView

TURNS = ["rotation", "rotation+translation"]


@pytest.fixture(scope="module")
def blobs():
    """Return 24 smooth objects of unequal parts, (24, 64, 64), within the disc."""
    random = np.random.default_rng(0)
    row, column = np.indices((64, 64)) - 31.5
    images = np.zeros((24, 64, 64))
    for image in images:
        for weight in (1, 0.8, 0.5, 0.3):
            (y, x), width = random.uniform(-12, 12, 2), random.uniform(3, 5)
            distance = (row - y) ** 2 + (column - x) ** 2
            image += weight * np.exp(-distance / width**2 / 2)
    return (60 * images).astype(np.float32)


@pytest.fixture(scope="module")
def gratings():
    """Return a maker of waves of random phase, (n, 64, 64), by crests and direction."""

    def make(n, waves, angle, seed=0):
        """``waves`` are crests within the frame."""
        random = np.random.default_rng(seed)
        row, column = (np.indices((64, 64)) - 31.5) / 64
        along = column * math.cos(angle) - row * math.sin(angle)
        phase = random.uniform(0, 2 * math.pi, (n, 1, 1))
        wave = np.cos(2 * math.pi * waves * along + phase)
        return (wave + 0.02 * random.normal(size=wave.shape)).astype(np.float32)

    return make


def distance(z, moved):
    """Return how far z moves, in parts of how far images are from their mean."""
    far = np.linalg.norm(z - z.mean(axis=0), axis=1).mean()
    return np.linalg.norm(moved - z, axis=1).mean() / far


def move(images, alpha=0.0, shift=(0.0, 0.0)):
    n = len(images)
    tau = np.tile(np.asarray(shift, dtype=float), (n, 1))
    return move_array(images[:, None], np.full(n, alpha), tau, 0.0)[:, 0]


def upright_pose(aligner, images):
    """The pose of images that are upright and in the middle."""
    return torch.zeros(len(images)), torch.zeros(len(images), 2)


# Objects


@pytest.mark.parametrize("side", [16, 15])
@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("invariance", TURNS)
def test_quarter_turns_change_nothing(
    make_scattering_embedder, images, invariance, turns, side
):
    images = images[:, :side, :side]
    embedder = make_scattering_embedder(invariance=invariance).fit(images)
    z = embedder.transform(images)
    turned = embedder.transform(np.rot90(images, turns, axes=(1, 2)))
    assert embedder.align_ == "principal_axis"
    assert z.std() > 0
    np.testing.assert_allclose(turned, z, atol=1e-5 * z.std())


@pytest.mark.parametrize("alpha", [0.4, 1.0, 2.5])
@pytest.mark.parametrize("invariance", TURNS)
def test_other_turns_change_little(make_scattering_embedder, blobs, invariance, alpha):
    embedder = make_scattering_embedder(whiten=0.0, invariance=invariance).fit(blobs)
    moved = embedder.transform(move(blobs, alpha))
    assert distance(embedder.transform(blobs), moved) < 0.1


@pytest.mark.parametrize("shift", [(4, -2), (1.1, 2.7)])
def test_shifts_change_little_if_centred(make_scattering_embedder, blobs, shift):
    moved = move(blobs, shift=shift)
    embedder = make_scattering_embedder(whiten=0.0).fit(blobs)
    assert distance(embedder.transform(blobs), embedder.transform(moved)) < 0.1
    still = make_scattering_embedder(whiten=0.0, invariance="rotation").fit(blobs)
    assert distance(still.transform(blobs), still.transform(moved)) > 0.3


@pytest.mark.parametrize("align", ["principal_axis", None])
@pytest.mark.parametrize("invariance", TURNS)
def test_mirror_images_have_equal_features_if_asked(
    make_scattering_embedder, images, invariance, align
):
    """Taken for textures, digits are not their mirror images either."""
    make = make_scattering_embedder
    embedder = make(align=align, invariance=f"{invariance}+reflection").fit(images)
    z = embedder.transform(images)
    mirrored = embedder.transform(images[:, :, ::-1])
    np.testing.assert_allclose(mirrored, z, atol=1e-5 * z.std())
    plain = make(align=align, invariance=invariance).fit(images)
    z = plain.transform(images)
    assert distance(z, plain.transform(images[:, ::-1])) > 0.2


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_features_are_the_means_of_turned_copies(
    make_scattering_embedder, images, power
):
    embedder = make_scattering_embedder(n_turns=1, power=power).fit(images)
    raw = torch.from_numpy(images[:5, None].copy())
    at = embedder.scattering_(embedder.view_(raw)[:, 0])
    turned = [embedder.scattering_.turn(at, steps) for steps in (-1, 0, 1)]
    assert all((copy >= 0).all() for copy in turned)
    expected = torch.stack([copy**power for copy in turned]).mean(dim=0).flatten(1)
    features = embedder._make_features(torch.device("cpu"))(raw)
    torch.testing.assert_close(features, expected, atol=1e-5, rtol=1e-5)


def test_turned_copies_bring_objects_of_other_poses_nearer(
    make_scattering_embedder, blobs, monkeypatch
):
    """A turn that the alignment does not undo, as between objects of one kind."""
    monkeypatch.setattr(ImageAligner, "analytic_pose", upright_pose)
    apart = []
    for n_turns in 0, 2:
        embedder = make_scattering_embedder(n_turns=n_turns, whiten=0.0).fit(blobs)
        z, turned = (embedder.transform(some) for some in (blobs, move(blobs, 0.3)))
        apart.append(distance(z, turned))
    assert apart[1] < 0.8 * apart[0]


@pytest.mark.parametrize(
    ("n_angles", "expected"), [(8, 2), (16, 4), (6, 1), (4, 1), (3, 0)]
)
def test_copies_reach_an_eighth_of_a_turn(
    make_scattering_embedder, images, n_angles, expected
):
    auto, given = (
        make_scattering_embedder(n_angles=n_angles, n_turns=n_turns).fit(images)
        for n_turns in ("auto", expected)
    )
    np.testing.assert_array_equal(auto.transform(images), given.transform(images))


def test_copies_by_a_quarter_turn_are_refused(make_scattering_embedder, images):
    told = "n_turns=2 with n_angles=4.*n_turns=1 at most"
    with pytest.raises(ValueError, match=told):
        make_scattering_embedder(n_angles=4, n_turns=2).fit(images)


def test_textures_are_not_turned(make_scattering_embedder, images):
    at = [make_scattering_embedder(align=None, n_turns=n) for n in (0, 2)]
    first, second = (embedder.fit(images).transform(images) for embedder in at)
    np.testing.assert_array_equal(first, second)


def test_a_file_of_objects_from_before_the_copies_is_refused(
    make_scattering_embedder, images
):
    for align in "principal_axis", None:
        embedder = make_scattering_embedder(align=align).fit(images)
        z, state = embedder.transform(images), embedder._dump_state()
        del state["sizes"]["n_turns"]
        if align:
            with pytest.raises(ValueError, match="fit and save it again"):
                embedder._restore_state(state)
        else:
            embedder._restore_state(state)
            np.testing.assert_array_equal(embedder.transform(images), z)


def test_neighbors_are_of_one_class_more_often_than_by_pixels():
    images, classes = load_oriented_digits(return_X_y=True)
    images, classes = images[:300], classes[:300]
    pixels = images.reshape(len(images), -1).astype(np.float32)
    by_pixels = neighbor_purity_score(pixels, classes, n_neighbors=10)
    z = ScatteringEmbedder(random_state=0).fit_transform(images)
    assert neighbor_purity_score(z, classes, n_neighbors=10) > by_pixels + 0.3


@pytest.mark.filterwarnings("ignore::invariant_cluster.DriftWarning")
def test_large_images_are_averaged_not_skipped(make_scattering_embedder, images):
    """Each pixel repeated 8 x 8 times, and checkered: the mean is what it was."""
    make = make_scattering_embedder
    large = images.repeat(8, axis=1).repeat(8, axis=2).astype(np.float32)
    checkered = large * (2 * (np.indices(large.shape[1:]).sum(axis=0) % 2))
    options = {"intensity_range": (0, 600), "field_of_view": 1.0, "background": 0}
    embedder = make(**options).fit(large)
    assert (embedder.view_.extent, embedder.view_.side) == (128, 32)
    z, found = embedder.transform(large), embedder.transform(checkered)
    assert distance(z, found) < 0.1


# Textures


@pytest.mark.parametrize("alpha", [math.pi / 8, 1.0, math.pi / 2])
def test_turned_textures_have_equal_features(make_scattering_embedder, gratings, alpha):
    """Those of other waves differ; gratings have no pose and random places."""
    still = np.concatenate([gratings(6, 6, 0.3), gratings(6, 9, 0.3, seed=1)])
    turned = np.concatenate(
        [gratings(6, 6, 0.3 + alpha, seed=2), gratings(6, 9, 0.3 + alpha, seed=3)]
    )
    embedder = make_scattering_embedder(d=4, side=32, whiten=0.0).fit(still)
    assert embedder.align_ is None
    z, moved = embedder.transform(still), embedder.transform(turned)
    few, many = slice(6), slice(6, 12)
    apart = np.linalg.norm(z[few].mean(axis=0) - z[many].mean(axis=0))
    for rows in few, many:
        assert np.linalg.norm(moved[rows] - z[rows].mean(axis=0), axis=1).max() < (
            0.35 * apart
        )


def test_a_turn_by_a_direction_is_a_shift_of_directions():
    """Of random coefficients: exactly, as is a mirror image if asked."""
    first, second = torch.rand(3, 2, 8), torch.rand(3, 1, 8, 8)
    turned = first.roll(3, 2), second.roll(3, 2)
    opposite = -torch.arange(8) % 8
    mirrored = first[:, :, opposite], second[:, :, opposite][..., opposite]
    for reflects in False, True:
        found = rotation_magnitudes(first, second, reflects=reflects)
        assert found.shape == (3, (2 + 8) * 5)
        again = rotation_magnitudes(*turned, reflects=reflects)
        torch.testing.assert_close(again, found)
        other = rotation_magnitudes(*mirrored, reflects=reflects)
        assert torch.allclose(other, found, atol=1e-5) == reflects


def test_magnitudes_of_rotations_by_loops():
    first, second = torch.rand(1, 1, 4), torch.rand(1, 1, 4, 4)
    series = [[float(first[0, 0, k]) for k in range(4)]]
    series += [[float(second[0, 0, k, d]) for k in range(4)] for d in range(4)]
    one, *two = [
        [abs(sum(v * 1j ** (-m * k) for k, v in enumerate(values))) for m in range(3)]
        for values in series
    ]
    found = rotation_magnitudes(first, second, reflects=False)[0]
    expected = [*one, *(two[d][m] for m in range(3) for d in range(4))]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_average_is_of_the_disc():
    """Radius 0.75 of 4 pixels: the places up to 3 pixels from the middle."""
    grid = torch.zeros(1, 1, 8, 8)
    grid[0, 0, 4, 4], grid[0, 0, 0, 0] = 1, 100
    row, column = np.indices((8, 8)) - 3.5
    n_inside = (np.hypot(row, column) <= 3).sum()
    assert float(disc_average(grid)) == pytest.approx(1 / n_inside)


# Which of both


def test_the_mean_of_objects_is_not_flat(make_scattering_embedder, images, gratings):
    assert make_scattering_embedder().fit(images).align_ == "principal_axis"
    waves = np.concatenate([gratings(4, 7, a, seed=i) for i, a in enumerate([0, 1, 2])])
    assert make_scattering_embedder(order=1).fit(waves).align_ is None
    given = make_scattering_embedder(align="principal_axis").fit(waves)
    assert given.align_ == "principal_axis"


def test_the_frame_of_oblong_textures_is_no_layout(make_scattering_embedder, gratings):
    waves = np.concatenate([gratings(4, 7, a, seed=i) for i, a in enumerate([0, 1, 2])])
    for oblong in (waves[:, :40], waves[:, :, :40]):
        embedder = make_scattering_embedder(order=1).fit(oblong)
        assert embedder.align_ is None
        assert embedder.view_.extent == 40


@pytest.mark.parametrize("n", [4, 64])
def test_images_that_share_nothing_share_nothing(make_scattering_embedder, n):
    random = np.random.default_rng(0)
    embedder = make_scattering_embedder().fit(random.uniform(size=(8, 16, 16)))
    unlike = random.uniform(size=(n, 1, 32, 32)).astype(np.float32)
    view = SquareView(embedder.view_.aligner, extent=16, side=32)
    assert abs(mean_image_share(view, unlike[..., :16, :16])) < 0.1
    alike = np.repeat(unlike[:1, :, :16, :16], n, axis=0)
    assert mean_image_share(view, alike) == pytest.approx(1 - 1 / n, abs=1e-6)
    blank = np.full_like(alike, embedder.background_)
    assert mean_image_share(view, blank) == 1


# Units, colours, sizes


def test_inverted_images_are_as_far_apart(make_scattering_embedder, images):
    """Order 0 has the opposite sign."""
    z = make_scattering_embedder(d=47).fit_transform(images)
    light = make_scattering_embedder(d=47).fit(255 - images)
    assert light.background_ == 255
    gram, other = (v @ v.T for v in (z, light.transform(255 - images)))
    np.testing.assert_allclose(other, gram, atol=1e-2 * gram.std())


@pytest.mark.parametrize("scale", [0.01, 40])
def test_features_have_no_units(make_scattering_embedder, images, scale):
    z = make_scattering_embedder().fit_transform(images.astype(np.float32))
    in_units = make_scattering_embedder().fit_transform(images * np.float32(scale) - 7)
    np.testing.assert_allclose(in_units, z, atol=1e-3 * z.std())


@pytest.mark.filterwarnings("ignore::invariant_cluster.DriftWarning")
def test_each_channel_is_described(make_scattering_embedder, images):
    """A channel without anything adds nothing; places of colours count."""
    make = make_scattering_embedder
    one = make(whiten=0.0).fit_transform(images)
    colour = np.stack([images, np.zeros_like(images)], axis=-1)
    two = make(whiten=0.0, image_shape=(16, 16, 2)).fit_transform(colour)
    np.testing.assert_allclose(abs(two), abs(one), atol=2e-2 * one.std())
    embedder = make(image_shape=(16, 16, 2)).fit(colour)
    z = embedder.transform(colour)
    assert distance(z, embedder.transform(colour[..., ::-1])) > 0.5


def test_batches_alone_are_converted(
    make_scattering_embedder, images, tmp_path, monkeypatch
):
    """A memmap of uint8 reaches the mathematics as uint8, 256 images at a time."""
    many = np.tile(images, (12, 1, 1))
    np.save(tmp_path / "images.npy", many)
    embedder = make_scattering_embedder(side=16).fit(images)
    seen, forward = [], SquareView.forward

    def spy(view, raw):
        seen.append((len(raw), str(raw.dtype)))
        return forward(view, raw)

    monkeypatch.setattr(SquareView, "forward", spy)
    z = embedder.transform(np.load(tmp_path / "images.npy", mmap_mode="r"))
    assert seen == [(256, "torch.uint8")] * 2 + [(64, "torch.uint8")]
    np.testing.assert_array_equal(z, embedder.transform(many))


def test_components_come_from_evenly_spaced_images(
    make_scattering_embedder, images, monkeypatch
):
    monkeypatch.setattr(module, "_MOST_VALUES", 20 * 121 * 64)
    embedder = make_scattering_embedder(d=5).fit(images)
    assert embedder.pca_.n_samples_ == 16
    assert embedder.pca_.n_features_in_ == 121 * 64


@pytest.mark.parametrize(
    ("parameters", "shape", "side", "n_scales"),
    [
        ({}, (16, 16), 32, 3),
        ({"side": 64}, (16, 16), 64, 4),
        ({"side": 20}, (16, 12), 20, 2),
        ({"align": None}, (16, 12), 8, 2),
        ({"align": None}, (16, 16), 16, 2),
        ({"align": None, "n_scales": 1, "n_angles": 16}, (16, 16), 16, 1),
        ({"n_scales": 2, "n_angles": 5}, (16, 16), 32, 2),
    ],
)
def test_sizes(make_scattering_embedder, images, parameters, shape, side, n_scales):
    images = images[:, : shape[0], : shape[1]]
    embedder = make_scattering_embedder(d=6, **parameters).fit(images)
    assert embedder.view_.side == embedder.scattering_.side == side
    assert embedder.scattering_.n_scales == n_scales
    assert embedder.transform(images).shape == (48, 6)


def test_what_was_set_after_the_fit_does_not_change_the_filters(
    make_scattering_embedder, images, tmp_path
):
    embedder = make_scattering_embedder(d=5).fit(images)
    z = embedder.transform(images)
    embedder.set_params(n_angles=4, order=1, side=16, n_turns=0, invariance="rotation")
    embedder.save(tmp_path / "model.safetensors")
    loaded = ScatteringEmbedder.load(tmp_path / "model.safetensors")
    assert loaded.n_angles == 4
    for model in embedder, loaded:
        np.testing.assert_array_equal(model.transform(images), z)


def test_textures_have_64_pixels_at_most(make_scattering_embedder, gratings):
    images = gratings(4, 5, 0.5).repeat(2, axis=1).repeat(2, axis=2)[:, :100]
    embedder = make_scattering_embedder(align=None, order=1).fit(images)
    assert (embedder.view_.extent, embedder.view_.side) == (100, 64)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"n_scales": 6}, "n_scales=6 is too large for side=32.*n_scales=5 at most"),
        ({"n_scales": 5, "side": 36}, "side=36 is no multiple of 8.*use side=40"),
        ({"align": None, "n_scales": 5}, "n_scales=5 is too large for side=16"),
    ],
)
def test_scales_that_do_not_fit(make_scattering_embedder, images, parameters, told):
    with pytest.raises(ValueError, match=told):
        make_scattering_embedder(**parameters).fit(images)
