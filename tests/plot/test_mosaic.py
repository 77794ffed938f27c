import numpy as np
import pytest

from invariant_cluster.plot._mosaic import compose_mosaic, draw_mosaic


def make_rows(*counts, shape):
    rng = np.random.default_rng(0)
    return [rng.random((k, *shape)).astype(np.float32) for k in counts]


def tile(mosaic, row, column, shape, gap=1):
    height, width = shape
    top, left = row * (height + gap), column * (width + gap)
    return mosaic[top : top + height, left : left + width]


def test_pictures_are_in_their_places():
    rows = make_rows(3, 1, shape=(8, 9))
    mosaic = compose_mosaic(rows)
    assert mosaic.shape == (17, 29)
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            np.testing.assert_array_equal(tile(mosaic, i, j, (8, 9)), picture)
    assert np.isnan(mosaic).sum() == mosaic.size - 4 * 72


@pytest.mark.parametrize("n_channels", [3, 4])
def test_colours_are_kept_and_the_rest_is_transparent(n_channels):
    rows = make_rows(2, 1, shape=(8, 8, n_channels))
    mosaic = compose_mosaic(rows)
    assert mosaic.shape == (17, 17, 4)
    shown = tile(mosaic, 0, 1, (8, 8))
    np.testing.assert_array_equal(shown[..., :n_channels], rows[0][1])
    if n_channels == 3:
        assert (shown[..., 3] == 1).all()
    assert (tile(mosaic, 1, 1, (8, 8)) == 0).all()


def test_titles_are_at_the_middle_of_rows_and_columns():
    ax = draw_mosaic(
        make_rows(2, 2, shape=(9, 9)),
        row_titles=["upper", "lower"],
        column_titles=["a", "b"],
    ).axes
    assert ax.get_yticks().tolist() == [4, 14]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["upper", "lower"]
    assert ax.get_xticks().tolist() == [4, 14]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b"]


def test_grey_scale_is_from_0_to_1_and_pixels_stay_sharp():
    image = draw_mosaic(make_rows(1, shape=(8, 8)), row_titles=["one"], cmap="cividis")
    assert image.get_clim() == (0, 1)
    assert image.get_interpolation() == "nearest"
    assert image.get_cmap().name == "cividis"
