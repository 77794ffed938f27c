"""An ImageEmbedding is an array; only pickles and copies of itself keep its images."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
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
DERIVATIONS = {
    "slice": lambda e: e[1:3],
    "all rows": lambda e: e[:],
    "mask": lambda e: e[np.array([True, False, True, False, True])],
    "order": lambda e: e[[2, 0, 1, 4, 3]],
    "row": lambda e: e[0],
    "column": lambda e: e[:, 0],
    "copy": lambda e: e.copy(),
    "numpy.copy": np.copy,
    "sum of two": lambda e: e + e,
    "scaled": lambda e: 2 * e,
    "negative": lambda e: -e,
    "compared": lambda e: e > 0,
    "mean": lambda e: e.mean(axis=0),
    "product": lambda e: e @ e.T,
    "numpy function": np.exp,
    "out=": lambda e: np.add(e.copy(), e, out=e.copy()),
    "transposed": lambda e: e.T,
    "reshaped": lambda e: e.reshape(3, 5),
    "astype": lambda e: e.astype(np.float64),
    "concatenated": lambda e: np.concatenate([e, e]),
    "stacked": lambda e: np.vstack([e, e]),
    "take": lambda e: np.take(e, [0, 1], axis=0),
    "empty_like": np.empty_like,
    "asarray": np.asarray,
    "asanyarray of a view": lambda e: np.asanyarray(e.view()),
}


def test_it_is_a_float32_array_with_a_memory(embedding, parts):
    z, images, encoder = parts
    assert isinstance(embedding, np.ndarray)
    assert embedding.dtype == np.float32
    assert embedding.shape == (5, 3)
    np.testing.assert_array_equal(embedding, z)
    assert embedding.images is images  # a reference, not a copy
    assert embedding.encoder is encoder
    assert np.shares_memory(embedding, z)


def test_other_dtypes_and_lists_become_float32():
    assert ImageEmbedding([[1, 2], [3, 4]]).dtype == np.float32
    assert ImageEmbedding(np.ones((2, 2))).dtype == np.float32
    assert_plain(ImageEmbedding([[1, 2]]))


def test_images_must_match_the_rows(parts):
    z, images, encoder = parts
    with pytest.raises(ValueError, match=r"images has 4 rows but z has 5.*one image"):
        ImageEmbedding(z, images[:4], encoder)


@pytest.mark.parametrize("name", DERIVATIONS)
def test_what_is_derived_is_plain(embedding, parts, name):
    derived, expected = DERIVATIONS[name](embedding), DERIVATIONS[name](parts[0])
    assert_plain(derived)
    assert np.shape(derived) == np.shape(expected)
    if name != "empty_like":
        np.testing.assert_array_equal(derived, expected)
    assert embedding.images is parts[1]


@pytest.mark.parametrize("name", ["slice", "copy", "scaled", "mean", "asarray"])
def test_slices_copies_and_results_are_of_the_plain_type(embedding, name):
    assert type(DERIVATIONS[name](embedding)) is np.ndarray


def test_arithmetic_in_place_changes_values_and_forgets(embedding, parts):
    before, original = parts[0].copy(), embedding
    embedding += 1
    np.testing.assert_array_equal(embedding, before + 1)
    np.testing.assert_array_equal(np.asarray(original), before + 1)
    assert_plain(embedding)


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


def test_joblib_tells_embeddings_of_other_values_apart(embedding):
    """A Pipeline with ``memory=`` hashes what its steps hand on."""
    other = ImageEmbedding(np.asarray(embedding) + 1, embedding.images)
    assert joblib.hash(embedding) == joblib.hash(pickle.loads(pickle.dumps(embedding)))
    assert joblib.hash(embedding) != joblib.hash(other)
