"""Images in any layout come without a copy; what is no images is told why."""

import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import BaseEstimator

from invariant_cluster.images import (
    check_finite,
    check_images,
    check_rows,
    infer_layout,
)
from invariant_cluster.validation import check_choice

LAYOUTS = [
    ((5, 8, 9), None, (5, 1, 8, 9)),
    ((5, 8, 9, 1), None, (5, 1, 8, 9)),
    ((5, 8, 9, 3), None, (5, 3, 8, 9)),
    ((5, 8, 9, 4), None, (5, 4, 8, 9)),
    ((5, 1, 8, 9), None, (5, 1, 8, 9)),
    ((5, 3, 8, 9), None, (5, 3, 8, 9)),
    ((5, 4, 8, 9), None, (5, 4, 8, 9)),
    ((5, 8, 9, 2), (8, 9, 2), (5, 2, 8, 9)),
    ((5, 2, 8, 9), (2, 8, 9), (5, 2, 8, 9)),
    ((5, 8, 9, 3), (8, 9, 3), (5, 3, 8, 9)),
    ((5, 64), None, (5, 1, 8, 8)),
    ((5, 81), None, (5, 1, 9, 9)),
    ((5, 72), (8, 9), (5, 1, 8, 9)),
    ((5, 72), [8, 9], (5, 1, 8, 9)),
    ((5, 216), (8, 9, 3), (5, 3, 8, 9)),
    ((5, 216), (3, 8, 9), (5, 3, 8, 9)),
]


class Embedder(BaseEstimator):
    """The least that ``check_images`` needs."""


def check(X, *, image_shape=None, reset=True, estimator=None, **options):
    estimator = estimator or Embedder()
    return check_images(estimator, X, reset=reset, image_shape=image_shape, **options)


def make_images(shape, dtype=np.uint8):
    values = np.arange(np.prod(shape)) % 251
    return values.reshape(shape).astype(dtype)


def naive_pixel(X, image, channel, row, column, image_shape):
    """The value that the caller's own indices give."""
    shape = X.shape[1:]
    if X.ndim == 2:
        shape = tuple(image_shape) if image_shape else 2 * (int(X.shape[1] ** 0.5),)
    values = X[image].reshape(shape)
    if len(shape) == 2:
        return values[row, column]
    channels_last = shape[2] < shape[0]
    return (
        values[row, column, channel] if channels_last else values[channel, row, column]
    )


# Layouts


@pytest.mark.parametrize(("shape", "image_shape", "expected"), LAYOUTS)
def test_every_layout_becomes_channels_first(shape, image_shape, expected):
    X = make_images(shape)
    images = check(X, image_shape=image_shape)
    assert images.shape == expected
    for index in [(0, 0, 0, 0), (4, expected[1] - 1, 7, 2), (2, 0, 3, 7)]:
        assert images[index] == naive_pixel(X, *index, image_shape)


@pytest.mark.parametrize(("shape", "image_shape", "_"), LAYOUTS)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "int16", "float64"])
def test_images_are_views_in_their_own_dtype(shape, image_shape, _, dtype):
    X = make_images(shape, dtype)
    images = check(X, image_shape=image_shape)
    assert np.shares_memory(images, X)
    assert images.dtype == dtype


@pytest.mark.parametrize("shape", [(5, 8, 9), (5, 8, 9, 3), (5, 64)])
def test_a_memmap_is_neither_read_nor_copied(tmp_path, shape):
    make_images(shape).tofile(tmp_path / "images")
    X = np.memmap(tmp_path / "images", np.uint8, "r", shape=shape)
    assert np.shares_memory(check(X), X)


def test_strided_and_read_only_arrays_are_not_copied():
    X = make_images((6, 16, 20))[::2, ::2, ::-2]
    X.flags.writeable = False
    assert np.shares_memory(check(X), X)


@pytest.mark.parametrize(("shape", "image_shape", "_"), LAYOUTS)
def test_the_way_back_is_the_users_layout(shape, image_shape, _):
    X = make_images(shape)
    layout = infer_layout(X, image_shape)
    np.testing.assert_array_equal(layout.from_channels(layout.to_channels(X)), X)
    assert layout.n_values == X[0].size


def test_the_estimator_remembers_the_layout():
    estimator = Embedder()
    check(make_images((5, 8, 9, 3)), estimator=estimator)
    assert estimator.image_shape_ == (8, 9, 3)
    assert estimator.n_features_in_ == 216
    assert estimator.layout_.channels_first_shape == (3, 8, 9)
    frame = pd.DataFrame(make_images((5, 64)), columns=[f"p{i}" for i in range(64)])
    check(frame, estimator=estimator)
    assert estimator.image_shape_ == (8, 8)
    assert estimator.n_features_in_ == 64
    assert list(estimator.feature_names_in_) == list(frame.columns)


def test_column_names_are_forgotten_when_images_follow():
    estimator = Embedder()
    frame = pd.DataFrame(make_images((5, 64)), columns=[f"p{i}" for i in range(64)])
    check(frame, estimator=estimator)
    check(make_images((5, 8, 8)), estimator=estimator)
    assert not hasattr(estimator, "feature_names_in_")


@pytest.mark.parametrize(
    ("width", "side"), [(1, 8), (10, 8), (63, 8), (65, 9), (80, 9), (82, 10)]
)
def test_rows_that_fill_no_square_are_padded_with_a_warning(width, side):
    X = make_images((3, width)) + 1
    with pytest.warns(
        UserWarning,
        match=rf"Rows of {width} values.*padded to \({side}, {side}\).*image_shape",
    ):
        images = check(X)
    assert images.shape == (3, 1, side, side)
    rows = images.reshape(3, -1)
    np.testing.assert_array_equal(rows[:, :width], X)
    assert not rows[:, width:].any()
    layout = infer_layout(X)
    assert layout.n_values == width
    np.testing.assert_array_equal(layout.from_channels(images), X)


def test_rows_are_padded_silently_after_fit():
    estimator, X = Embedder(), make_images((3, 70))
    with pytest.warns(UserWarning, match="zero-padded"):
        first = check(X, estimator=estimator)
    again = check(X, estimator=estimator, reset=False)  # a warning would be an error
    np.testing.assert_array_equal(again, first)


def test_lists_and_numeric_objects_are_taken():
    X = make_images((3, 8, 8))
    np.testing.assert_array_equal(check(X.tolist())[:, 0], X)
    np.testing.assert_array_equal(check(list(X))[:, 0], X)
    images = check(X.astype(object))
    assert images.dtype.kind == "f"
    np.testing.assert_array_equal(images[:, 0], X)


# What is refused


def assert_refused(X, error, *parts, **options):
    """Each part stands in the message, in this order."""
    pattern = ".*".join(re.escape(part) for part in parts)
    with pytest.raises(error, match=f"(?s){pattern}"):
        check(X, **options)


@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "infinity")])
@pytest.mark.parametrize("shape", [(9, 8, 8), (9, 8, 8, 3), (9, 64)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_nan_and_infinity_are_refused_with_their_first_row(value, name, shape, dtype):
    X = make_images(shape, dtype)
    X[4].flat[7] = value
    X[6] = value
    assert_refused(
        X, ValueError, f"X contains {name}", "first in row 4", "drop or fill"
    )
    assert_refused(-X, ValueError, f"X contains {name}", "row 4")


def test_values_beyond_float32_are_refused():
    X = make_images((3, 8, 8), "float64")
    X[1, 0, 0] = 1e39
    assert_refused(X, ValueError, "X contains infinity (as float32)", "row 1")


def test_nan_is_found_in_any_chunk(monkeypatch):
    monkeypatch.setattr("invariant_cluster.images._checks._CHUNK_BYTES", 8 * 64 * 4)
    for row in (0, 7, 8, 16):
        X = make_images((17, 8, 8), "float32")
        X[row, 7, 7] = np.nan
        assert_refused(X, ValueError, f"first in row {row}")


def test_a_memmap_is_checked_a_chunk_at_a_time(monkeypatch):
    monkeypatch.setattr("invariant_cluster.images._checks._CHUNK_BYTES", 2 * 64 * 8)
    taken = []

    class Watched(np.ndarray):
        def __getitem__(self, key):
            if isinstance(key, slice):
                taken.append(key.stop - key.start)
            return super().__getitem__(key)

    check_finite(np.zeros((9, 8, 8)).view(Watched))
    assert taken == [2] * 5


def test_whole_numbers_are_not_searched_for_nan():
    class Unread(np.ndarray):
        def __getitem__(self, key):
            raise AssertionError("was read")

    check_finite(np.zeros((9, 8, 8), np.uint8).view(Unread))


@pytest.mark.parametrize("convert", [np.asarray, np.ndarray.tolist])
def test_complex_values_are_refused(convert):
    X = convert(make_images((3, 8, 8), complex))
    assert_refused(X, ValueError, "X is complex", "np.abs(X)")


@pytest.mark.parametrize("value", ["a crack", None, object(), [1, 2]])
def test_objects_that_are_no_numbers_are_refused(value):
    X = make_images((3, 8, 8), object)
    X[1, 2, 3] = value
    with pytest.raises((ValueError, TypeError), match=r"X (holds|contains).*"):
        check(X)


def test_objects_are_named_with_the_remedy():
    X = make_images((3, 8, 8), object)
    X[1, 2, 3] = "a crack"
    assert_refused(X, ValueError, "not numbers", "a crack", "Give a numeric array")


def test_strings_are_refused():
    X = make_images((3, 8, 8)).astype(str)
    with pytest.raises(ValueError, match=r"(?i)string"):
        check(X)


def test_ragged_lists_are_refused():
    X = [np.zeros((8, 8)), np.zeros((9, 8))]
    assert_refused(X, ValueError, "X is a ragged list", "Pad or resize")
    assert_refused([[1, 2], [3]], ValueError, "X is a ragged list")


@pytest.mark.parametrize("shape", [(64,), (), (2, 8, 8, 3, 1)])
def test_other_dimensions_are_refused(shape):
    with pytest.raises(ValueError, match=r"X has shape .*expected images \(n, h, w\)"):
        infer_layout(np.zeros(shape))
    with pytest.raises((ValueError, TypeError), match=r"Reshape your data|dim"):
        check(np.zeros(shape))


def test_one_image_is_told_to_be_made_a_batch():
    assert_refused(np.zeros(64), ValueError, "X has shape (64,)", "X[None]")


@pytest.mark.parametrize("shape", [(0, 8, 8), (0, 8, 8, 3), (0, 64)])
def test_no_rows_are_refused(shape):
    assert_refused(np.zeros(shape), ValueError, "0 sample", "minimum of 1")


def test_too_few_rows_are_refused():
    X = make_images((1, 8, 8))
    assert_refused(X, ValueError, "1 sample", "minimum of 2", min_samples=2)


def test_rows_of_no_values_are_refused():
    assert_refused(np.zeros((3, 0)), ValueError, "0 feature(s)", "at least one value")


@pytest.mark.parametrize(
    ("shape", "image_shape", "size"),
    [
        ((3, 7, 8), None, "7 x 8"),
        ((3, 8, 7), None, "8 x 7"),
        ((3, 7, 30, 3), None, "7 x 30"),
        ((3, 3, 30, 7), None, "30 x 7"),
        ((8, 8, 3), None, "8 x 3"),  # one colour image
        ((3, 70), (7, 10), "7 x 10"),
    ],
)
def test_small_images_are_refused(shape, image_shape, size):
    assert_refused(
        np.zeros(shape),
        ValueError,
        f"X has shape ({shape[-1]}," if image_shape else f"X has shape {shape}",
        f"{size} pixels are too small, at least 8 x 8",
        "Enlarge or pad",
        image_shape=image_shape,
    )


@pytest.mark.parametrize(
    "shape", [(8, 9, 10), (3, 9, 3), (4, 9, 3), (1, 9, 3), (8, 9, 2), (2, 8, 9)]
)
def test_an_ambiguous_channel_axis_is_refused(shape):
    assert_refused(
        np.zeros((2, *shape)),
        ValueError,
        f"Images of shape {shape} are ambiguous",
        "lengths 1, 3, 4",
        "image_shape=(h, w, c)",
    )


@pytest.mark.parametrize("shape", [(8, 9, 2), (32, 32, 16), (10, 64, 20), (9, 9, 9)])
@pytest.mark.parametrize("flat", [False, True])
def test_the_remedy_of_an_ambiguous_channel_axis_helps(shape, flat):
    """Channels last and image_shape=(h, w, c), as the message says."""
    X = make_images((2, *shape), "int64")
    images = check(X.reshape(2, -1) if flat else X, image_shape=shape)
    np.testing.assert_array_equal(images, np.moveaxis(X, -1, 1))


@pytest.mark.parametrize(
    ("shape", "image_shape", "parts"),
    [
        ((3, 8, 9), (9, 8), ["image_shape=(9, 8)", "shape (8, 9)"]),
        ((3, 8, 9, 3), (8, 9), ["image_shape=(8, 9)", "shape (8, 9, 3)"]),
        (
            (3, 72),
            (8, 8),
            ["image_shape=(8, 8) holds 64", "X have 72 features"],
        ),
        ((3, 72), (72,), ["image_shape=(72,)", "give (h, w)"]),
        ((3, 72), (8, 3, 3, 1), ["image_shape=(8, 3, 3, 1)", "give (h, w)"]),
    ],
)
def test_an_image_shape_that_does_not_fit_is_refused(shape, image_shape, parts):
    assert_refused(np.zeros(shape), ValueError, *parts, image_shape=image_shape)


@pytest.mark.parametrize(
    ("fitted", "given"),
    [
        ((3, 8, 9), (3, 9, 8)),
        ((3, 8, 9), (3, 8, 9, 1)),
        ((3, 8, 9, 3), (3, 3, 8, 9)),
        ((3, 8, 8), (3, 64)),
        ((3, 64), (3, 8, 8)),
    ],
)
def test_another_image_size_than_at_fit_is_refused(fitted, given):
    estimator = Embedder()
    check(np.zeros(fitted), estimator=estimator)
    expected = ", ".join(map(str, fitted[1:]))
    assert_refused(
        np.zeros(given),
        ValueError,
        f"X has shape {given}, but Embedder was fitted on",
        f"shape (n, {expected})",
        "resize or reshape",
        estimator=estimator,
        reset=False,
    )


def test_another_number_of_columns_than_at_fit_is_refused():
    estimator = Embedder()
    check(np.zeros((3, 64)), estimator=estimator)
    assert_refused(
        np.zeros((3, 81)),
        ValueError,
        "X has 81 features, but Embedder is expecting 64",
        estimator=estimator,
        reset=False,
    )


def test_sparse_matrices_are_refused():
    X = scipy.sparse.csr_array(np.eye(8, 64))
    with pytest.raises(TypeError, match=r"(?i)sparse"):
        check(X)


# Options and rows


def test_unknown_options_are_named_with_what_is_allowed():
    check_choice("align", "auto", ("auto", True))
    with pytest.raises(ValueError, match=r"align='no'.*choose one of \['auto', True\]"):
        check_choice("align", "no", ("auto", True))


def test_rows_become_plain_float32():
    estimator = Embedder()
    frame = pd.DataFrame({"a": [1, 2], "b": [3.5, 4]})
    rows = check_rows(estimator, frame, reset=True)
    check_rows(estimator, frame.to_numpy(), reset=True)
    assert type(rows) is np.ndarray
    assert rows.dtype == np.float32
    assert rows.tolist() == [[1, 3.5], [2, 4]]
    with pytest.raises(ValueError, match=r"X has 1 features, but Embedder.* 2"):
        check_rows(estimator, frame[["a"]].to_numpy(), reset=False)


@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (-np.inf, "infinity")])
def test_rows_with_nan_or_infinity_are_refused(value, name):
    rows = np.zeros((5, 3))
    rows[3, 1] = value
    with pytest.raises(ValueError, match=rf"X contains {name}.*first in row 3"):
        check_rows(Embedder(), rows, reset=True)


def test_too_few_rows_or_dimensions_are_refused():
    with pytest.raises(ValueError, match=r"1 sample.*minimum of 2"):
        check_rows(Embedder(), np.zeros((1, 3)), reset=True, min_samples=2)
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        check_rows(Embedder(), np.zeros(3), reset=True)
