import numpy as np
import pytest

from invariant_cluster.drift import watch_for
from invariant_cluster.drift._statistics import measure_statistics

ALL = watch_for("rotation+translation")


def draw_bars(length=12, level=100.0, background=20.0, n_channels=1, side=24):
    images = np.full((3, n_channels, side, side), background)
    first = (side - length) // 2
    images[:, :, first : first + length, 10:14] += level
    return images


def columns_of(images, aspect, unit=100.0, watch=ALL):
    values, aspects = measure_statistics(images, unit, watch)
    return values[:, aspects == aspect]


def test_background_is_the_median_of_the_border():
    assert columns_of(draw_bars(), "background") == pytest.approx(0.2)
    assert columns_of(draw_bars(n_channels=3), "background").shape == (3, 3)


def test_contrast_is_the_root_mean_square_distance_from_the_background():
    naive = np.sqrt((12 * 4) / 24**2)
    assert np.exp(columns_of(draw_bars(), "contrast")) == pytest.approx(
        naive + 1e-3, rel=1e-5
    )


def test_size_is_the_radius_of_gyration():
    y, x = np.nonzero(draw_bars()[0, 0] > 20)
    naive = np.sqrt(y.var() + x.var()) / 24
    assert np.exp(columns_of(draw_bars(), "size")) - 1e-2 == pytest.approx(
        naive, rel=1e-5
    )


def test_sharpness_falls_when_an_edge_is_softened():
    sharp = draw_bars()
    soft = (sharp + np.roll(sharp, 1, axis=-1)) / 2
    assert (columns_of(soft, "sharpness") < columns_of(sharp, "sharpness")).all()


def test_nothing_but_background_and_contrast_depends_on_the_units():
    images = draw_bars(n_channels=3) * np.array([1.0, 0.5, 0.8])[:, None, None]
    values, aspects = measure_statistics(images, 100.0, ALL)
    scaled, _ = measure_statistics(2 * images, 200.0, ALL)
    np.testing.assert_allclose(values, scaled, rtol=1e-5)
    brighter, _ = measure_statistics(2 * images, 100.0, ALL)
    same = ~np.isin(aspects, ["background", "contrast"])
    np.testing.assert_allclose(values[:, same], brighter[:, same], rtol=0.02, atol=0.02)
    assert not np.allclose(values[:, ~same], brighter[:, ~same])


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_quarter_turn_changes_nothing(quarters):
    images = np.random.default_rng(0).random((4, 3, 16, 16))
    turned = np.rot90(images, quarters, axes=(2, 3))
    np.testing.assert_allclose(
        measure_statistics(images, 1.0, ALL).values,
        measure_statistics(turned, 1.0, ALL).values,
        rtol=1e-4,
        atol=1e-5,
    )


def test_blank_images_have_finite_statistics():
    values, _ = measure_statistics(np.full((2, 1, 9, 9), 7), 1.0, ALL)
    assert np.isfinite(values).all()


def test_what_may_change_is_not_watched():
    assert set(watch_for("rotation+brightness").aspects) == {
        "size",
        "coverage",
        "sharpness",
        "color",
        "shape",
    }
    assert watch_for("rotation+scale").aspects == ("background", "color")
    watch = watch_for("rotation+color")
    assert watch.grey
    assert "color" not in watch.aspects


def test_grey_statistics_do_not_see_the_hue():
    images = draw_bars(n_channels=3)
    hued = images * np.array([1.2, 1.0, 0.8])[:, None, None]
    watch = watch_for("rotation+color")
    np.testing.assert_allclose(
        measure_statistics(images, 100.0, watch).values,
        measure_statistics(hued, 100.0, watch).values,
        rtol=1e-5,
    )
