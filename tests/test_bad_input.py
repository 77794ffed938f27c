"""Bad input gets an error that names it, before anything is trained."""

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.exceptions import NotFittedError
from torch import nn

from invariant_cluster import JointEmbedder
from tests.conftest import CLUSTERERS, EMBEDDERS

PUBLIC = ["transform", "predict_pose", "reconstruct", "canonicalize", "score"]
METHODS = [
    (name, method)
    for name, row in EMBEDDERS.items()
    for method in PUBLIC
    if hasattr(row.estimator, method)  # some have no decoder
]
INDIRECT = ["make_any_embedder"]
METHODS_OF_CLUSTERERS = [
    (name, method)
    for name, row in CLUSTERERS.items()
    for method in ["predict", "predict_proba", "transform", "score_samples", "score"]
    if hasattr(row.estimator, method)
]
# What to give instead, as scikit-learn or as we say it.
REMEDY = r"must be|give |set |use |cannot be used to seed"


@pytest.fixture
def floats(images):
    return images.astype(np.float64)


@pytest.fixture(scope="session")
def rows():
    return np.random.default_rng(0).normal(size=(30, 4))


@pytest.fixture(scope="session")
def fitted_before():
    return {}


@pytest.fixture
def embedder(make_any_embedder, images, fitted_before):
    """Each kind is fitted once, in whatever order the tests run."""
    name = make_any_embedder.__name__
    if name not in fitted_before:
        fitted_before[name] = make_any_embedder().fit(images)
    return fitted_before[name]


@pytest.fixture(scope="module")
def embedding(make_embedder, images):
    return make_embedder().fit_transform(images)


def with_value(array, value, row=3, dtype=None):
    """Return a copy with the value in the middle of one row."""
    changed = array.astype(dtype or array.dtype)
    changed[(row, *(side // 2 for side in array.shape[1:]))] = value
    return changed


def as_objects(array, value):
    return with_value(array, value, dtype=object)


BAD_IMAGES = {
    "nan": (lambda X: with_value(X, np.nan), "X contains NaN, first in row 3"),
    "inf": (lambda X: with_value(X, -np.inf), "X contains infinity.*first in row 3"),
    "beyond float32": (
        lambda X: with_value(X, 1e300),
        "X contains infinity.*first in row 3",
    ),
    "nan as an object": (
        lambda X: as_objects(X, None),
        "X contains NaN, first in row 3",
    ),
    "nan in flat rows": (
        lambda X: with_value(X.reshape(len(X), -1), np.nan),
        "X contains NaN, first in row 3",
    ),
    "complex": (lambda X: X + 1j, r"X is complex.*np\.abs\(X\)"),
    "text among numbers": (
        lambda X: as_objects(X, "a"),
        "X holds values that are not numbers.*'a'.*numeric array",
    ),
    "text": (
        lambda X: X.astype(str),
        r"X holds strings \(dtype <U32\): [Cc]onvert your data to numeric",
    ),
    "ragged": (
        lambda X: [*X[:3], X[3, :10]],
        "X is a ragged list.*[Pp]ad or resize",
    ),
    "one value": (lambda X: X[0, 0, 0], "got 0D array.*[Rr]eshape"),
    "one row of pixels": (lambda X: X[0, 0], r"X has shape \(16,\).*[Rr]eshape"),
    "a batch of batches": (
        lambda X: np.stack([X, X])[..., None],
        r"X has shape \(2, 48, 16, 16, 1\): expected images \(n, h, w\)",
    ),
    "no image": (lambda X: X[:0], r"0 sample.*\(0, 16, 16\)"),
    "one image": (lambda X: X[:1], r"1 sample.*\(1, 16, 16\).*minimum of 2"),
    "no pixel": (lambda X: X[:, :, :0].reshape(len(X), 0), r"0 feature\(s\)"),
    "small": (
        lambda X: X[:, :7],
        r"images of 7 x 16 pixels are too small, at least 8 x 8.*[Ee]nlarge or pad",
    ),
    "ambiguous channels": (
        lambda X: np.repeat(X[:, None], 16, axis=1),
        r"shape \(16, 16, 16\) are ambiguous.*image_shape=\(h, w, c\)",
    ),
    "channels on both sides": (
        lambda X: np.repeat(X[:, None, :, :3], 4, axis=1),
        r"shape \(4, 16, 3\) are ambiguous.*image_shape=\(h, w, c\)",
    ),
    "sparse": (lambda X: sparse.csr_array(X.reshape(len(X), -1)), "[Ss]parse.*toarray"),
    "two channels": (
        lambda X: np.stack([X, X], axis=-1),
        r"ambiguous.*pick channels, X\[\.\.\., 0\] or .*--image-shape and --channels",
    ),
}


def in_cells(X):
    """Return a DataFrame with an array in each cell of a column."""
    return pd.DataFrame({"waferMap": list(X)})


def with_dates(X):
    flat = pd.DataFrame(X.reshape(len(X), -1))
    return flat.assign(day=pd.Timestamp("2020-01-01")).rename(columns=str)


def as_array_of_arrays(images):
    array = np.empty(len(images), dtype=object)
    array[:] = images
    return array


# What is no array of numbers, whether of images or of rows.
BAD_THINGS = {
    "bytes": (lambda X: X.astype("S8"), r"X holds strings \(dtype \|S8\).*X\.astype"),
    "dates": (
        lambda X: X.astype("datetime64[s]"),
        r"X holds dates \(dtype datetime64\[s\]\): give an array of real numbers",
    ),
    "durations": (
        lambda X: X.astype("timedelta64[s]"),
        r"X holds durations \(dtype timedelta64\[s\]\): give",
    ),
    "fields": (
        lambda X: np.zeros(X.shape, [("a", "f4"), ("b", "u1")]),
        r"X has fields or raw bytes .*give numbers, such as one field of it, X\['a'\]",
    ),
    "records": (
        lambda X: np.zeros(X.shape, [("a", "f4")]).view(np.recarray),
        r"X has fields or raw bytes .*X\['a'\]",
    ),
    "raw bytes": (lambda X: np.zeros(X.shape, "V4"), r"X has fields or raw bytes"),
    "long complex": (lambda X: X.astype(np.clongdouble), r"X is complex.*np\.abs\(X\)"),
    "array of arrays": (
        lambda X: as_array_of_arrays([*X]),
        r"X is an array of \d+ arrays: stack them to one, np\.stack\(X\)",
    ),
    "Series of arrays": (
        lambda X: pd.Series([*X]),
        r"X is an array of \d+ arrays: stack them to one, np\.stack\(X\)",
    ),
    "ragged array": (
        lambda X: as_array_of_arrays([*X, np.zeros((9, 9))]),
        r"X is an array of \d+ arrays of 2 shapes: Pad or resize",
    ),
    "DataFrame of arrays": (
        in_cells,
        r"DataFrame with arrays in its cells\. Stack them .*load_wm811k\(X\)",
    ),
    "DataFrame with dates": (with_dates, "X holds values that are not numbers: .*Give"),
    "DataFrame of nothing": (lambda X: pd.DataFrame(), "X holds values that are not"),
    "objects": (
        lambda X: np.full(X.shape, "a", dtype=object),
        "X holds values that are not numbers: .*'a'.*numeric array",
    ),
    "huge integers": (
        lambda X: np.full(X.shape, 10**400, dtype=object),
        "X holds values that are not numbers: int too large.*Give a numeric array",
    ),
    "huge long doubles": (
        lambda X: X.astype(np.longdouble) + np.finfo(np.longdouble).max,
        "X contains infinity",
    ),
    "a name": (lambda X: "images", "X is 'images', not an array: .*load_image_folder"),
    "a path": (lambda X: Path("images"), r"X is .*Path.*, not an array: .*open_images"),
    "names": (lambda X: ["a.png", "b.png"], r"X holds strings \(dtype <U5\)"),
    "nothing": (lambda X: None, "X is of type NoneType: give an array, or a list"),
    "a dict": (lambda X: {"images": X}, "X is of type dict: give an array"),
    "a set": (lambda X: {1, 2}, "X is of type set: give an array"),
    "a generator": (lambda X: (x for x in X), "X is of type generator: give an array"),
    "a number": (lambda X: 3.5, "got 0D array.*[Rr]eshape"),
    "None in an array": (lambda X: np.array(None), "got 0D array.*[Rr]eshape"),
    "list of nothing": (lambda X: [], r"0 sample\(s\) \(shape=\(0,\)\).*give more"),
    "list of empty lists": (lambda X: [[], []], r"0 feature\(s\) .*give at least one"),
    "tensor with gradient": (
        lambda X: torch.ones(X.shape, requires_grad=True),
        "X, of type Tensor, is not a numeric array: .*detach",
    ),
    "sparse tensor": (
        lambda X: torch.ones(X.shape).to_sparse(),
        "X, of type Tensor, is not a numeric array: .*to_dense.*Give a numeric array",
    ),
    "complex tensor": (
        lambda X: torch.ones(X.shape, dtype=torch.complex64),
        r"X is complex.*np\.abs\(X\)",
    ),
    "bfloat16 tensor": (
        lambda X: torch.ones(X.shape, dtype=torch.bfloat16),
        "X, of type Tensor, is not a numeric array: .*Give a numeric array",
    ),
}


def check_told(call, X, pattern):
    """Check that a call is refused in one line of a readable length."""
    with pytest.raises((ValueError, TypeError), match=pattern) as told:
        call(X)
    assert len(str(told.value)) < 500
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", BAD_THINGS)
def test_no_array_of_numbers_is_no_image(
    name, makers, feature_makers, floats, no_training
):
    spoil, told = BAD_THINGS[name]
    for make in [*makers.values(), *feature_makers.values()]:
        check_told(make().fit, spoil(floats), told)


@pytest.fixture(scope="module")
def fitted(make_embedder, makers, feature_makers, images):
    """Return one fitted embedder of each kind, and a joint one."""
    made = [*makers.values(), *feature_makers.values()]
    joint = JointEmbedder(
        [("a", make_embedder()), ("b", feature_makers["polar Fourier"]())]
    )
    return [one.fit(images) for one in [*(make() for make in made), joint]]


@pytest.mark.parametrize("name", [*BAD_THINGS, "ragged"])
def test_no_array_of_numbers_after_fit(name, fitted, floats):
    spoil, told = {**BAD_IMAGES, **BAD_THINGS}[name]
    methods = [
        getattr(embedder, method)
        for embedder in fitted
        for method in PUBLIC
        if hasattr(embedder, method)
    ]
    assert len(methods) > 20
    for method in methods:
        check_told(method, spoil(floats), told)


@pytest.mark.parametrize("name", BAD_THINGS)
def test_no_array_of_numbers_is_no_row(name, make_any_clusterer, rows, no_training):
    spoil, told = BAD_THINGS[name]
    clusterer = make_any_clusterer(fine_tune=False)
    check_told(clusterer.fit, spoil(rows), told)


@pytest.mark.parametrize("name", BAD_THINGS)
def test_no_array_of_numbers_for_a_fitted_clusterer(
    name, make_any_clusterer, rows, fitted_before
):
    spoil, told = BAD_THINGS[name]
    key = f"clusterer {make_any_clusterer.__name__}"
    if key not in fitted_before:
        fitted_before[key] = make_any_clusterer(fine_tune=False).fit(rows)
    clusterer = fitted_before[key]
    for method in ("predict", "predict_proba", "transform", "score_samples", "score"):
        check_told(getattr(clusterer, method), spoil(rows), told)


GOOD_THINGS = {
    "list of arrays": lambda X: [*X],
    "list of tensors": lambda X: [torch.as_tensor(x) for x in X],
    "tensor": torch.as_tensor,
    "nested lists": lambda X: X.tolist(),
    "objects": lambda X: X.astype(object),
    "text-free DataFrame": lambda X: pd.DataFrame(X.reshape(len(X), -1)),
    "long doubles": lambda X: X.astype(np.longdouble),
    "other byte order": lambda X: X.astype(X.dtype.newbyteorder()),
    "memoryview": lambda X: memoryview(np.ascontiguousarray(X)),
}


@pytest.mark.parametrize("name", GOOD_THINGS)
def test_arrays_of_other_libraries_are_read(name, feature_makers, rows, images):
    given = images.astype(np.float64)
    if "DataFrame" in name:
        given = given.reshape(len(given), -1)
    make = feature_makers["polar Fourier"]
    expected = make().fit_transform(given)
    found = make().fit_transform(GOOD_THINGS[name](given))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_clusterers_score_numbers_among_objects(make_any_clusterer, rows):
    clusterer = make_any_clusterer(fine_tune=False).fit(rows)
    assert clusterer.score(rows.astype(object)) == clusterer.score(rows)


@pytest.mark.filterwarnings("ignore:.* images are blank")
@pytest.mark.parametrize("value", [0, 2**40, 2**63, 3e38])
def test_constant_images_of_any_value(value, make_any_embedder, images):
    constant = np.full(images.shape, value, dtype=np.float64)
    with pytest.warns(
        UserWarning, match=f"{len(images)} of {len(images)} images .*blank"
    ):
        embedder = make_any_embedder().fit(constant)
    assert np.isfinite(np.asarray(embedder.transform(constant))).all()


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_bad_images(name, make_any_embedder, floats, no_training):
    spoil, told = BAD_IMAGES[name]
    with pytest.raises((ValueError, TypeError), match=f"(?s){told}"):
        make_any_embedder().fit(spoil(floats))


@pytest.mark.parametrize("name", ["nan", "inf", "complex", "text among numbers"])
@pytest.mark.parametrize(("make_any_embedder", "method"), METHODS, indirect=INDIRECT)
def test_bad_images_after_fit(method, name, embedder, floats):
    spoil, told = BAD_IMAGES[name]
    with pytest.raises((ValueError, TypeError), match=told):
        getattr(embedder, method)(spoil(floats))


@pytest.mark.parametrize(("make_any_embedder", "method"), METHODS, indirect=INDIRECT)
@pytest.mark.parametrize(
    "other",
    [
        lambda X: X[:, :12],
        lambda X: X[:, :12, :12],
        lambda X: X[..., None],
        lambda X: X.reshape(len(X), -1),
    ],
    ids=["cut", "smaller", "with a channel axis", "flat"],
)
def test_another_shape_than_at_fit(method, other, embedder, images):
    with pytest.raises(
        ValueError,
        match=rf"X has shape .* {type(embedder).__name__} was fitted on arrays of "
        r"shape \(n, 16, 16\).*resize or reshape",
    ):
        getattr(embedder, method)(other(images))


@pytest.mark.parametrize(("make_any_embedder", "method"), METHODS, indirect=INDIRECT)
def test_embedder_not_fitted(method, make_any_embedder, images):
    with pytest.raises(NotFittedError):
        getattr(make_any_embedder(), method)(images)


def test_rows_that_fill_no_square_are_padded_with_a_warning(make_any_embedder):
    rows = np.random.default_rng(0).uniform(size=(20, 10))
    with pytest.warns(
        UserWarning, match=r"Rows of 10 values .*\(8, 8\).*image_shape"
    ) as record:
        embedder = make_any_embedder().fit(rows)
    assert len(record) == 1
    assert embedder.image_shape_ == (8, 8)
    assert embedder.n_features_in_ == 10
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert embedder.transform(rows).shape == (20, 4)
        assert embedder.canonicalize(rows).shape == (20, 10)


# Of the parameters that all embedders, or all clusterers, have.
BAD_SHARED = {
    "d": [0, -1, 2.5, None],
    "align": ["yes", None],
    "background": ["white", [1, 2], np.nan, [np.inf]],
    "stretch": ["log", True, None],
    "smoothing": [-1.0, np.nan, np.inf, "much", None],
    "object": ["nearest", True, None],
    "intensity_range": [(3, 3), (2, 1), (1,), (0, 1, 2), (0, np.inf)],
    "max_epochs": [0],
    "batch_size": [1],
    "lr": [0.0, -1.0, np.nan],
    "lr_schedule": ["cosine", None],
    "weight_decay": [-1.0],
    "device": ["banana", 3],
    "precision": ["float16", None],
    "callbacks": ["early", [3]],
    "warm_start": ["yes"],
    "random_state": ["a", -1],
    "verbose": [-1],
    "image_shape": ["ab", (16,), (8, 32), (16, 16, 1)],
}
BAD_SHARED_OF_CLUSTERERS = {
    "n_clusters": [0, -1, 2.5, 31],
    "n_neighbors": [0, 30, 31, 2.5],
    "fine_tune": ["yes", None],
    "batch_size": [1],
    "weight_decay": [-1.0],
    "device": ["banana", 3],
    "precision": ["float16"],
    "callbacks": ["early", [3]],
    "random_state": ["a"],
    "verbose": [-1],
}


def pairs(table):
    return [
        pytest.param(name, value, id=f"{name}={value}")
        for name, values in table.items()
        for value in values
    ]


def named(name):
    """Return a pattern: the parameter as scikit-learn or as we name it."""
    return rf"'{name}' parameter|\b{name}="


@pytest.mark.parametrize(
    ("make_any_embedder", "name", "value"),
    [
        pytest.param(kind, *pair.values, id=f"{kind}-{pair.id}")
        for kind, row in EMBEDDERS.items()
        for pair in pairs(BAD_SHARED | row.bad)
    ],
    indirect=["make_any_embedder"],
)
def test_bad_embedder_parameter(name, value, make_any_embedder, images, no_training):
    """The error names the parameter, its value and what to give."""
    embedder = make_any_embedder(**{name: value})
    with pytest.raises((ValueError, TypeError), match=named(name)) as told:
        embedder.fit(images)
    assert re.search(rf"({name}=|Got ){re.escape(repr(value))}", str(told.value))
    assert re.search(REMEDY, str(told.value))


def test_every_parameter_is_given_a_bad_value(make_any_embedder):
    tried = BAD_SHARED | EMBEDDERS[make_any_embedder.__name__].bad
    assert set(tried) == set(make_any_embedder().get_params())


def test_every_parameter_of_clusterers_is_given_a_bad_value(make_any_clusterer):
    tried = BAD_SHARED_OF_CLUSTERERS | CLUSTERERS[make_any_clusterer.__name__].bad
    assert set(tried) == set(make_any_clusterer().get_params())


@pytest.mark.parametrize(
    ("make_any_embedder", "parameters", "told"),
    [
        ("TARGET-VAE", {"kernel_size": 4}, "kernel_size=4 .*an odd number"),
        (
            "TARGET-VAE",
            {"kernel_size": 17},
            "kernel_size=17 .* 16 x 16 pixels.*15 or less",
        ),
        ("TARGET-VAE", {"generator_hidden": ()}, r"generator_hidden=\(\).*such as"),
        ("spatial-VAE", {"generator_hidden": ()}, r"generator_hidden=\(\).*such as"),
        ("spatial-VAE", {"encoder_hidden": []}, r"encoder_hidden=\[\].*such as"),
        ("IRL-INR", {"inr_hidden": ()}, r"inr_hidden=\(\).*such as"),
    ],
    ids=str,
    indirect=["make_any_embedder"],
)
def test_what_is_told_of_sizes(
    parameters, told, make_any_embedder, images, no_training
):
    with pytest.raises(ValueError, match=told):
        make_any_embedder(**parameters).fit(images)


@pytest.mark.parametrize(
    ("make_any_clusterer", "name", "value"),
    [
        pytest.param(kind, *pair.values, id=f"{kind}-{pair.id}")
        for kind, row in CLUSTERERS.items()
        for pair in pairs(BAD_SHARED_OF_CLUSTERERS | row.bad)
    ],
    indirect=["make_any_clusterer"],
)
def test_bad_clusterer_parameter(name, value, make_any_clusterer, rows, no_training):
    clusterer = make_any_clusterer(**{"fine_tune": False, name: value})
    with pytest.raises((ValueError, TypeError), match=named(name)):
        clusterer.fit(rows)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("image_shape", (8, 8), r"\(8, 8\) holds 64 values.*256 features.*product"),
        ("image_shape", (4, 64), "images of 4 x 64 pixels are too small"),
    ],
)
def test_image_shape_that_fits_no_row(
    name, value, told, make_any_embedder, images, no_training
):
    with pytest.raises(ValueError, match=told):
        make_any_embedder(**{name: value}).fit(images.reshape(len(images), -1))


@pytest.mark.skipif(torch.cuda.is_available(), reason="the device is there")
def test_absent_device(make_any_embedder, make_any_clusterer, images, no_training):
    for estimator in [
        make_any_embedder(device="cuda"),
        make_any_clusterer(device="cuda"),
    ]:
        with pytest.raises(ValueError, match=r"device='cuda' is not available.*'cpu'"):
            estimator.fit(images.reshape(len(images), -1))


@pytest.mark.parametrize(
    "factory",
    [lambda c: nn.Identity(), lambda c: nn.Flatten(0), lambda c: 3],
    ids=["images", "one vector", "no module"],
)
def test_encoder_factory_that_yields_no_features(
    factory, make_trunk_embedder, images, no_training
):
    with pytest.raises((ValueError, TypeError), match=r"encoder.*\(n, n_features\)"):
        make_trunk_embedder(encoder=factory).fit(images)


BAD_ROWS = {
    "nan": (lambda X: with_value(X, np.nan), "X contains NaN, first in row 3"),
    "inf": (lambda X: with_value(X, np.inf), "X contains infinity.*first in row 3"),
    "complex": (lambda X: X + 1j, "[Cc]omplex data not supported"),
    "text among numbers": (
        lambda X: as_objects(X, "a"),
        r"\bX\b.*could not convert string to float: 'a'",
    ),
    "text": (lambda X: X.astype(str), "[Cc]onvert your data to numeric"),
    "ragged": (lambda X: [[1.0, 2.0], [1.0]], "X is a ragged list"),
    "1-D": (lambda X: X[0], "1D array.*[Rr]eshape"),
    "images": (lambda X: X.reshape(-1, 2, 2), "3D array.*embed images first"),
    "no row": (lambda X: X[:0], r"0 sample.*\(0, 4\)"),
    "one row": (lambda X: X[:1], r"1 sample.*\(1, 4\)"),
    "no column": (lambda X: X[:, :0], r"0 feature\(s\)"),
    "sparse": (lambda X: sparse.csr_array(X), "[Ss]parse.*toarray"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_rows(name, make_any_clusterer, rows, no_training):
    spoil, told = BAD_ROWS[name]
    with pytest.raises((ValueError, TypeError), match=f"(?s){told}"):
        make_any_clusterer(fine_tune=False).fit(spoil(rows))


@pytest.mark.parametrize(
    ("make_any_clusterer", "method"),
    METHODS_OF_CLUSTERERS,
    indirect=["make_any_clusterer"],
)
def test_bad_rows_after_fit(method, make_any_clusterer, rows):
    clusterer = make_any_clusterer(fine_tune=False)
    with pytest.raises(NotFittedError):
        getattr(clusterer, method)(rows)
    clusterer.fit(rows)
    with pytest.raises(ValueError, match=r"3 features.*Clusterer.*4 features"):
        getattr(clusterer, method)(rows[:, :3])
    with pytest.raises(ValueError, match="X contains NaN, first in row 3"):
        getattr(clusterer, method)(with_value(rows, np.nan))


def test_more_clusters_than_samples(make_any_clusterer, rows, no_training):
    with pytest.raises(ValueError, match=r"n_clusters=31.*n_samples=30.*lower"):
        make_any_clusterer(31, fine_tune=False).fit(rows)


def test_more_neighbors_than_samples(make_any_clusterer, rows, no_training):
    with pytest.raises(ValueError, match=r"n_neighbors=30.*1 to 29.*n_samples=30"):
        make_any_clusterer(n_neighbors=30, fine_tune=False).fit(rows)


def test_fine_tuning_on_plain_rows(make_any_clusterer, embedding, no_training):
    told = r"fine_tune=True but X is a plain array.*fine_tune=False"
    for plain in [np.asarray(embedding), embedding * 1, embedding.copy()]:
        with pytest.raises(ValueError, match=told):
            make_any_clusterer(fine_tune=True).fit(plain)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform", "score"])
def test_fine_tuned_clusterer_asks_for_images(
    method, make_clusterer, make_embedder, images, embedding
):
    clusterer = make_clusterer().fit(embedding)
    call = getattr(clusterer, method)
    with pytest.raises(ValueError, match=r"needs images.*plain array.*fine_tune=False"):
        call(np.asarray(embedding))
    smaller = make_embedder().fit_transform(images[:, :12])
    with pytest.raises(ValueError, match=r"\(48, 12, 16\).*\(n, 16, 16\).*resize"):
        call(smaller)


@pytest.mark.parametrize("name", ["nan", "small", "one image"])
def test_a_refused_fit_leaves_the_embedder_unfitted(name, make_any_embedder, floats):
    embedder = make_any_embedder()
    with pytest.raises(ValueError, match=r"\d"):
        embedder.fit(BAD_IMAGES[name][0](floats))
    with pytest.raises(NotFittedError):
        embedder.transform(floats)


def test_a_refused_fit_leaves_the_clusterer_unfitted(make_any_clusterer, rows):
    clusterer = make_any_clusterer(n_neighbors=30, fine_tune=False)
    with pytest.raises(ValueError, match="n_neighbors"):
        clusterer.fit(rows)
    with pytest.raises(NotFittedError):
        clusterer.predict(rows)


def fitted_state(estimator):
    """Return the fitted attributes, each as an object of its own."""
    return {k: v for k, v in vars(estimator).items() if k.endswith("_") or k[0] == "_"}


REFUSED = {
    "a size": {"inr_hidden": (0,)},
    "a range": {"intensity_range": (3, 1)},
    "a background": {"background": (1, 2)},
    "a shape": {"image_shape": (3, 3)},
    "a device": {"device": "banana"},
    "a callback": {"callbacks": ["early"]},
    "a weight": {"consistency_weight": -1},
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refit_with_a_bad_parameter_leaves_the_fit_as_it_was(
    name, make_embedder, floats
):
    embedder = make_embedder().fit(floats)
    before, z = fitted_state(embedder), np.asarray(embedder.transform(floats))
    wider = np.pad(floats, ((0, 0), (2, 2), (2, 2)))
    embedder.set_params(**REFUSED[name])
    with pytest.raises((ValueError, TypeError)):
        embedder.fit(wider)
    after = fitted_state(embedder)
    assert after.keys() == before.keys()
    assert all(after[key] is before[key] for key in before)
    embedder.set_params(device="cpu")
    np.testing.assert_array_equal(embedder.transform(floats), z)


def test_a_refused_refit_leaves_the_embedder_as_it_was(make_any_embedder, floats):
    embedder = make_any_embedder().fit(floats)
    z = np.asarray(embedder.transform(floats))
    with pytest.raises(ValueError, match="NaN"):
        embedder.fit(with_value(floats[:, :10], np.nan))
    np.testing.assert_array_equal(embedder.transform(floats), z)


@pytest.mark.parametrize(
    "change",
    [{"n_clusters": 99}, {"n_neighbors": 99}, {"fine_tune": True}, {"lr": -1}],
    ids=str,
)
def test_a_refused_refit_leaves_the_clusterer_as_it_was(change, make_clusterer, rows):
    clusterer = make_clusterer(fine_tune=False).fit(rows)
    before, labels = fitted_state(clusterer), clusterer.predict(rows)
    clusterer.set_params(**change)
    with pytest.raises((ValueError, TypeError)):
        clusterer.fit(rows[:, :4])
    after = fitted_state(clusterer)
    assert after.keys() == before.keys()
    assert all(after[key] is before[key] for key in before)
    np.testing.assert_array_equal(clusterer.predict(rows), labels)
