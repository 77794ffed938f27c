import numpy as np
import pytest

from invariant_cluster.metrics import rotation_correlation
from invariant_cluster.plot import PoseDisplay


def drawn_points(display):
    return np.asarray(display.points_.get_offsets())


def test_exact_poses_lie_on_the_diagonal():
    alpha = np.array([0.1, 3.0, 6.2, -0.5, 7.0])
    change = np.array([0.1, 3.0, 6.2, -0.5, 7.0]) - 2 * np.pi * np.arange(5)
    display = PoseDisplay.from_predictions(alpha, change)
    x, y = drawn_points(display).T
    np.testing.assert_allclose(y, x, atol=1e-6)
    np.testing.assert_allclose(x, np.rad2deg(alpha % (2 * np.pi)))
    assert display.correlation == pytest.approx(1)
    assert display.error == pytest.approx(0, abs=1e-6)


def test_half_turns_lie_on_the_dotted_lines():
    display = PoseDisplay.from_predictions([1.0, 2.0, 3.0], [1.0, 2.0 + np.pi, 3.0])
    x, y = drawn_points(display).T
    np.testing.assert_allclose(np.abs(y - x), [0, 180, 0], atol=1e-6)


def test_analytic_poses_of_blobs_lie_on_the_diagonal(make_embedder, make_blobs):
    blobs = make_blobs(40)
    embedder = make_embedder().fit(blobs)
    display = PoseDisplay.from_estimator(embedder, blobs, learned=False, random_state=0)
    x, y = drawn_points(display).T
    assert np.quantile(np.abs(y - x), 0.8) < 5
    assert np.ptp(x) > 270
    assert display.correlation == pytest.approx(
        rotation_correlation(np.deg2rad(x), np.deg2rad(y)), abs=1e-4
    )
    assert f"correlation {display.correlation:.3f}" in display.ax_.get_title()


def test_angles_are_reproducible(fitted_pipe, images):
    make = PoseDisplay.from_estimator
    first, second, other = (
        make(fitted_pipe, images, random_state=s) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.theta_change, second.theta_change)
    assert (first.alpha != other.alpha).all()


def test_bad_input_is_named(images):
    with pytest.raises(ValueError, match="differ in length"):
        PoseDisplay.from_predictions([0.1, 0.2], [0.1])
    with pytest.raises(TypeError, match="has no predict_pose"):
        PoseDisplay.from_estimator("nothing", images)


def test_axes_are_square_from_0_to_360():
    display = PoseDisplay.from_predictions([0.1, 6.2], [-0.2, 6.5])
    y = drawn_points(display)[:, 1]
    assert (y >= 0).all()
    assert (y <= 360).all()
    assert display.ax_.get_xlim() == display.ax_.get_ylim()
    assert display.ax_.get_aspect() == 1
    np.testing.assert_array_equal(display.ax_.get_xticks(), [0, 90, 180, 270, 360])
    np.testing.assert_array_equal(display.ax_.get_yticks(), [0, 90, 180, 270, 360])
    assert display.undirected_ is None


def test_images_without_direction_are_crosses_and_do_not_count():
    std = [0.1, np.nan, 0.1, 0.2]
    display = PoseDisplay.from_predictions(
        [1.0, 2.0, 3.0, 4.4], [1.0, 5.0, 3.0, 4.4], theta_std=std
    )
    assert len(drawn_points(display)) == 3
    cross = np.asarray(display.undirected_.get_offsets())
    np.testing.assert_allclose(cross, [np.rad2deg([2, 5])])
    assert display.error == pytest.approx(0, abs=1e-6)
    assert display.has_direction.tolist() == [True, False, True, True]
    (text,) = display.ax_.get_legend().get_texts()
    assert text.get_text() == "no direction (1 of 4)"


def test_display_without_any_direction():
    std = [np.nan, np.nan]
    display = PoseDisplay.from_predictions([1.0, 2.0], [1.0, 5.0], theta_std=std)
    assert np.isnan(display.error)
    with pytest.raises(ValueError, match="differ in length"):
        PoseDisplay.from_predictions([1.0, 2.0], [1.0, 5.0], theta_std=[0.1])
