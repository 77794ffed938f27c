"""What IRLINREmbedder alone offers; test_embedders.py has what all embedders do."""

import itertools
import pickle

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from invariant_cluster import IRLINREmbedder
from invariant_cluster.datasets import make_oriented
from invariant_cluster.geometry import move_array, symmetry_targets
from invariant_cluster.metrics import invariance_score

RULES = ["center_of_mass", "complex_moment", "principal_axis", None]
INVARIANCES = ["rotation", "rotation+translation"]


def smoothed(images):
    """Without the finest detail, which bilinear moves blur."""
    return gaussian_filter(images, (0, 1, 1))


# Training

LOSS_TERMS = {"reconstruction", "consistency", "symmetry"}


@pytest.mark.parametrize("kept", sorted(LOSS_TERMS))
def test_weights_choose_the_terms(kept, make_embedder, images):
    weights = {f"{term}_weight": 0.0 for term in LOSS_TERMS} | {f"{kept}_weight": 2.0}
    history = make_embedder(max_epochs=2, **weights).fit(images).history_
    np.testing.assert_allclose(history["loss"], 2 * history[kept], rtol=1e-5)
    assert (history[kept] > 0).all()


@pytest.mark.parametrize("reconstruction", ["cross_entropy", "squared_error"])
def test_squared_error_is_reported_whatever_is_minimised(
    reconstruction, make_embedder, images
):
    history = make_embedder(reconstruction=reconstruction).fit(images).history_
    minimised = history["reconstruction"].to_numpy()
    reported = history["squared_error"].to_numpy()
    assert np.allclose(minimised, reported) == (reconstruction == "squared_error")
    assert (reported > 0).all()


@pytest.mark.parametrize("rule", ["complex_moment", "principal_axis"])
@pytest.mark.parametrize("align", [True, False])
def test_directions_are_compared_in_units_of_the_training_set(
    rule, align, make_embedder, images
):
    embedder = make_embedder(symmetry_breaking=rule, align=align).fit(images)
    aligner = embedder.encoder_.aligner
    seen = aligner(aligner.scale(torch.tensor(images)[:, None]))
    _, direction = symmetry_targets(aligner.mass(seen), rule, translates=True)
    scale = embedder.net_.criterion_.direction_scale
    square = (direction / scale).square().sum(dim=1).mean().item()
    assert square == pytest.approx(1, rel=1e-3)


# Images without anything to learn from


@pytest.mark.filterwarnings("ignore:.* images are blank")
@pytest.mark.parametrize("rule", RULES[:3])
def test_an_image_without_mass_has_pose_zero(rule, make_embedder, images):
    X = np.concatenate([np.zeros_like(images[:3]), images])
    embedder = make_embedder(symmetry_breaking=rule).fit(X)
    theta, tau = embedder.predict_pose(X, learned=False)
    assert (theta[:3] == 0).all()
    assert (tau[:3] == 0).all()
    assert (tau[3:] != 0).any()


# Options


@pytest.mark.parametrize("align", [True, False, "auto"])
@pytest.mark.parametrize("invariance", INVARIANCES)
@pytest.mark.parametrize("rule", RULES)
def test_rules_and_invariances(rule, invariance, align, make_embedder, images):
    embedder = make_embedder(
        symmetry_breaking=rule, invariance=invariance, align=align
    ).fit(images)
    for learned in [True, False]:
        theta, tau = embedder.predict_pose(images, learned=learned)
        assert ((theta >= 0) & (theta < 2 * np.pi)).all()
        assert np.isfinite(tau).all()
        assert (tau == 0).all() == (invariance == "rotation")
    assert np.isfinite(embedder.transform(images)).all()
    assert np.isfinite(embedder.reconstruct(images)).all()
    # Without a rule, nothing teaches the pose but the reconstruction.
    assert (embedder.history_["symmetry"] == 0).all() == (rule is None)


@pytest.mark.parametrize("invariance", INVARIANCES)
def test_automatic_rule(invariance, make_embedder, images):
    automatic, explicit, different = (
        make_embedder(invariance=invariance, symmetry_breaking=name).fit(images)
        for name in ["auto", "principal_axis", "complex_moment"]
    )
    z = automatic.transform(images)
    np.testing.assert_array_equal(explicit.transform(images), z)
    theta, _ = automatic.predict_pose(images, learned=False)
    assert not np.allclose(different.predict_pose(images, learned=False)[0], theta)


def test_the_weight_of_the_symmetry_loss_follows_the_alignment(make_embedder, images):
    for align, weight in [(True, 0.01), (False, 15.0)]:
        automatic, explicit = (
            make_embedder(align=align, symmetry_weight=value).fit_transform(images)
            for value in ["auto", weight]
        )
        np.testing.assert_array_equal(automatic, explicit)


@pytest.mark.parametrize("consistency", ["cosine", "mse"])
def test_z_is_normalised_but_for_the_losses_of_the_paper(
    consistency, make_embedder, images
):
    normal = make_embedder().fit_transform(images)
    np.testing.assert_allclose(normal.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(normal.std(axis=0), 1, atol=0.05)
    raw = make_embedder(consistency=consistency).fit(images)
    z = raw.transform(images)
    assert not np.allclose(z.std(axis=0), 1, atol=0.1)
    np.testing.assert_allclose(z[:3], raw.transform(images[:3]), rtol=1e-3, atol=1e-4)


def test_the_recipe_of_the_paper(make_embedder, images):
    """Sections 3.3, 3.4 and 4 of the paper; of its sizes the defaults."""
    paper = IRLINREmbedder.paper()
    assert not hasattr(paper, "net_")
    assert (paper.reconstruction, paper.consistency) == ("squared_error", "cosine")
    assert paper.reconstruction_weight == paper.consistency_weight == 1
    assert (paper.symmetry_weight, paper.symmetry_breaking) == (15, "center_of_mass")
    assert (paper.lr, paper.weight_decay, paper.network) == (1e-4, 5e-4, "full")
    assert paper.max_epochs == 200

    tiny = {"d": 4, "encoder_width": 2, "n_frequencies": 4, "inr_hidden": (4,)}
    tiny |= {"hypernetwork_hidden": (4,), "max_epochs": 2, "batch_size": 16}
    fitted = paper.set_params(**tiny, random_state=0, device="cpu").fit(images)
    encoder = fitted.encoder_
    assert (encoder.aligner.side, encoder.aligner.align) == (None, False)
    assert fitted.smoothing == 0
    assert encoder.variation == (0, 0, False, 0)
    # Nothing standardises z, and the step stays as long as it was.
    assert not [m for m in encoder.modules() if isinstance(m, nn.BatchNorm1d)]
    assert fitted.net_.optimizer_.param_groups[0]["lr"] == 1e-4


def test_automatic_alignment_follows_the_rule(make_embedder, images):
    for rule in RULES:
        automatic, aligned = (
            make_embedder(symmetry_breaking=rule, align=align).fit_transform(images)
            for align in ["auto", True]
        )
        assert np.array_equal(automatic, aligned) == (rule is not None)


@pytest.mark.parametrize("invariance", INVARIANCES)
def test_alignment_makes_z_invariant_before_any_learning(
    invariance, make_embedder, make_blobs
):
    std = 0.0 if invariance == "rotation" else 0.05
    blobs = make_blobs(60)
    moved, _, _ = make_oriented(blobs, translation_std=std, random_state=1)
    scores = {True: [], False: []}
    for align, seed in itertools.product([True, False], range(3)):
        embedder = make_embedder(
            encoder=Trunk,
            invariance=invariance,
            align=align,
            lr=1e-12,
            random_state=seed,
        )
        z = embedder.fit_transform(blobs)
        scores[align].append(invariance_score(z, embedder.transform(moved)))
    # Some untrained encoders map all blobs to the same z, which scores 0.
    assert np.median(scores[True]) > 0.6
    assert np.median(scores[False]) < 0.3


class Trunk(nn.Module):
    """A user's encoder: (n, c, h, w) -> (n, 4 c)."""

    def __init__(self, n_channels):
        super().__init__()
        self.n_channels = n_channels
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images):
        assert images.shape[1] == self.n_channels
        assert images.min() >= -1e-4
        assert images.max() <= 1 + 1e-4
        return nn.functional.adaptive_avg_pool2d(images, 2).flatten(1) * self.scale


@pytest.mark.parametrize("n_channels", [1, 3])
def test_users_encoder(n_channels, make_embedder, images):
    X = np.stack([images] * n_channels, axis=-1)
    embedder = make_embedder(encoder=Trunk)
    z = embedder.fit_transform(X)
    assert z.shape == (48, 4)
    trunks = [m for m in embedder.encoder_.modules() if isinstance(m, Trunk)]
    assert [trunk.n_channels for trunk in trunks] == [n_channels]
    assert trunks[0].scale.item() != 1.0


def test_encoder_width_scales_the_encoder(make_embedder, images):
    def count(width):
        encoder = make_embedder(encoder_width=width).fit(images).encoder_
        return sum(parameter.numel() for parameter in encoder.parameters())

    assert 3 < count(4) / count(2) < 5


# Deformation


class Camera(nn.Module):
    """A user's encoder that keeps what it is trained on."""

    def __init__(self, n_channels):
        super().__init__()
        self.trunk, self.photos = Trunk(n_channels), []

    def forward(self, images):
        if self.training:
            self.photos.append(images.detach().clone())
        return self.trunk(images)


def photograph(embedder, images):
    """Return the images, and two views of each, as the first training step saw them."""
    embedder.set_params(encoder=Camera, batch_size=len(images), n_copies=2).fit(images)
    first, *_ = embedder.encoder_.trunk.photos
    return [view.numpy() for view in first[:, 0].chunk(3)]


def test_with_one_copy_the_encoder_sees_the_images_and_one_view(make_embedder, images):
    two = photograph(make_embedder(deformation=0), images)
    embedder = make_embedder(encoder=Camera, batch_size=len(images), n_copies=1)
    first, *_ = embedder.fit(images).encoder_.trunk.photos
    plain, view = (part.numpy() for part in first[:, 0].chunk(2))
    assert len(first) == 2 * len(images)
    np.testing.assert_array_equal(plain, two[0])
    assert np.abs(view - plain).mean() > 0.1 * plain.mean()


def test_without_deformation_views_are_moved_and_nothing_else(
    make_embedder, make_blobs
):
    """Moved back to their analytic pose they are the image again."""
    blobs = make_blobs(24)
    embedder = make_embedder(deformation=0, translation_std=0.05, field_of_view=1)
    images, *views = photograph(embedder, blobs)
    for view in views:
        error = np.abs(view - images).mean(axis=(1, 2)) / images.mean(axis=(1, 2))
        assert np.median(error) < 0.1
        assert error.max() < 0.4  # bilinear, twice


def test_without_alignment_and_deformation_views_are_rigid_copies(
    make_embedder, make_blobs
):
    """A turn keeps the mass and the distances within an object; views differ."""
    blobs = make_blobs(24)
    embedder = make_embedder(deformation=0, translation_std=0.05, align=False)
    images, *views = photograph(embedder, blobs)

    def invariants(pictures):
        row, column = np.indices(pictures.shape[1:])
        mass = pictures.sum(axis=(1, 2))
        y, x = ((pictures * axis).sum(axis=(1, 2)) / mass for axis in (row, column))
        square = (row - y[:, None, None]) ** 2 + (column - x[:, None, None]) ** 2
        return mass, (pictures * square).sum(axis=(1, 2)) / mass

    for view in views:
        for found, expected in zip(invariants(view), invariants(images), strict=True):
            np.testing.assert_allclose(found, expected, rtol=0.15)
        assert np.abs(view - images).mean() > 0.2 * images.mean()
    assert np.abs(views[0] - views[1]).mean() > 0.2 * images.mean()


def test_deformation_changes_the_views_and_not_the_images(make_embedder, make_blobs):
    blobs, changes = make_blobs(24), []
    plain, *_ = photograph(make_embedder(deformation=0), blobs)
    for strength in [0.0, 0.5, 2.0]:
        images, *views = photograph(make_embedder(deformation=strength), blobs)
        np.testing.assert_array_equal(images, plain)
        changes.append(np.mean([np.abs(view - images).mean() for view in views]))
    assert changes[0] < 0.7 * changes[1]
    assert changes[1] < 0.7 * changes[2]


@pytest.mark.parametrize("moves", INVARIANCES)
def test_reflection_mirrors_half_of_the_views(moves, make_embedder, many_digits):
    """Aligned by its axis, a mirrored digit is the digit mirrored top to bottom."""
    digits = many_digits[:200]
    options = {"deformation": 0, "translation_std": 0.0, "field_of_view": 1}
    for invariance, low, high in [(moves, 0, 0.1), (f"{moves}+reflection", 0.3, 0.7)]:
        embedder = make_embedder(invariance=invariance, **options)
        images, *views = photograph(embedder, digits)
        for view in views:
            as_is = np.abs(view - images).mean(axis=(1, 2))
            mirrored = np.abs(view[:, ::-1] - images).mean(axis=(1, 2))
            assert low <= (mirrored < as_is).mean() <= high


def test_reflection_alone_changes_no_pose(make_embedder, images):
    poses = [
        make_embedder(invariance=name).fit(images).predict_pose(images, learned=False)
        for name in ["rotation", "rotation+reflection"]
    ]
    np.testing.assert_array_equal(poses[0][0], poses[1][0])
    assert not poses[1][1].any()


def test_noise_changes_the_views_and_not_the_images(make_embedder, images):
    plain, *_ = photograph(make_embedder(deformation=0), images)
    images, *views = photograph(make_embedder(deformation=0, noise=1.0), images)
    np.testing.assert_array_equal(images, plain)
    for view in views:
        assert 0.1 < (view[images > 0.5] == 0).mean() < 0.4


@pytest.mark.parametrize("deformation", [0, 0.0, 1, 3.0])
def test_any_strength_of_deformation_trains(deformation, make_embedder, images):
    rgb = np.stack([images, images, 255 - images], axis=-1)[:, 2:14]
    embedder = make_embedder(deformation=deformation).fit(rgb)
    assert np.isfinite(embedder.history_.to_numpy(dtype=float)).all()
    assert np.isfinite(embedder.transform(rgb)).all()


# Field of view


def in_a_frame(images, margin=12, std=0.06, seed=3):
    """Put each image somewhere in a larger frame of its own background, 0."""
    framed = np.pad(images, [(0, 0), (margin, margin), (margin, margin)])
    return make_oriented(
        framed,
        rotate=False,
        translation_std=std,
        random_state=seed,
        return_pose=False,
    )


def test_small_objects_in_a_large_frame_are_encoded_alone(make_embedder, images):
    framed = in_a_frame(images)
    embedder = make_embedder(encoder=Camera).fit(framed)
    side = embedder.encoder_.aligner.side
    assert side % 2 == 0
    assert 12 <= side <= 24  # a digit of 16 x 16 pixels
    assert {photo.shape[2:] for photo in embedder.encoder_.trunk.photos} == {
        (side, side)
    }
    for outputs in [embedder.reconstruct(framed), embedder.canonicalize(framed)]:
        assert outputs.shape == framed.shape


def test_a_field_of_view_of_1_encodes_everything(make_embedder, images):
    framed = in_a_frame(images)
    for whole in [1, 1.0]:
        embedder = make_embedder(encoder=Camera, field_of_view=whole).fit(framed)
        assert embedder.encoder_.aligner.side is None
        shapes = {photo.shape[2:] for photo in embedder.encoder_.trunk.photos}
        assert shapes == {(40, 40)}


@pytest.mark.parametrize(
    ("size", "field_of_view", "side"),
    [
        ((40, 40), 0.5, 20),
        ((40, 40), 0.45, 18),
        ((40, 40), 0.001, 8),
        ((39, 39), 0.5, 20),
        ((40, 30), 0.5, 20),
        ((30, 40), 0.5, 20),
        ((30, 40), 0.9, None),  # more than the shorter side
        ((40, 40), 0.999, None),
    ],
)
def test_a_given_field_of_view(size, field_of_view, side, make_embedder, images):
    framed = in_a_frame(images)[:, : size[0], : size[1]]
    embedder = make_embedder(encoder=Trunk, field_of_view=field_of_view).fit(framed)
    assert embedder.encoder_.aligner.side == side
    assert embedder.reconstruct(framed).shape == framed.shape


def test_without_alignment_the_field_of_view_has_no_effect(make_embedder, images):
    framed = in_a_frame(images)
    whole, same = (
        make_embedder(encoder=Trunk, align=False, field_of_view=side).fit(framed)
        for side in [1, 0.4]
    )
    for method in ["transform", "reconstruct"]:
        np.testing.assert_array_equal(
            getattr(same, method)(framed), getattr(whole, method)(framed)
        )


@pytest.mark.parametrize("invariance", INVARIANCES)
def test_the_field_of_view_reaches_as_far_as_objects_move(
    invariance, make_embedder, images
):
    """From the middle of the image, where they are only turned."""
    framed = in_a_frame(images, std=0.12)
    embedder = make_embedder(encoder=Trunk, invariance=invariance).fit(framed)
    side = embedder.encoder_.aligner.side
    assert (side is None or side >= 28) == (invariance == "rotation")


def test_a_field_of_view_for_three_channels_on_white(make_embedder, images):
    framed = in_a_frame(images)
    colored = np.stack([255 - framed, 255 - framed // 2, 255 - framed // 3], axis=-1)
    embedder = make_embedder(encoder=Trunk).fit(colored)
    # Range and mass differ a little: the channels are scaled together.
    black = make_embedder(encoder=Trunk).fit(framed)
    assert abs(embedder.encoder_.aligner.side - black.encoder_.aligner.side) <= 2
    drawn = embedder.reconstruct(colored, canonical=True)
    np.testing.assert_allclose(drawn[:, [0, 0, -1, -1], [0, -1, 0, -1]], 255, atol=1e-3)


def test_noise_all_over_is_encoded_whole(make_embedder):
    noise = np.random.default_rng(0).random((30, 24, 24))
    assert make_embedder(encoder=Trunk).fit(noise).encoder_.aligner.side is None


def test_a_pickled_embedder_keeps_its_field_of_view(make_embedder, images):
    framed = in_a_frame(images)
    embedder = make_embedder(encoder=Trunk).fit(framed)
    copy = pickle.loads(pickle.dumps(embedder))
    assert copy.encoder_.aligner.side == embedder.encoder_.aligner.side < 40
    for method in ["transform", "reconstruct", "canonicalize"]:
        np.testing.assert_array_equal(
            getattr(copy, method)(framed), getattr(embedder, method)(framed)
        )


def test_a_warm_start_keeps_its_field_of_view(make_embedder, images):
    framed = in_a_frame(images)
    embedder = make_embedder(encoder=Trunk, warm_start=True).fit(framed)
    side = embedder.encoder_.aligner.side
    embedder.fit(np.pad(images, [(0, 0), (12, 12), (12, 12)]) // 2)
    assert embedder.encoder_.aligner.side == side
    with pytest.raises(ValueError, match=r"field_of_view=1.*warm_start=False"):
        embedder.set_params(field_of_view=1).fit(framed)


def test_a_clusterer_fine_tunes_what_the_field_of_view_shows(
    make_embedder, make_clusterer, images
):
    framed = in_a_frame(images)
    embedding = make_embedder(encoder=Camera).fit_transform(framed)
    side = embedding.encoder.aligner.side
    clusterer = make_clusterer(augmentation="R+T+D").fit(embedding)
    photos = clusterer.encoder_.trunk.photos[len(embedding.encoder.trunk.photos) :]
    assert photos
    assert {photo.shape[2:] for photo in photos} == {(side, side)}
    assert clusterer.predict_proba(embedding).shape == (48, 3)


# What a trained model has learned

LEARNER = {
    "d": 16,
    "n_frequencies": 32,
    "inr_hidden": (32,),
    "hypernetwork_hidden": (32,),
}


@pytest.fixture(scope="module")
def white_frames(many_digits):
    """Dark digits of 20 x 20 pixels somewhere in white frames of 44 x 44."""
    return 255 - in_a_frame(many_digits[:150])


@pytest.fixture(scope="module")
def trained_in_frames(make_embedder, white_frames):
    return make_embedder(**LEARNER, max_epochs=6, batch_size=25, lr=5e-3).fit(
        white_frames
    )


def test_z_of_small_objects_stays_when_they_move(trained_in_frames, white_frames):
    assert trained_in_frames.encoder_.aligner.side < 30
    moved = make_oriented(
        white_frames, translation_std=0.05, random_state=1, return_pose=False
    )
    z, z_moved = (trained_in_frames.transform(X) for X in (white_frames, moved))
    assert invariance_score(z, z_moved) > 0.7
    assert abs(invariance_score(z, np.roll(z, 1, axis=0))) < 0.3


@pytest.mark.parametrize("learned", [True, False])
def test_pose_of_small_objects_follows_a_known_move(
    learned, trained_in_frames, white_frames
):
    moved, alpha, shift = make_oriented(
        white_frames, translation_std=0.05, random_state=1
    )
    theta, tau = trained_in_frames.predict_pose(white_frames, learned=learned)
    theta_moved, tau_moved = trained_in_frames.predict_pose(moved, learned=learned)
    turn = np.angle(np.exp(1j * (theta_moved - theta - alpha)))
    assert np.median(np.abs(turn)) < np.deg2rad(10)
    expected = np.exp(1j * alpha) * (tau @ [1, 1j]) + shift @ [1, 1j]
    assert np.median(np.abs(tau_moved @ [1, 1j] - expected)) < 1


def test_the_learned_pose_of_small_objects_is_near_the_analytic_one(
    trained_in_frames, white_frames
):
    """In pixels of the whole image, not of the square that is encoded."""
    theta, tau = trained_in_frames.predict_pose(white_frames)
    rule_theta, rule_tau = trained_in_frames.predict_pose(white_frames, learned=False)
    assert np.median(np.hypot(*(tau - rule_tau).T)) < 2
    assert np.median(np.abs(np.angle(np.exp(1j * (theta - rule_theta))))) < 0.35
    assert np.hypot(*rule_tau.T).max() > 5


def test_small_objects_are_drawn_where_they_are_on_background(
    trained_in_frames, white_frames
):
    drawn = trained_in_frames.reconstruct(white_frames)
    assert drawn.shape == white_frames.shape
    _, tau = trained_in_frames.predict_pose(white_frames)
    row, column = np.indices((44, 44)) - 21.5
    x, y = tau.T[:, :, None, None]
    away = (
        np.hypot(column - x, -row - y)
        > trained_in_frames.encoder_.aligner.side / 2 + 0.01
    )
    np.testing.assert_allclose(drawn[away], 255, atol=1e-3)
    inside = np.hypot(row, column) <= 22
    blank = ((1 - white_frames / 255) ** 2)[:, inside].mean()
    assert -trained_in_frames.score(white_frames) < 0.7 * blank


def test_canonical_drawings_of_small_objects_are_the_posed_ones_moved(
    trained_in_frames, white_frames, correlate_inside
):
    theta, tau = trained_in_frames.predict_pose(white_frames)
    canonical = trained_in_frames.reconstruct(white_frames, canonical=True)
    posed = trained_in_frames.reconstruct(white_frames)
    moved = move_array(canonical[:, None], theta, tau, 255.0)[:, 0]
    assert correlate_inside(smoothed(moved), smoothed(posed)) > 0.98
