import warnings

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline

from invariant_cluster import (
    ClassAverageEmbedder,
    DriftWarning,
    IRLINREmbedder,
    JointEmbedder,
    PolarFourierEmbedder,
    ScatteringEmbedder,
    check_drift,
    cluster_report,
    load_model,
    save_model,
)
from invariant_cluster.datasets import load_oriented_digits, load_wafer_maps
from invariant_cluster.metrics import invariance_scorer
from invariant_cluster.out_of_core import predict_shards

SPOILERS = {
    "divided by 255": lambda x: (x / 255).astype(np.float32),
    "times 257": lambda x: x.astype(np.uint16) * 257,
    "standardised": lambda x: ((x - x.mean()) / x.std()).astype(np.float32),
    "inverted": lambda x: x.max() - x,
    "a third as bright": lambda x: x * np.float32(0.33),
    "half as bright": lambda x: x * np.float32(0.5),
    "another background": lambda x: (x // 2 + 100).astype(np.uint8),
    "100 added": lambda x: x.astype(np.uint16) + 100,
    "camera": lambda x: 20 + 0.5 * x + np.random.default_rng(0).normal(0, 10, x.shape),
    "half the size": lambda x: shrink(x),
}


def shrink(images):
    n, side = len(images), images.shape[1]
    small = np.zeros_like(images)
    quarter = slice(side // 4, side // 4 + side // 2)
    blocks = images.reshape(n, side // 2, 2, side // 2, 2).mean(axis=(2, 4))
    small[:, quarter, quarter] = blocks
    return small


def data_sets():
    digits = load_oriented_digits(size=16).images
    # 255 is a failing die: its units can be mistaken.
    wafers = 255 * load_wafer_maps(fail_map=True).images
    return {"digits": digits, "bright digits": 255 - digits // 2, "wafers": wafers}


@pytest.fixture(scope="module")
def fitted():
    models = {}
    for name, images in data_sets().items():
        embedder = PolarFourierEmbedder(d=16, random_state=0).fit(images[:1200])
        models[name] = embedder, images[1200:]
    return models


def is_told(model, images):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.transform(images)
    return [str(w.message) for w in told if issubclass(w.category, DriftWarning)]


def test_spoilt_inputs_are_told(fitted):
    missed = [
        (name, case)
        for name, (model, images) in fitted.items()
        for case, spoil in SPOILERS.items()
        if not is_told(model, spoil(images))
    ]
    assert len(missed) <= 1, missed


def test_honest_batches_are_not(fitted):
    rng = np.random.default_rng(0)
    told = [
        (name, size)
        for name, (model, images) in fitted.items()
        for size in (1, 5, 20, 100, 300) * 3
        if is_told(model, images[rng.choice(len(images), size, replace=False)])
    ]
    assert len(told) <= 1, told


@pytest.fixture(scope="module")
def pipe(fitted):
    images = data_sets()["digits"][:300]
    joint = JointEmbedder(
        [
            ("polar", PolarFourierEmbedder(d=8, random_state=0)),
            ("scattering", ScatteringEmbedder(d=8, random_state=0)),
        ]
    )
    return Pipeline([("embed", joint), ("cluster", KMeans(3, random_state=0))]).fit(
        images
    )


def test_one_warning_for_all_spaces(pipe):
    images = data_sets()["digits"][1200:]
    with pytest.warns(DriftWarning, match="divided by 255") as told:
        pipe.predict(images / 255)
    assert len(told) == 1


def test_the_table_of_a_joint_embedder_has_z_of_each_space(pipe):
    images = data_sets()["digits"][1200:]
    table = check_drift(pipe, 255 - images)
    assert table["drifted"]["background"]
    z = [aspect for aspect in table.index if aspect.endswith("training images")]
    assert z == [
        "unlike all training images",
        "z unlike that of all training images",
        "scattering: z unlike that of all training images",
    ]
    assert not check_drift(pipe, images)["drifted"].any()


@pytest.mark.parametrize(
    "embedder",
    [
        PolarFourierEmbedder(d=8, random_state=0),
        ScatteringEmbedder(d=8, random_state=0),
        ClassAverageEmbedder(2, n_rotations=8, n_starts=1, n_iterations=1, side=8),
        IRLINREmbedder.light().set_params(
            d=4, max_epochs=1, encoder_width=2, random_state=0, align=True
        ),
    ],
    ids=lambda embedder: type(embedder).__name__,
)
def test_a_saved_model_tells_the_same(embedder, tmp_path):
    images = data_sets()["digits"]
    embedder.fit(images[:200])
    save_model(embedder, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    new = images[300:400] + 60
    before, after = check_drift(embedder, new), check_drift(loaded, new)
    assert before["drifted"].any()
    np.testing.assert_allclose(
        before.to_numpy(float), after.to_numpy(float), rtol=1e-4, atol=1e-6
    )
    with pytest.warns(DriftWarning):
        np.asarray(loaded.transform(new))
    if hasattr(loaded, "predict_pose"):
        with pytest.warns(DriftWarning):
            loaded.predict_pose(new)


def test_a_report_tells_once_and_not_of_the_copies_it_turns(pipe, tmp_path):
    images = data_sets()["digits"][1200:1260]
    cluster_report(pipe, images, path=tmp_path / "honest.html")
    with pytest.warns(DriftWarning):
        cluster_report(pipe, 255 - images, path=tmp_path / "inverted.html")


def test_shards_tell_once(pipe, tmp_path):
    pytest.importorskip("pyarrow")
    images = 255 - data_sets()["digits"][:120]
    with pytest.warns(DriftWarning) as told:
        predict_shards(pipe, images, tmp_path, rows_per_shard=30)
    assert len(told) == 1


def test_scores_of_turned_copies_do_not_warn(fitted):
    model, images = fitted["digits"]
    assert np.isfinite(invariance_scorer(model, images[:100]))


def test_a_model_without_reference_tells_nothing(fitted):
    model = PolarFourierEmbedder(d=4, random_state=0)
    images = data_sets()["digits"][:60]
    model.fit(images)
    model.reference_ = None  # as in files of older versions
    assert check_drift(model, 255 - images).empty
    assert is_told(model, 255 - images) == []


def test_models_without_an_embedder_are_refused():
    model = Pipeline([("pca", PCA(2)), ("cluster", KMeans(2))])
    with pytest.raises(ValueError, match="has no embedder of this package: give an"):
        check_drift(model, np.zeros((3, 8, 8)))
