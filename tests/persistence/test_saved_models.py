"""A saved model comes back equal, and a bad file is refused."""

import json
import os
import pickle
import stat
import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from torch import nn

from invariant_cluster import (
    IRLINREmbedder,
    PolarFourierEmbedder,
    SCANClusterer,
    SimCLREmbedder,
    load_model,
    save_model,
)

KEY = "invariant_cluster"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture(scope="module")
def fitted(make_embedder, make_clusterer, images):
    pipe = Pipeline([("embed", make_embedder()), ("cluster", make_clusterer())])
    return pipe.fit(images)


def make_trunk(n_channels, width=3):
    return nn.Sequential(
        nn.Conv2d(n_channels, width, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )


def parts_of(path):
    """Return the tensors and the metadata of a file."""
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, file.metadata()


def test_embedder_comes_back_equal(make_any_embedder, images, path):
    embedder = make_any_embedder().fit(images)
    embedder.save(path)
    loaded = type(embedder).load(path)
    assert loaded.get_params() == embedder.get_params()
    z = embedder.transform(images)
    np.testing.assert_array_equal(loaded.transform(images), z)
    for ours, theirs in zip(
        loaded.predict_pose(images), embedder.predict_pose(images), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert loaded.score(images) == embedder.score(images)
    pd.testing.assert_frame_equal(loaded.history_, embedder.history_)
    assert loaded.n_iter_ == embedder.n_iter_
    assert loaded.image_shape_ == embedder.image_shape_
    assert loaded.n_features_in_ == embedder.n_features_in_
    assert loaded.intensity_range_ == embedder.intensity_range_
    np.testing.assert_array_equal(loaded.background_, embedder.background_)


def test_pipeline_comes_back_equal(make_any_embedder, make_clusterer, images, path):
    steps = [("embed", make_any_embedder()), ("cluster", make_clusterer())]
    pipe = Pipeline(steps).fit(images)
    save_model(pipe, path)
    loaded = load_model(path)
    assert [name for name, _ in loaded.steps] == ["embed", "cluster"]
    np.testing.assert_array_equal(
        loaded.predict_proba(images), pipe.predict_proba(images)
    )
    assert loaded.score(images) == pipe.score(images)
    ours, theirs = loaded[-1], pipe[-1]
    assert ours.fine_tuned_
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    np.testing.assert_array_equal(ours.neighbors_, theirs.neighbors_)
    np.testing.assert_array_equal(ours.training_embedding_, theirs.training_embedding_)
    pd.testing.assert_frame_equal(ours.history_, theirs.history_)


@pytest.mark.parametrize("entropy_target", ["k-means", "uniform"])
def test_clusterer_of_plain_rows(make_clusterer, path, entropy_target):
    rows = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    clusterer = make_clusterer(
        fine_tune=False, entropy_target=entropy_target, n_heads=2
    )
    clusterer.fit(rows).save(path)
    loaded = SCANClusterer.load(path)
    np.testing.assert_array_equal(loaded.transform(rows), clusterer.transform(rows))
    assert loaded.score(rows) == clusterer.score(rows)
    assert loaded.encoder_ is None


@pytest.mark.parametrize("basis", ["samples", "zernike"])
def test_training_free_embedder(make_polar_embedder, images, path, basis):
    embedder = make_polar_embedder(radial_basis=basis, d=6).fit(images)
    embedder.save(path)
    loaded = PolarFourierEmbedder.load(path)
    np.testing.assert_array_equal(loaded.transform(images), embedder.transform(images))


def test_names_of_columns_are_kept(make_embedder, make_clusterer, images, path):
    table = pd.DataFrame(images.reshape(len(images), -1)).add_prefix("pixel_")
    pipe = Pipeline(
        [("embed", make_embedder()), ("cluster", make_clusterer(fine_tune=False))]
    ).fit(table)
    save_model(pipe, path)
    loaded = load_model(path)
    np.testing.assert_array_equal(loaded.predict(table), pipe.predict(table))
    assert list(loaded[0].feature_names_in_) == list(table.columns)
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(table.add_prefix("other_"))


@pytest.mark.parametrize("make_images", [np.asarray, lambda x: x / 255.0])
def test_colour_and_range(make_embedder, images, path, make_images):
    colour = np.stack([make_images(images)] * 3, axis=-1)
    colour[..., 0] = colour[..., 0] / 2
    embedder = make_embedder(align=False, decoder="mlp").fit(colour)
    embedder.save(path)
    loaded = load_model(path)
    np.testing.assert_array_equal(
        loaded.reconstruct(colour), embedder.reconstruct(colour)
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"symmetry_breaking": None},
        {"symmetry_breaking": "center_of_mass", "invariance": "rotation"},
        {"field_of_view": 0.7, "decoder": "pixels"},
        {"consistency": "cosine", "inr_hidden": np.array([4, 4])},
        {"random_state": np.random.RandomState(0), "background": [0.0]},
        {"background": pd.Series([0.0]), "intensity_range": range(0, 256, 255)},
    ],
)
def test_any_parameters(make_embedder, images, path, parameters):
    embedder = make_embedder(**parameters).fit(images)
    embedder.save(path)
    loaded = load_model(path)
    np.testing.assert_array_equal(
        loaded.reconstruct(images), embedder.reconstruct(images)
    )


def test_what_was_set_after_the_fit_does_not_change_the_network(
    make_embedder, images, path
):
    embedder = make_embedder().fit(images)
    embedder.set_params(d=7, verbose=1)
    embedder.save(path)
    loaded = load_model(path)
    assert (loaded.d, loaded.verbose) == (7, 1)
    assert loaded.transform(images).shape == (len(images), 4)


def test_callbacks_and_generators_are_left_out(make_embedder, images, path):
    from skorch.callbacks import Callback

    embedder = make_embedder(
        callbacks=[Callback()], random_state=np.random.RandomState(0)
    ).fit(images)
    embedder.save(path)
    loaded = load_model(path)
    assert loaded.callbacks is None
    assert loaded.random_state is None


def test_a_fresh_process_gives_equal_outputs(fitted, images, path, tmp_path):
    save_model(fitted, path)
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, numpy as np; from invariant_cluster import load_model;"
        "model = load_model(sys.argv[1]); images = np.load(sys.argv[2]);"
        "np.save(sys.argv[3], model.predict_proba(images))"
    )
    paths = [path, tmp_path / "images.npy", tmp_path / "out.npy"]
    subprocess.run([sys.executable, "-c", code, *map(str, paths)], check=True)
    found = np.load(tmp_path / "out.npy")
    np.testing.assert_allclose(found, fitted.predict_proba(images), atol=1e-6)


def test_loading_leaves_the_generators(fitted, path, generators_unchanged):
    save_model(fitted, path)
    load_model(path)


def test_saved_loaded_and_saved_again_is_the_same_file(fitted, path, tmp_path):
    save_model(fitted, path)
    save_model(load_model(path), tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_without_decoder_it_is_smaller_and_says_what_is_missing(
    make_any_embedder, images, path, tmp_path
):
    embedder = make_any_embedder().fit(images)
    embedder.save(path)
    small = tmp_path / "small.safetensors"
    embedder.save(small, encoder_only=True)
    assert small.stat().st_size < path.stat().st_size
    loaded = load_model(small)
    np.testing.assert_array_equal(loaded.transform(images), embedder.transform(images))
    loaded.canonicalize(images)
    with pytest.raises(NotFittedError, match="saved with encoder_only=True and has no"):
        loaded.score(images)
    loaded.save(path)
    again = load_model(path)
    np.testing.assert_array_equal(again.transform(images), embedder.transform(images))
    with pytest.raises(NotFittedError, match="encoder_only=True"):
        again.score(images)


def test_pipeline_without_decoder_still_clusters(fitted, images, path):
    save_model(fitted, path, encoder_only=True)
    np.testing.assert_array_equal(
        load_model(path).predict(images), fitted.predict(images)
    )


def test_a_loaded_encoder_can_be_fine_tuned(fitted, make_clusterer, images, path):
    save_model(fitted[0], path)
    loaded = load_model(path)
    ours = make_clusterer().fit(loaded.transform(images))
    theirs = make_clusterer().fit(fitted[0].transform(images))
    np.testing.assert_array_equal(ours.probabilities_, theirs.probabilities_)


def test_own_encoder_is_given_again(make_trunk_embedder, make_clusterer, images, path):
    pipe = Pipeline(
        [
            ("embed", make_trunk_embedder(encoder=make_trunk)),
            ("cluster", make_clusterer()),
        ]
    ).fit(images)
    save_model(pipe, path)
    with pytest.raises(ValueError, match=r"your own code.*encoder=make_trunk"):
        load_model(path)
    loaded = load_model(path, encoder=make_trunk)
    np.testing.assert_array_equal(loaded.predict(images), pipe.predict(images))
    with pytest.raises(ValueError, match="weights do not fit its description"):
        load_model(path, encoder=partial(make_trunk, width=4))


def test_warm_start_is_refused(make_embedder, images, path):
    make_embedder(warm_start=True).fit(images).save(path)
    loaded = load_model(path)
    with pytest.raises(ValueError, match="warm_start=True but this embedder was load"):
        loaded.fit(images)
    loaded.set_params(warm_start=False).fit(images)


def test_joblib_keeps_a_loaded_model(fitted, images, path):
    save_model(fitted, path)
    again = pickle.loads(pickle.dumps(load_model(path)))
    np.testing.assert_array_equal(again.predict(images), fitted.predict(images))


def test_unfitted_and_foreign_models_are_refused(
    make_embedder, make_clusterer, fitted, path
):
    for model in (make_embedder(), make_clusterer(), PolarFourierEmbedder()):
        with pytest.raises(NotFittedError):
            save_model(model, path)
    with pytest.raises(TypeError, match="model is KMeans, which a model file"):
        save_model(KMeans(), path)
    pipe = Pipeline([("embed", fitted[0]), ("kmeans", KMeans())])
    with pytest.raises(TypeError, match="step 'kmeans' is KMeans"):
        save_model(pipe, path)
    assert not path.exists()


class WithHook(IRLINREmbedder):
    """A user's own, with code as a parameter."""

    def __init__(self, d=4, *, hook=None, encoder_width=2, max_epochs=1):
        super().__init__(
            d,
            encoder_width=encoder_width,
            n_frequencies=4,
            inr_hidden=(4,),
            hypernetwork_hidden=(4,),
            max_epochs=max_epochs,
        )
        self.hook = hook


def test_subclasses_of_users_come_back_as_such(images, path):
    embedder = WithHook().fit(images)
    embedder.save(path)
    loaded = load_model(path)
    assert type(loaded) is WithHook
    np.testing.assert_array_equal(loaded.transform(images), embedder.transform(images))


@pytest.mark.parametrize(
    ("hook", "told"),
    [
        (np.tanh, r"hook=tanh of .*WithHook is code"),
        ({"a": 1}, r"hook={'a': 1} of .*WithHook cannot be saved"),
    ],
)
def test_parameters_without_a_form_are_named(images, path, hook, told):
    embedder = WithHook(hook=hook).fit(images)  # training does not mind
    with pytest.raises(TypeError, match=told):
        embedder.save(path)
    assert not path.exists()


def test_names_of_steps_are_free(make_embedder, make_clusterer, images, path):
    pipe = Pipeline([("a", make_embedder()), ("a/b", make_clusterer())]).fit(images)
    save_model(pipe, path)
    loaded = load_model(path)
    assert [name for name, _ in loaded.steps] == ["a", "a/b"]
    np.testing.assert_array_equal(loaded.predict(images), pipe.predict(images))


def test_encoders_of_older_versions_are_named(make_embedder, images, path):
    embedder = make_embedder().fit(images)
    del embedder.encoder_.blueprint
    with pytest.raises(ValueError, match="that of an older version"):
        embedder.save(path)


def test_load_of_another_class_is_refused(fitted, path):
    fitted[0].save(path)
    with pytest.raises(ValueError, match="holds IRLINREmbedder, not SimCLREmbedder"):
        SimCLREmbedder.load(path)
    save_model(fitted, path)
    with pytest.raises(ValueError, match="holds IRLINREmbedder, SCANClusterer, not I"):
        IRLINREmbedder.load(path)


def test_missing_folder_and_file_are_named(fitted, tmp_path):
    with pytest.raises(FileNotFoundError, match="folder that does not exist: create"):
        save_model(fitted, tmp_path / "none" / "model.safetensors")
    with pytest.raises(IsADirectoryError, match="is a folder: give the name of a file"):
        save_model(fitted, tmp_path)
    with pytest.raises(FileNotFoundError, match="is not a file: give the path of"):
        load_model(tmp_path / "none.safetensors")


def test_others_may_read_what_the_mask_allows(fitted, path):
    before = os.umask(0o022)
    try:
        save_model(fitted, path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_failed_save_leaves_the_old_file(fitted, path, tmp_path, monkeypatch):
    save_model(fitted, path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("invariant_cluster.persistence._model_file.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        save_model(fitted, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.9999])
def test_truncated_files_are_refused(fitted, path, share):
    save_model(fitted, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="is not a model file, or is truncated"):
        load_model(path)


def test_every_flipped_bit_is_seen(fitted, path):
    save_model(fitted, path)
    content = path.read_bytes()
    for place in np.random.default_rng(0).integers(8, len(content), 60):
        altered = bytearray(content)
        altered[place] ^= 1
        path.write_bytes(altered)
        with pytest.raises(ValueError, match=r"model\.safetensors.* is |was not"):
            load_model(path)


def test_altered_parameters_are_refused(fitted, path):
    save_model(fitted, path)
    tensors, metadata = parts_of(path)
    altered = metadata[KEY].replace('"n_neighbors": 3', '"n_neighbors": 4')
    assert altered != metadata[KEY]
    save_file(tensors, path, {KEY: altered})
    with pytest.raises(ValueError, match="is damaged or was altered: its checksum"):
        load_model(path)


def forge(path, change):
    """Alter the JSON of a file and mend the checksum, as an attacker could."""
    from invariant_cluster.persistence._model_file import _checksum

    tensors, metadata = parts_of(path)
    spec = json.loads(metadata[KEY].partition(" ")[2])
    change(spec)
    text = json.dumps(spec)
    save_file(tensors, path, {KEY: f"{_checksum(text, tensors)} {text}"})


@pytest.mark.parametrize("name", ["os.system", "ImageEmbedder", "Pipeline"])
def test_a_forged_file_names_no_other_code(fitted, path, name):
    save_model(fitted, path)
    forge(path, lambda spec: spec["parts"][0].update({"class": name}))
    with pytest.raises(ValueError, match=f"holds a {name}, which is unknown"):
        load_model(path)


FORGERIES = {
    "no parts": lambda spec: spec.update(parts=[]),
    "other parts": lambda spec: spec.update(parts={"a": 1}),
    "no format": lambda spec: spec.pop("format"),
    "a format in words": lambda spec: spec.update(format="one"),
    "no class": lambda spec: spec["parts"][0].pop("class"),
    "no state": lambda spec: spec["parts"][0].pop("state"),
    "no blueprint": lambda spec: spec["parts"][1].pop("blueprint"),
    "unknown parameter": lambda spec: spec["parts"][0]["parameters"].update(x=1),
    "bad width": lambda spec: spec["parts"][0]["blueprint"]["parameters"].update(d=-1),
    "huge width": lambda spec: spec["parts"][0]["blueprint"]["parameters"].update(
        d=2**40
    ),
    "huge text": lambda spec: spec["parts"][0]["parameters"].update(
        background={"array": [0], "dtype": "U300000000"}
    ),
    "no encoder": lambda spec: spec["parts"][0]["state"].update(left_out=["encoder"]),
    "a method": lambda spec: spec["parts"][0]["state"].update(left_out=["forward"]),
}


@pytest.mark.parametrize("change", FORGERIES.values(), ids=FORGERIES)
def test_forged_descriptions_are_refused(fitted, path, change):
    save_model(fitted, path)
    forge(path, change)
    with pytest.raises(ValueError, match=r"altered"):
        load_model(path)


def test_newer_formats_are_refused(fitted, path):
    save_model(fitted, path)
    forge(path, lambda spec: spec.update(format=99))
    with pytest.raises(ValueError, match="has format 99, but this version"):
        load_model(path)


def test_newer_versions_are_warned_of(fitted, images, path):
    save_model(fitted, path)
    forge(path, lambda spec: spec["versions"].update({"invariant-cluster": "99.1"}))
    with pytest.warns(
        UserWarning, match=r"was written by invariant-cluster 99\.1, but"
    ):
        loaded = load_model(path)
    np.testing.assert_array_equal(loaded.predict(images), fitted.predict(images))


def test_other_files_are_refused(path):
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ValueError, match="is not a model file"):
        load_model(path)
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="was not written by invariant_cluster"):
        load_model(path)


def test_a_device_that_is_not_here_becomes_auto(make_embedder, images, tmp_path):
    embedder = make_embedder().fit(images)
    z = np.asarray(embedder.transform(images))
    embedder.device = "cuda:7"
    embedder.save(tmp_path / "model")
    with pytest.warns(UserWarning, match="device='cuda:7' of the saved IRLINREmbedder"):
        loaded = load_model(tmp_path / "model")
    assert loaded.device == "auto"
    np.testing.assert_array_equal(loaded.transform(images), z)
