"""An ImageEmbedding is array-like; its rows, pickles and copies keep the images."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import train_test_split
from torch import nn

from invariant_cluster import ImageEmbedding


@pytest.fixture
def parts():
    z = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    return z, np.arange(5 * 64, dtype=np.uint8).reshape(5, 8, 8), nn.Linear(64, 3)


@pytest.fixture
def embedding(parts):
    return ImageEmbedding(*parts)


def assert_plain(value):
    """Fail if a clusterer could take the value for an embedding with images."""
    assert getattr(value, "images", None) is None
    assert getattr(value, "encoder", None) is None


def roundtrip_joblib(embedding, path):
    joblib.dump(embedding, path / "embedding.joblib")
    return joblib.load(path / "embedding.joblib")


KEEPERS = {
    "pickle": lambda e, _: pickle.loads(pickle.dumps(e)),
    "pickle, oldest protocol": lambda e, _: pickle.loads(pickle.dumps(e, 2)),
    "joblib": roundtrip_joblib,
    "copy.deepcopy": lambda e, _: copy.deepcopy(e),
    "within a list": lambda e, _: copy.deepcopy([e])[0],
}
ROWS = {
    "slice": slice(1, 3),
    "all rows": slice(None),
    "backwards": slice(None, None, -1),
    "mask": np.array([True, False, True, False, True]),
    "order": [2, 0, 1, 4, 3],
    "index array": np.array([4, 4, 0]),
    "with ellipsis": (np.array([1, 3]), ...),
    "none": slice(0, 0),
}
DERIVATIONS = {
    "row": lambda e: e[0],
    "row, NumPy's": lambda e: e[np.int64(2)],
    "column": lambda e: e[:, 0],
    "columns": lambda e: e[:, :2],
    "rows and columns": lambda e: e[1:3, [0, 1]],
    "new axis": lambda e: e[None],
    "two-dimensional index": lambda e: e[np.array([[0, 1], [2, 3]])],
    "copy": lambda e: e.copy(),
    "numpy.copy": np.copy,
    "sum of two": lambda e: e + e,
    "scaled": lambda e: 2 * e,
    "negative": lambda e: -e,
    "compared": lambda e: e > 0,
    "mean": lambda e: e.mean(axis=0),
    "product": lambda e: e @ e.T,
    "numpy function": np.exp,
    "out=": lambda e: np.add(e.copy(), e, out=np.array(e)),
    "reversed": lambda e: np.stack(list(reversed(list(e)))),
    "right-hand side": lambda e: 1 - e,
    "transposed": lambda e: e.T,
    "reshaped": lambda e: e.reshape(3, 5),
    "astype": lambda e: e.astype(np.float64),
    "concatenated": lambda e: np.concatenate([e, e]),
    "stacked": lambda e: np.vstack([e, e]),
    "take": lambda e: np.take(e, [0, 1], axis=0),
    "empty_like": np.empty_like,
    "asarray": np.asarray,
    "array of another type": lambda e: np.asarray(e, dtype=np.float64),
    "length": len,
}


def test_it_is_a_float32_array_with_a_memory(embedding, parts):
    z, images, encoder = parts
    assert embedding.dtype == np.asarray(embedding).dtype == np.float32
    assert embedding.ndim == 2
    assert len(embedding) == 5
    assert embedding.shape == (5, 3)
    np.testing.assert_array_equal(embedding, z)
    assert embedding.images is images  # a reference, not a copy
    assert embedding.encoder is encoder
    assert np.shares_memory(np.asarray(embedding), z)
    assert not np.shares_memory(np.array(embedding), z)


def test_other_dtypes_and_lists_become_float32():
    assert ImageEmbedding([[1, 2], [3, 4]]).dtype == np.float32
    assert ImageEmbedding(np.ones((2, 2))).dtype == np.float32
    assert_plain(ImageEmbedding([[1, 2]]))


def test_images_must_match_the_rows(parts):
    z, images, encoder = parts
    with pytest.raises(ValueError, match=r"images has 4 rows but z has 5.*one image"):
        ImageEmbedding(z, images[:4], encoder)


def test_z_must_be_rows():
    with pytest.raises(ValueError, match=r"z has shape \(3,\): give rows of shape"):
        ImageEmbedding(np.zeros(3))


@pytest.mark.parametrize("name", ROWS)
def test_rows_keep_their_images(embedding, parts, name):
    z, images, encoder = parts
    rows = embedding[ROWS[name]]
    assert isinstance(rows, ImageEmbedding)
    np.testing.assert_array_equal(rows, z[ROWS[name]])
    chosen = ROWS[name][0] if isinstance(ROWS[name], tuple) else ROWS[name]
    np.testing.assert_array_equal(rows.images, images[chosen])
    assert rows.encoder is encoder
    assert rows.shape == z[ROWS[name]].shape


def test_rows_without_images_are_plain(parts):
    assert type(ImageEmbedding(parts[0])[1:3]) is np.ndarray


def test_scikit_learn_splits_rows_with_their_images(embedding, parts):
    train, test = train_test_split(embedding, random_state=0)
    assert (len(train.images), len(test.images)) == (3, 2)
    for rows in (train, test):
        for z, image in zip(rows, rows.images, strict=True):
            (index,) = np.flatnonzero((parts[0] == z).all(axis=1))
            np.testing.assert_array_equal(image, parts[1][index])


@pytest.mark.parametrize("name", DERIVATIONS)
def test_what_is_derived_is_plain(embedding, parts, name):
    derived, expected = DERIVATIONS[name](embedding), DERIVATIONS[name](parts[0])
    assert_plain(derived)
    assert np.shape(derived) == np.shape(expected)
    if name != "empty_like":
        np.testing.assert_array_equal(derived, expected)
    assert embedding.images is parts[1]


@pytest.mark.parametrize("name", ["columns", "copy", "scaled", "mean", "asarray"])
def test_columns_copies_and_results_are_of_the_plain_type(embedding, name):
    assert type(DERIVATIONS[name](embedding)) is np.ndarray


def add_in_place(embedding):
    embedding += 1


def assign(embedding):
    embedding[0] = 0


@pytest.mark.parametrize(
    "change", [add_in_place, assign, lambda e: np.add(1, 1, out=e)]
)
def test_nothing_changes_it_in_place(embedding, parts, change):
    before = parts[0].copy()
    with pytest.raises(TypeError, match=r"cannot be changed in place.*np\.array\(z\)"):
        change(embedding)
    np.testing.assert_array_equal(embedding, before)


def test_unknown_attributes_are_missing(embedding):
    assert not hasattr(embedding, "iloc")
    assert not hasattr(embedding, "__dataframe__")


class Encode:
    """Returns z and counts how often it is asked."""

    def __init__(self, z):
        self.z = z
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return self.z


@pytest.fixture
def deferred(parts):
    z, images, encoder = parts
    encode = Encode(z)
    return ImageEmbedding.deferred(encode, 3, images, encoder), encode


def test_z_is_computed_at_its_first_use_and_once(deferred, parts):
    embedding, encode = deferred
    assert (embedding.shape, len(embedding)) == ((5, 3), 5)
    assert embedding.images is parts[1]
    assert encode.calls == 0
    np.testing.assert_array_equal(embedding, parts[0])
    np.testing.assert_array_equal(embedding[1:], parts[0][1:])
    assert "ImageEmbedding(array(" in repr(embedding)
    assert encode.calls == 1


@pytest.mark.parametrize("name", KEEPERS)
def test_pickles_and_copies_of_a_deferred_embedding(deferred, parts, tmp_path, name):
    other = KEEPERS[name](deferred[0], tmp_path)
    np.testing.assert_array_equal(other, parts[0])
    np.testing.assert_array_equal(other.images, parts[1])


def test_pandas_output_is_plain(embedding):
    frame = pd.DataFrame(embedding)
    assert_plain(frame)
    assert_plain(frame.to_numpy())


@pytest.mark.parametrize("name", KEEPERS)
def test_pickles_and_copies_keep_images_and_encoder(embedding, parts, tmp_path, name):
    z, images, encoder = parts
    other = KEEPERS[name](embedding, tmp_path)
    assert type(other) is ImageEmbedding
    np.testing.assert_array_equal(other, z)
    np.testing.assert_array_equal(other.images, images)
    x = torch.rand(2, 64)
    torch.testing.assert_close(other.encoder(x), encoder(x))


def test_a_deep_copy_shares_nothing(embedding):
    other = copy.deepcopy(embedding)
    other.encoder.weight.data.zero_()
    other.images[:] = 0
    assert embedding.encoder.weight.any()
    assert embedding.images.any()


def test_joblib_tells_embeddings_of_other_values_apart(embedding, parts):
    """A Pipeline with ``memory=`` hashes what its steps hand on."""
    other = ImageEmbedding(np.asarray(embedding) + 1, embedding.images)
    assert joblib.hash(embedding) == joblib.hash(ImageEmbedding(*parts))
    assert joblib.hash(embedding) != joblib.hash(other)


@pytest.mark.parametrize(
    "change",
    [
        lambda e: np.asarray(e).fill(0),
        lambda e: e.fill(0),
        lambda e: e.sort(axis=0),
        lambda e: e[0].fill(0),
        lambda e: np.fill_diagonal(np.asarray(e), 0),
    ],
)
def test_its_array_is_read_only(embedding, parts, change):
    before = parts[0].copy()
    with pytest.raises(ValueError, match="read-only"):
        change(embedding)
    np.testing.assert_array_equal(embedding, before)
    np.array(embedding)[0] = 0  # a copy


def test_its_shape_is_that_of_z(embedding):
    with pytest.raises(AttributeError):
        embedding.shape = (4, 48)


def test_a_cast_needs_a_copy(embedding):
    with pytest.raises(ValueError, match="dtype=float64 needs a copy of z"):
        embedding.__array__(np.float64, copy=False)


@pytest.mark.parametrize(
    "key",
    [range(3), pd.Index([0, 1, 2]), pd.Series([True, True, True, False, False])],
    ids=["range", "index", "series"],
)
def test_other_kinds_of_rows(embedding, parts, key):
    rows = embedding[key]
    np.testing.assert_array_equal(rows, parts[0][:3])
    np.testing.assert_array_equal(rows.images, parts[1][:3])


def test_no_rows_and_all_columns(embedding):
    assert embedding[[]].images.shape == (0, 8, 8)
    assert embedding[[1, 2], :].images.shape == (2, 8, 8)


@pytest.mark.parametrize("spaces", [{"a": 5}, [("a", slice(2))], "ab"], ids=repr)
def test_spaces_are_slices_by_name(spaces):
    with pytest.raises(ValueError, match="must map the name of each space to a slice"):
        ImageEmbedding(np.eye(3), spaces=spaces)
