"""What users see of every clusterer."""

import warnings

import joblib
import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from torch import nn

from invariant_cluster import EmbeddingClusterer
from invariant_cluster.modules import ClusterHeads, ScanModule
from invariant_cluster.training import HeadsNet, ScanObjective, Stage


@pytest.fixture(scope="module")
def rows():
    """60 plain rows of 6 values in three clusters."""
    return make_blobs(60, n_features=6, centers=3, random_state=0)[0]


@pytest.fixture(scope="module")
def embedding(make_embedder, images):
    # Long enough for the statistics of batch normalisation to settle.
    return make_embedder(max_epochs=15, lr=3e-3).fit(images).transform(images)


@pytest.fixture
def make_head(make_any_clusterer):
    """Return a maker of clusterers that train heads alone."""
    return lambda n_clusters=3, **parameters: make_any_clusterer(
        n_clusters, fine_tune=False, **parameters
    )


@pytest.fixture(params=["plain rows", "images"])
def kind(request, make_head, make_any_clusterer, rows, embedding):
    """Both ways to train: a maker of clusterers, and what to fit them on."""
    if request.param == "images":
        return make_any_clusterer, embedding
    return make_head, rows


def test_predictions_on_the_training_rows_are_the_labels(kind):
    make, X = kind
    clusterer = make().fit(X)
    np.testing.assert_array_equal(clusterer.predict(X), clusterer.labels_)
    np.testing.assert_allclose(
        clusterer.predict_proba(X), clusterer.probabilities_, rtol=1e-5
    )
    np.testing.assert_array_equal(make().fit_predict(X), clusterer.labels_)


def test_float64_lists_and_frames_are_rows(make_head, rows):
    pandas = pytest.importorskip("pandas")
    labels = make_head().fit(rows.astype(np.float32)).labels_
    for other in [rows, rows.tolist(), pandas.DataFrame(rows).rename(columns=str)]:
        np.testing.assert_array_equal(make_head().fit_predict(other), labels)


def test_neighbors_equal_their_naive_twin(make_head, rows):
    """By cosine after subtracting the mean; never oneself; nearest first."""
    centred = rows - rows.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    expected = np.sort(cosines, axis=1)[:, ::-1][:, :4]
    clusterer = make_head(n_neighbors=4).fit(rows)
    found = clusterer.neighbors_
    assert clusterer.neighbors_recall_ == 1
    np.testing.assert_allclose(
        np.take_along_axis(cosines, found, axis=1), expected, atol=1e-6
    )


def test_feature_names_out(make_head, rows):
    clusterer = make_head(2).fit(rows)
    prefix = type(clusterer).__name__.lower()
    assert clusterer.get_feature_names_out().tolist() == [f"{prefix}0", f"{prefix}1"]


def test_plain_rows_warn_once_with_auto(make_any_clusterer, embedding):
    clusterer = make_any_clusterer(fine_tune="auto")
    with pytest.warns(UserWarning, match=r"fine_tune='auto'.*fine_tune=False") as told:
        clusterer.fit(np.asarray(embedding))
    assert len(told) == 1
    assert clusterer.fine_tuned_ is False
    assert clusterer.encoder_ is None


def test_plain_rows_are_silent_when_meant(make_any_clusterer, embedding):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_any_clusterer(fine_tune=False).fit(np.asarray(embedding))
        make_any_clusterer(fine_tune="auto").fit(embedding)


def test_silent_by_default(kind, capsys):
    make, X = kind
    make().fit(X)
    assert capsys.readouterr() == ("", "")


def test_a_seed_decides_everything(kind):
    make, X = kind
    first = make(random_state=3).fit(X).probabilities_
    torch.manual_seed(99)
    np.testing.assert_array_equal(make(random_state=3).fit(X).probabilities_, first)
    assert not np.array_equal(make(random_state=4).fit(X).probabilities_, first)


POOR_ROWS = {
    "constant": np.full((30, 4), 3.0),
    "zero": np.zeros((30, 4)),
    "duplicates": np.repeat([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]], 15, axis=0),
    "one column": np.linspace(0, 1, 30)[:, None],
    "huge": np.random.default_rng(0).normal(size=(30, 4)) * 1e30,
    "tiny": np.random.default_rng(0).normal(size=(30, 4)) * 1e-30,
    "as many clusters as rows": np.random.default_rng(0).normal(size=(3, 4)),
}


@pytest.mark.parametrize("name", POOR_ROWS)
def test_poor_rows_train_and_predict(name, make_head):
    X = POOR_ROWS[name]
    clusterer = make_head(n_neighbors=2).fit(X)
    assert np.isfinite(clusterer.history_["loss"]).all()
    assert np.isfinite(clusterer.probabilities_).all()


@pytest.mark.parametrize("n_rows", [16, 17, 31, 5])
def test_any_number_of_rows(n_rows, make_head, rows):
    """A batch of 16 and nothing, one row or 15 left over; less than one batch."""
    clusterer = make_head(2).fit(rows[:n_rows])
    assert clusterer.labels_.shape == (n_rows,)


@pytest.mark.usefixtures("repeated_warnings")
def test_read_only_arrays_are_no_obstacle(make_head, rows, tmp_path):
    """As in a worker of joblib, to which large arrays come as memmaps."""
    clusterer = make_head().fit(rows)
    joblib.dump(clusterer, tmp_path / "clusterer.joblib")
    mapped = joblib.load(tmp_path / "clusterer.joblib", mmap_mode="r")
    assert not mapped.probabilities_.flags.writeable
    assert mapped.score(rows) == clusterer.score(rows)
    mapped.save(tmp_path / "clusterer.safetensors")


def test_at_rest_the_net_is_on_the_cpu(make_any_clusterer, embedding):
    clusterer = make_any_clusterer(device="auto").fit(embedding)
    clusterer.predict(embedding)
    tensors = clusterer.net_.module_.state_dict().values()
    assert {tensor.device.type for tensor in tensors} == {"cpu"}


@pytest.mark.parametrize("precision", ["auto", "float32", "bfloat16"])
def test_precision(precision, kind):
    make, X = kind
    clusterer = make(precision=precision).fit(X)
    assert clusterer.probabilities_.dtype == np.float32
    np.testing.assert_allclose(clusterer.probabilities_.sum(axis=1), 1, rtol=1e-4)


def test_a_file_holds_all_of_it(kind, tmp_path):
    make, X = kind
    clusterer = make().fit(X)
    clusterer.save(tmp_path / "clusterer.safetensors")
    loaded = type(clusterer).load(tmp_path / "clusterer.safetensors")
    np.testing.assert_array_equal(loaded.transform(X), clusterer.transform(X))
    np.testing.assert_array_equal(loaded.score_samples(X), clusterer.score_samples(X))
    np.testing.assert_array_equal(loaded.labels_, clusterer.labels_)


# The base


class MeansClusterer(EmbeddingClusterer):
    """What a subclass must define, and no more."""

    def _stages(self, data):
        centroids = torch.eye(self.n_clusters_, data.z.shape[1])[None]
        heads = ClusterHeads(torch.from_numpy(data.z.mean(axis=0)), 1.0, centroids)
        module = ScanModule(nn.Identity(), heads)
        settings = {"lr": 1e-3, "max_epochs": 1, "terms": ("consistency", "entropy")}
        net = self._make_net(
            HeadsNet, module, ScanObjective(1.0), stage="heads", **settings
        )
        yield Stage("heads", net, data.z, self.neighbors_)


def test_a_clusterer_without_a_loss_is_scored_by_classes_alone(rows):
    clusterer = MeansClusterer(3, fine_tune=False, n_neighbors=3).fit(rows)
    assert clusterer.score(rows, clusterer.labels_) == 1.0
    with pytest.raises(NotImplementedError, match=r"y=None.*MeansClusterer.*_loss_of"):
        clusterer.score(rows)
