"""The standard deviation of theta, as users get it."""

import numpy as np
import pytest

from invariant_cluster import ClassAverageEmbedder, JointEmbedder, ScatteringEmbedder
from invariant_cluster.drift import one_warning
from invariant_cluster.inspection import find_poses, turn_images


def angles_off(embedder, images, learned):
    alpha = np.random.default_rng(1).uniform(0, 2 * np.pi, len(images))
    before, _, std = embedder.predict_pose(images, learned=learned, return_std=True)
    turned = turn_images(embedder, images, alpha)
    with one_warning(silent=True):
        after = embedder.predict_pose(turned, learned=learned)[0]
    return (after - before - alpha + np.pi) % (2 * np.pi) - np.pi, std


def resultant(off):
    return abs(np.exp(1j * off).mean())


@pytest.fixture(scope="module")
def fitted(make_embedder, many_digits):
    return make_embedder(max_epochs=1).fit(many_digits)


def rings(n, side):
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    radii = np.linspace(0.2, 0.3, n)[:, None, None] * side
    rim = np.clip(2 - abs(np.hypot(x, y) - radii), 0, 1)
    return (255 * rim).astype(np.uint8)


@pytest.mark.parametrize("learned", [True, False])
def test_std_is_near_the_errors_of_known_turns(fitted, many_digits, learned):
    off, std = angles_off(fitted, many_digits, learned)
    known = ~np.isnan(std)
    assert known.mean() > 0.7
    assert (std[known] > 0).all()
    assert (std[known] <= 1.18).all()
    sure = std < np.nanquantile(std, 0.5)
    assert resultant(off[sure]) > 0.99
    # Both poses err; interpolation of a turn is what the std of one is made for.
    expected = np.exp(-np.square(std[known]) / 2).mean()
    assert resultant(off[known]) > expected - 0.05


def test_rings_and_blank_images_have_no_direction(fitted, many_digits):
    side = many_digits.shape[1]
    odd = np.concatenate([rings(4, side), np.zeros((2, side, side), np.uint8)])
    with one_warning(silent=True):
        theta, tau, std = fitted.predict_pose(odd, learned=False, return_std=True)
    assert np.isnan(std).all()
    assert np.isfinite(theta).all()
    assert np.isfinite(tau).all()


def test_values_come_in_order_and_of_each_image_alone(fitted, many_digits):
    theta, tau, scale, std = fitted.predict_pose(
        many_digits, return_scale=True, return_std=True
    )
    again = fitted.predict_pose(many_digits[:7], return_std=True)
    np.testing.assert_allclose(again[0], theta[:7], atol=1e-4)
    np.testing.assert_allclose(again[1], tau[:7], atol=1e-3)
    np.testing.assert_allclose(again[2], std[:7], atol=1e-3)
    assert (scale == 1).all()
    assert std.dtype == np.float32


def test_noise_makes_directions_less_sure(fitted, many_digits):
    noise = np.random.default_rng(0).normal(0, 25, many_digits.shape)
    noisy = np.clip(many_digits + noise, 0, 255).astype(np.uint8)
    with one_warning(silent=True):
        clean, worse = (
            fitted.predict_pose(images, learned=False, return_std=True)[2]
            for images in (many_digits, noisy)
        )
    assert np.isnan(worse).sum() >= np.isnan(clean).sum()
    assert np.nanmedian(worse) > 2 * np.nanmedian(clean)


@pytest.mark.parametrize("rule", ["principal_axis", None])
def test_a_network_that_is_hardly_trained_is_not_sure(rule, make_embedder, many_digits):
    embedder = make_embedder(align=False, symmetry_breaking=rule, max_epochs=1)
    embedder.fit(many_digits)
    std = embedder.predict_pose(many_digits, return_std=True)[2]
    assert np.isnan(std).mean() > 0.5


def test_textures_have_no_direction(make_embedder):
    noise = np.random.default_rng(0).normal(120, 30, (300, 16, 16))
    textures = np.clip(noise, 0, 255).astype(np.uint8)
    embedder = make_embedder(align="auto", max_epochs=1).fit(textures)
    assert embedder.alignment_.is_texture
    assert np.isnan(embedder.predict_pose(textures, return_std=True)[2]).all()
    found = find_poses(embedder, textures)
    assert not found.has_direction.any()
    assert np.isnan(found.tau).all()


@pytest.fixture(scope="module")
def averaging(many_digits):
    embedder = ClassAverageEmbedder(4, n_rotations=36, n_starts=2, random_state=0)
    return embedder.fit(many_digits[:120])


def test_class_averages_tell_std_and_average(averaging, many_digits):
    images = many_digits[:60]
    _, _, std, average = averaging.predict_pose(
        images, return_std=True, return_average=True
    )
    z = averaging.transform(images)
    np.testing.assert_array_equal(average, z.argmax(axis=1))
    step = 2 * np.pi / 36 / np.sqrt(12)
    assert np.nanmin(std) == pytest.approx(step, rel=0.5)
    with one_warning(silent=True):
        std = averaging.predict_pose(0 * images, return_std=True)[2]
    assert np.isnan(std).all()


def test_joint_spaces_pass_it_on(averaging, many_digits):
    joint = JointEmbedder([("s", ScatteringEmbedder()), ("a", averaging)])
    joint.fit(many_digits[:60])
    member = joint.named_embedders_["a"]
    for one, other in zip(
        joint.predict_pose(many_digits[:9], return_std=True),
        member.predict_pose(many_digits[:9], return_std=True),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    assert find_poses(joint, many_digits[:9]).average is not None


def test_embedders_of_the_users_own_need_not_tell_it(images):
    class Own:
        def predict_pose(self, X, *, learned=True):
            return np.zeros(len(X)), np.zeros((len(X), 2))

    found = find_poses(Own(), images)
    assert found.theta_std is None
    assert found.has_direction.all()
