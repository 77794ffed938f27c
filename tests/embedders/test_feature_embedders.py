"""What users see of every embedder without training: layouts, whitening, bad input."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from invariant_cluster import SCANClusterer
from invariant_cluster.embedders import FeatureEmbedder, _untrained_embedder
from tests.conftest import FEATURE_EMBEDDERS

RANGE = {"intensity_range": (0, 255)}  # what is measured depends on the dtype
OPTIONS = {
    "samples": ("polar Fourier", {}),
    "magnitudes": ("polar Fourier", {"power": 1.0}),
    "zernike": ("polar Fourier", {"radial_basis": "zernike"}),
    "objects": ("scattering", {"d": 20, **RANGE}),
    "mirrored": (
        "scattering",
        {"d": 20, "invariance": "rotation+reflection", "order": 1, **RANGE},
    ),
    "textures": ("scattering", {"d": 20, "align": None, **RANGE}),
    "class averages": ("class averages", {}),
}
REDUCED = [name for name, (kind, _) in OPTIONS.items() if kind != "class averages"]


def maker_of(name, feature_makers):
    kind, options = OPTIONS[name]

    def make(**parameters):
        return feature_makers[kind](**{**options, **parameters})

    make.kind = kind
    return make


@pytest.fixture(params=OPTIONS)
def make(request, feature_makers):
    """Return a maker of embedders by each kind of features."""
    return maker_of(request.param, feature_makers)


@pytest.fixture(params=REDUCED)
def make_reduced(request, feature_makers):
    """Return a maker of embedders whose features a PCA reduces."""
    return maker_of(request.param, feature_makers)


def test_every_kind_has_options():
    assert {kind for kind, _ in OPTIONS.values()} == set(FEATURE_EMBEDDERS)


# Precision


def test_images_alone_and_together_are_the_same(make, images):
    """To the last bits of float32, beside the spread of the features.

    Correlations are products in float32, which are rounded by the number of images.
    """
    embedder = make().fit(images)
    z = embedder.transform(images)
    alone = np.concatenate([embedder.transform(image[None]) for image in images])
    rounding = 1e-5 if make.kind == "class averages" else 1e-6
    assert abs(z - alone).max() < rounding * z.std()


@pytest.mark.filterwarnings("ignore::invariant_cluster.DriftWarning")
@pytest.mark.filterwarnings("ignore:.* images are blank")
@pytest.mark.parametrize("n", [2, 5])
def test_blank_images_have_finite_features(make, images, n):
    blank = np.full((n, 16, 16), 3, dtype=np.uint8)
    whitened = {} if make.kind == "class averages" else {"whiten": 0.5}
    alone = make(**whitened).fit_transform(blank)
    np.testing.assert_array_equal(alone, np.zeros_like(alone))
    among = make().fit(images).transform(blank)
    assert np.isfinite(among).all()
    assert np.isfinite(make().fit_transform(np.concatenate([blank, images]))).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_computes_the_same(make, images):
    on_cpu, on_gpu = (make(device=name).fit(images) for name in ("cpu", "cuda"))
    z = on_cpu.transform(images)
    moved = on_cpu.set_params(device="cuda").transform(images)
    np.testing.assert_allclose(moved, z, atol=1e-5 * z.std())
    assert np.isfinite(on_gpu.transform(images)).all()
    assert pickle.loads(pickle.dumps(on_gpu)).device == "cuda"


# Whitening


@pytest.mark.parametrize("power", [0.0, 0.25, 0.5])
def test_whitening_divides_by_the_variance_to_the_power(make_reduced, images, power):
    plain = make_reduced(whiten=0.0, d=8).fit_transform(images).var(axis=0)
    z = make_reduced(whiten=power, d=8).fit_transform(images)
    np.testing.assert_allclose(z.var(axis=0), z_variance(plain, power), rtol=1e-3)


def z_variance(plain, power):
    """Return the variances of z; that of the PCA is over n - 1."""
    n = 48
    return plain * (plain * n / (n - 1)) ** (-2 * power)


def test_components_without_variance_become_zero(make_reduced, images):
    """5 images span 4 directions: a fifth component is rounding."""
    embedder = make_reduced(whiten=0.5, d=5).fit(images[:5])
    z = embedder.transform(images)
    np.testing.assert_array_equal(z[:, 4], np.zeros(48))
    np.testing.assert_allclose(z[:5, :4].var(axis=0, ddof=1), 1, rtol=1e-3)


# Layouts, dtypes

WIDTHS = {"class averages": 2}
LAYOUTS = {
    "float64": lambda X: (X.astype(np.float64), {}),
    "int64": lambda X: (X.astype(np.int64), {}),
    "other byte order": lambda X: (X.astype(">f4"), {}),
    "list": lambda X: (list(X), {}),
    "channels last": lambda X: (X[..., None], {}),
    "channels first": lambda X: (X[:, None], {}),
    "flat": lambda X: (X.reshape(len(X), -1), {"image_shape": X.shape[1:]}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_the_same_pixels_give_the_same(make, images, layout):
    images = images[:, 2:14]
    X, parameters = LAYOUTS[layout](images)
    embedder = make(**parameters)
    z = embedder.fit_transform(X)
    np.testing.assert_allclose(z, make().fit_transform(images), atol=1e-4)
    shape = 48, WIDTHS.get(make.kind, 20)
    assert (type(z), z.dtype, z.shape) == (np.ndarray, np.float32, shape)
    assert embedder.n_features_in_ == 12 * 16
    assert embedder.image_shape_ == parameters.get("image_shape", np.shape(X)[1:])


@pytest.mark.parametrize("layout", ["first", "flat", "flat first"])
def test_layouts_of_the_same_colours_give_the_same(make, images, layout):
    last = np.stack([images, images // 2, 255 - images], axis=-1)
    first = np.ascontiguousarray(np.moveaxis(last, -1, 1))
    X = first if "first" in layout else last
    image_shape = X.shape[1:]
    X = X.reshape(len(X), -1) if "flat" in layout else X
    z = make(image_shape=image_shape).fit_transform(X)
    np.testing.assert_allclose(z, make().fit_transform(last), atol=1e-4)


# Inside scikit-learn's machinery


def test_pickle_and_clone(make, images):
    embedder = make().fit(images)
    z = embedder.transform(images)
    stored = pickle.loads(pickle.dumps(embedder))
    np.testing.assert_array_equal(stored.transform(images), z)
    copied = clone(embedder)
    with pytest.raises(NotFittedError):
        copied.transform(images)
    np.testing.assert_array_equal(copied.fit_transform(images), z)


def test_a_saved_embedder_comes_back_equal(make, images, tmp_path):
    embedder = make(image_shape=(16, 16)).fit(images)
    embedder.save(tmp_path / "model.safetensors")
    loaded = type(embedder).load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.transform(images), embedder.transform(images))
    assert loaded.get_params() == embedder.get_params()


@pytest.mark.usefixtures("repeated_warnings")
def test_read_only_arrays_are_no_obstacle(make, images, tmp_path):
    """As in a worker of joblib, to which large arrays come as memmaps."""
    embedder = make().fit(images)
    joblib.dump(embedder, tmp_path / "embedder.joblib")
    mapped = joblib.load(tmp_path / "embedder.joblib", mmap_mode="r")
    assert not mapped.background_.flags.writeable
    z = mapped.transform(images)
    np.testing.assert_array_equal(z, embedder.transform(images))
    mapped.save(tmp_path / "embedder.safetensors")


def test_pandas_output(make, images):
    z = make().fit_transform(images)
    framed = make().set_output(transform="pandas").fit_transform(images)
    assert isinstance(framed, pd.DataFrame)
    np.testing.assert_array_equal(framed.to_numpy(), z)
    with sklearn.config_context(transform_output="pandas"):
        configured = make().fit_transform(images)
    pd.testing.assert_frame_equal(configured, framed)


def test_clusterers_take_the_features(make, images):
    clusterer = SCANClusterer(
        3, fine_tune=False, n_neighbors=3, max_epochs=1, device="cpu", random_state=0
    )
    for last in clusterer, KMeans(3, n_init=1, random_state=0):
        labels = make_pipeline(make(), last).fit_predict(images)
        assert set(labels) <= {0, 1, 2}


@pytest.mark.usefixtures("generators_unchanged")
def test_global_generators_are_left_alone(make, images):
    z, again = (make().fit_transform(images) for _ in range(2))
    np.testing.assert_array_equal(z, again)


def test_names_of_features(make, images):
    embedder = make().fit(images)
    name = type(embedder).__name__.lower()
    names = [f"{name}{i}" for i in range(WIDTHS.get(make.kind, 20))]
    assert embedder.get_feature_names_out().tolist() == names


# Parameters that are set after the fit

LATER = {"d": 4, "whiten": 0.5, "power": 0.8, "invariance": "rotation"}
LATER_AVERAGES = {"n_averages": 4, "n_rotations": 8, "invariance": "rotation"}


@pytest.fixture
def later(make):
    return LATER_AVERAGES if make.kind == "class averages" else LATER


def test_parameters_set_after_the_fit_act_on_the_next_one(make, images, later):
    embedder = make().fit(images)
    z = embedder.transform(images)
    embedder.set_params(**later)
    np.testing.assert_array_equal(embedder.transform(images), z)
    expected = make(**later).fit_transform(images)
    np.testing.assert_array_equal(embedder.fit_transform(images), expected)


def test_a_file_holds_the_fit_and_the_parameters_set_after_it(
    make, images, later, tmp_path
):
    embedder = make().fit(images)
    z = embedder.transform(images)
    embedder.set_params(**later).save(tmp_path / "model.safetensors")
    loaded = type(embedder).load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.transform(images), z)
    assert loaded.get_params() == embedder.get_params()


def test_older_files_hold_no_parameters_of_the_fit(make_reduced, images):
    embedder = make_reduced(whiten=0.3).fit(images)
    part = embedder._dump(encoder_only=False)
    del part.spec["state"]["fitted_params"]
    loaded = make_reduced(whiten=0.3)
    loaded._restore(part, None)
    np.testing.assert_array_equal(loaded.transform(images), embedder.transform(images))


# Bad input


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (kind, name, value)
        for kind, row in FEATURE_EMBEDDERS.items()
        for name, values in row.bad.items()
        for value in values
    ],
)
def test_bad_parameter(kind, name, value, feature_makers, images):
    embedder = feature_makers[kind](**{name: value})
    with pytest.raises((ValueError, TypeError), match=rf"'{name}' param|\b{name}="):
        embedder.fit(images)
    with pytest.raises(NotFittedError):
        embedder.transform(images)


@pytest.mark.parametrize("kind", FEATURE_EMBEDDERS)
def test_every_parameter_has_a_bad_value(kind, feature_makers):
    assert set(FEATURE_EMBEDDERS[kind].bad) == set(feature_makers[kind]().get_params())


def test_a_device_without_float64(make, images, monkeypatch):
    """Apple's GPUs: PyTorch would complain of a dtype that nobody asked for."""
    monkeypatch.setattr(
        _untrained_embedder, "resolve_device", lambda _: torch.device("mps")
    )
    with pytest.raises(ValueError, match=r"device='mps' has no float64.*device='cpu'"):
        make(device="mps").fit(images)


BAD_IMAGES = {
    "nan": (lambda X: np.where(X.max() == X, np.nan, X), "X contains NaN, first in"),
    "small": (lambda X: X[:, :7], "7 x 16 pixels are too small.*Enlarge or pad"),
    "one image": (lambda X: X[:1], r"1 sample.*minimum of 2"),
    "one row of pixels": (lambda X: X[0, 0], "Reshape your data"),
}


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_bad_images(make, name, images):
    spoil, told = BAD_IMAGES[name]
    with pytest.raises(ValueError, match=f"(?s){told}"):
        make().fit(spoil(images.astype(float)))


def test_another_shape_than_at_fit(make, images):
    embedder = make().fit(images)
    told = r"Embedder was fitted on arrays of shape \(n, 16, 16\).*resize"
    with pytest.raises(ValueError, match=type(embedder).__name__[:4] + ".*" + told):
        embedder.transform(images[:, :12])


BACKGROUND = {"background": [1, 2]}


def test_a_refused_refit_leaves_the_earlier_fit(make, images):
    embedder = make().fit(images)
    z = embedder.transform(images)
    with pytest.raises(ValueError, match="too small"):
        embedder.fit(images[:, :7])
    np.testing.assert_array_equal(embedder.transform(images), z)
    refused = {"n_averages": 49} if make.kind == "class averages" else BACKGROUND
    with pytest.raises(ValueError, match=f"{next(iter(refused))}="):
        embedder.set_params(**refused).fit(images[:, :12])
    np.testing.assert_array_equal(embedder.transform(images), z)


def test_the_base_asks_for_its_hooks():
    with pytest.raises(TypeError, match="abstract"):
        FeatureEmbedder()
