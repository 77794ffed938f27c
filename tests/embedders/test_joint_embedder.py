"""Several spaces as one embedding: scales, names, nesting, and SCAN on all of them."""

import pickle

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import Callback

from invariant_cluster import (
    ImageEmbedding,
    JointEmbedder,
    PolarFourierEmbedder,
    cluster_report,
    load_model,
    save_model,
)
from invariant_cluster.clusterers import ClusteringData, imitate_heads
from invariant_cluster.inspection import find_step, named_steps_of, steps_of
from invariant_cluster.metrics import label_stability_scorer
from invariant_cluster.modules import ImageEncoder
from invariant_cluster.neighbors import mine_neighbors


@pytest.fixture
def make_joint(make_embedder, make_polar_embedder):
    """Return a maker of a learned space beside one without training."""

    def make(**parameters):
        members = [("learned", make_embedder()), ("rings", make_polar_embedder(d=6))]
        return JointEmbedder(members).set_params(**parameters)

    return make


@pytest.fixture
def joint(make_joint, images):
    return make_joint().fit(images)


@pytest.fixture
def make_pipe(make_joint, make_clusterer):
    def make(**parameters):
        steps = [("embed", make_joint()), ("cluster", make_clusterer())]
        return Pipeline(steps).set_params(**parameters)

    return make


def total_variance(rows):
    return rows.var(axis=0, dtype=np.float64).sum()


def test_spaces_have_equal_total_variance(joint, images):
    z = joint.transform(images)
    assert list(z.spaces) == ["learned", "rings"]
    assert z.shape == (len(images), 4 + 6)
    learned, rings = map(z.space, z.spaces)
    np.testing.assert_allclose(
        total_variance(learned), total_variance(rings), rtol=1e-4
    )


def test_weights_multiply_the_distances_of_a_space(make_joint, images):
    z = make_joint(weights=[2.0, 6.0]).fit_transform(images)
    ratio = total_variance(z.space("rings")) / total_variance(z.space("learned"))
    np.testing.assert_allclose(ratio, 9, rtol=1e-4)


@pytest.mark.parametrize("order", [["learned", "rings"], ["rings", "learned"]])
def test_the_learned_columns_are_the_encoder_s_output(make_joint, images, order):
    joint = make_joint()
    joint.embedders = [(name, dict(joint.embedders)[name]) for name in order]
    z = joint.fit_transform(images)
    alone = joint.named_embedders_["learned"].transform(images)
    np.testing.assert_array_equal(z.space("learned"), alone)
    assert z.encoded == "learned"
    assert z.encoder is alone.encoder


def test_fit_transform_equals_transform(make_joint, images):
    joint = make_joint()
    first, again = joint.fit_transform(images), joint.transform(images)
    np.testing.assert_array_equal(first, again)
    assert dict(first.spaces) == dict(again.spaces)


def test_without_a_network_the_first_space_keeps_its_scale(make_polar_embedder, images):
    members = [("a", make_polar_embedder(d=3)), ("b", make_polar_embedder(d=5))]
    joint = JointEmbedder(members).fit(images)
    z = joint.transform(images)
    np.testing.assert_array_equal(
        z.space("a"), joint.named_embedders_["a"].transform(images)
    )
    assert z.encoder is None


def test_the_given_embedders_stay_unfitted(make_joint, images):
    joint = make_joint()
    joint.fit(images)
    assert not hasattr(dict(joint.embedders)["learned"], "net_")


@pytest.mark.filterwarnings("ignore:.* images are blank")
def test_a_space_without_variance_does_no_harm(make_joint, images):
    constant = np.full_like(images, 7)
    z = np.asarray(make_joint().fit_transform(constant))
    assert np.isfinite(z).all()


def test_nested_parameters_and_clone(make_joint):
    joint = make_joint(learned__d=7, rings__power=0.25)
    copy = clone(joint)
    assert copy.get_params()["learned__d"] == 7
    assert dict(copy.embedders)["learned"] is not dict(joint.embedders)["learned"]
    joint.set_params(rings=PCA(2))
    assert isinstance(dict(joint.embedders)["rings"], PCA)


def test_grid_search_over_a_member(make_pipe, images):
    search = GridSearchCV(
        make_pipe(cluster__fine_tune=False),
        {"embed__learned__d": [3, 5]},
        scoring=label_stability_scorer,
        cv=2,
    ).fit(images)
    fitted = search.best_estimator_["embed"].named_embedders_["learned"]
    assert fitted.encoder_.d == search.best_params_["embed__learned__d"]


@pytest.mark.parametrize(
    ("embedders", "message"),
    [
        ([], "must be a list of one or more pairs"),
        (None, "must be a list of one or more pairs"),
        ([("a", "b", "c")], "must be a list of one or more pairs"),
        ([("a", object())], "must be a list of one or more pairs"),
        ([("a", PCA)], "must be a list of one or more pairs"),
        ([("a", PCA()), ("a", PCA())], "not unique"),
        ([("a__b", PCA())], "must not contain __"),
        ([("weights", PCA())], "conflict"),
    ],
)
def test_bad_embedders(images, embedders, message):
    with pytest.raises(ValueError, match=message):
        JointEmbedder(embedders).fit(images)


def test_errors_of_an_embedder_without_training_come_first(
    make_joint, images, no_training
):
    joint = make_joint(rings__n_orders=99)
    with pytest.raises(ValueError, match="n_orders=99"):
        joint.fit(images)


@pytest.mark.parametrize(
    "features",
    [
        lambda X: X.mean(axis=(1, 2)),
        lambda X: X.mean(axis=2)[:5],
        lambda X: X.mean(axis=2) * np.nan,
        lambda X: X.astype(str)[:, 0],
        lambda X: csr_array(X[:, 0]),
    ],
    ids=["1-D", "too few", "NaN", "text", "sparse"],
)
def test_bad_features_name_their_embedder(joint, images, features):
    before = np.asarray(joint.transform(images))
    joint.set_params(rings=FunctionTransformer(features))
    with pytest.raises(ValueError, match=r"The output of embedder 'rings' (has|holds)"):
        joint.fit(images)
    np.testing.assert_array_equal(joint.transform(images), before)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], r"weights has shape \(1,\)"),
        ([1.0, 0.0], "must be positive: leave out"),
        ([1.0, -1.0], "must be positive"),
        ([1.0, np.nan], "holds NaN"),
        ("ab", "weights has shape"),
    ],
)
def test_bad_weights(make_joint, images, weights, message, no_training):
    with pytest.raises(ValueError, match=message):
        make_joint(weights=weights).fit(images)


def test_a_failed_refit_leaves_the_earlier_one(joint, images):
    before = np.asarray(joint.transform(images))
    with pytest.raises(ValueError, match="NaN"):
        joint.fit(np.full(images.shape, np.nan))
    np.testing.assert_array_equal(joint.transform(images), before)


class StopsTraining(Callback):
    """Ctrl-C in the first step."""

    def on_batch_begin(self, net, **kwargs):
        raise KeyboardInterrupt


@pytest.mark.parametrize("is_nested", [False, True])
def test_ctrl_c_keeps_the_network_as_far_as_it_is_trained(
    make_joint, images, is_nested
):
    joint = make_joint(learned__callbacks=[StopsTraining()])
    if is_nested:
        joint = JointEmbedder([("inner", joint)])
    with pytest.raises(KeyboardInterrupt):
        joint.fit(images)
    assert joint.transform(images).shape == (len(images), 4 + 6)
    assert isinstance(joint.transform(images).encoder, ImageEncoder)


def test_ctrl_c_in_another_embedder_leaves_the_earlier_fit(joint, images):
    def interrupt(X):
        raise KeyboardInterrupt

    before = np.asarray(joint.transform(images))
    joint.set_params(rings=FunctionTransformer(interrupt, validate=False))
    with pytest.raises(KeyboardInterrupt):
        joint.fit(images)
    np.testing.assert_array_equal(joint.transform(images), before)


def test_configured_output_does_not_take_the_encoder_away(make_joint, images):
    joint = make_joint()
    dict(joint.embedders)["learned"].set_output(transform="pandas")
    expected = joint.fit_transform(images)
    assert expected.encoded == "learned"
    with config_context(transform_output="pandas"):
        frame = joint.transform(images)
        refitted = clone(joint).fit(images)
    np.testing.assert_array_equal(frame, expected)
    assert refitted.transform(images).encoded == "learned"


def test_poses_and_drawings_are_those_of_the_learned_space(joint, images):
    learned = joint.named_embedders_["learned"]
    for mine, its in zip(
        joint.predict_pose(images), learned.predict_pose(images), strict=True
    ):
        np.testing.assert_array_equal(mine, its)
    for method in ("canonicalize", "reconstruct"):
        np.testing.assert_array_equal(
            getattr(joint, method)(images), getattr(learned, method)(images)
        )
    assert joint.intensity_range_ == learned.intensity_range_


def test_an_embedder_of_ones_own_need_not_tell_sizes(images):
    class WithPoses(PolarFourierEmbedder):
        def predict_pose(self, X, *, learned=True):
            return np.zeros(len(X)), np.zeros((len(X), 2))

    joint = JointEmbedder([("rings", WithPoses(d=4))]).fit(images)
    theta, tau = joint.predict_pose(images)
    assert theta.shape == (len(images),)
    assert tau.shape == (len(images), 2)


def test_without_poses_there_are_no_methods_for_them(make_polar_embedder):
    joint = JointEmbedder([("rings", make_polar_embedder())])
    for method in ("predict_pose", "canonicalize", "reconstruct"):
        assert not hasattr(joint, method)


def test_a_fitted_embedder_can_be_used_as_it_is(make_embedder, images):
    fitted = make_embedder().fit(images)
    joint = JointEmbedder([("learned", FrozenEstimator(fitted))]).fit(images)
    assert joint.transform(images).encoder is fitted.encoder_


def test_names_of_features(joint):
    names = joint.get_feature_names_out()
    assert len(names) == 10
    assert names[0] == "learned__irlinrembedder0"
    assert names[-1] == "rings__polarfourierembedder5"


@pytest.mark.parametrize("store", ["pickle", "file"])
def test_storage(joint, images, tmp_path, store):
    if store == "pickle":
        loaded = pickle.loads(pickle.dumps(joint))
    else:
        joint.save(tmp_path / "joint.safetensors")
        loaded = JointEmbedder.load(tmp_path / "joint.safetensors")
    z, again = joint.transform(images), loaded.transform(images)
    np.testing.assert_array_equal(z, again)
    assert dict(z.spaces) == dict(again.spaces)
    assert again.encoded == "learned"
    assert loaded.get_params()["rings__d"] == 6


def test_members_of_other_packages_cannot_be_saved(make_joint, images, tmp_path):
    rows = images.reshape(len(images), -1)
    joint = make_joint(rings=PCA(2)).fit(rows)
    with pytest.raises(TypeError, match="'rings' is PCA, which a model file cannot"):
        joint.save(tmp_path / "joint.safetensors")


def test_rows_keep_their_spaces(joint, images):
    some = joint.transform(images)[3:5]
    assert isinstance(some, ImageEmbedding)
    assert some.encoded == "learned"
    assert some.space("rings").shape == (2, 6)


def test_scan_mines_neighbours_in_all_spaces(make_pipe, images):
    pipe = make_pipe().fit(images)
    z = pipe["embed"].transform(images)
    np.testing.assert_array_equal(pipe["cluster"].neighbors_, mine_neighbors(z, 3))


def test_scan_fine_tunes_the_learned_encoder(make_pipe, images):
    pipe = make_pipe().fit(images)
    scan = pipe["cluster"]
    assert scan.fine_tuned_
    assert scan.encoder_.d == scan.net_.module_.heads.weight.shape[-1] == 4
    assert scan.n_features_in_ == 10
    np.testing.assert_array_equal(pipe.predict(images), scan.labels_)


def test_fine_tuning_starts_from_heads_that_imitate_those_of_all_spaces(
    make_pipe, images
):
    pipe = make_pipe(cluster__fine_tune=False).fit(images)
    z, scan = pipe["embed"].transform(images), pipe["cluster"]
    rows, module = np.array(z), scan.net_.module_
    data = ClusteringData(rows, z.images, z.encoder, z.encoded_columns)
    with torch.no_grad():
        wanted = module(torch.from_numpy(rows)).exp().transpose(0, 1).numpy()
    expected = imitate_heads(rows[:, z.encoded_columns], wanted)
    tuned = scan._with_encoder(module, data)
    assert tuned.encoder is z.encoder
    learned = torch.from_numpy(rows[:, z.encoded_columns])
    with torch.no_grad():  # an optimum is flat: weights differ more than what they say
        found, wanted = tuned.heads(learned).exp(), expected(learned).exp()
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=0)


def test_prediction_with_a_tuned_encoder_needs_no_other_space(
    make_pipe, images, monkeypatch
):
    pipe = make_pipe().fit(images)
    rings = pipe["embed"].named_embedders_["rings"]
    monkeypatch.setattr(rings, "transform", None)
    assert pipe.predict(images).shape == (len(images),)


def test_a_joint_embedder_may_be_a_member(make_joint, make_pipe, images):
    nested = JointEmbedder([("last", PCA(2)), ("inner", make_joint())])
    rows = images.reshape(len(images), -1)
    pipe = make_pipe(embed=nested, cluster__n_rounds=2).fit(rows)
    z = pipe["embed"].transform(rows)
    assert z.encoded == "inner__learned"
    assert list(z.spaces) == ["last", "inner", "inner__learned", "inner__rings"]
    alone = pipe["embed"].named_embedders_["inner"].named_embedders_["learned"]
    np.testing.assert_array_equal(z.space(z.encoded), alone.transform(rows))
    np.testing.assert_array_equal(pipe.predict(rows), pipe["cluster"].labels_)


def test_all_members_are_found(make_joint, images):
    nested = JointEmbedder([("inner", make_joint())])
    pipe = Pipeline([("embed", nested)]).fit(images)
    names = ["embed", "embed__inner", "embed__inner__learned", "embed__inner__rings"]
    assert [name for name, _ in named_steps_of(pipe)] == names
    assert find_step(pipe, images, "draw")[0] is steps_of(pipe)[2]


def test_nested_spaces_are_saved(make_joint, images, tmp_path):
    nested = JointEmbedder([("inner", make_joint())]).fit(images)
    nested.save(tmp_path / "nested.safetensors")
    again = JointEmbedder.load(tmp_path / "nested.safetensors").transform(images)
    z = nested.transform(images)
    np.testing.assert_array_equal(z, again)
    assert dict(again.spaces) == dict(z.spaces)
    assert again.encoded == "inner__learned"


def test_heads_alone_use_all_spaces(make_pipe, images):
    scan = make_pipe(cluster__fine_tune=False).fit(images)["cluster"]
    assert scan.net_.module_.heads.weight.shape[-1] == 10


def test_later_rounds_mine_in_the_joint_space(make_pipe, images):
    one = make_pipe().fit(images)["cluster"].neighbors_
    two = make_pipe(cluster__n_rounds=2).fit(images)["cluster"].neighbors_
    assert (one != two).any()


def test_a_pipeline_is_saved_whole(make_pipe, images, tmp_path):
    pipe = make_pipe().fit(images)
    save_model(pipe, tmp_path / "pipe.safetensors")
    loaded = load_model(tmp_path / "pipe.safetensors")
    np.testing.assert_array_equal(
        loaded.predict_proba(images), pipe.predict_proba(images)
    )


def test_a_report_shows_the_members(make_pipe, images, tmp_path):
    pipe = make_pipe().fit(images)
    page = cluster_report(pipe, images, path=tmp_path / "report.html")
    text = page.read_text(encoding="utf-8")
    assert "embed__learned" in text
    assert "PolarFourierEmbedder" in text
