"""dask's threads, processes and workers give what the model gives."""

import os
import sys
import threading
import time

import joblib
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from invariant_cluster import PolarFourierEmbedder, SCANClusterer, save_model
from invariant_cluster.cli import main
from invariant_cluster.datasets import open_images
from invariant_cluster.metrics import silhouette_scorer
from invariant_cluster.out_of_core import predict_dask, predict_shards, read_shards

da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")
pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def client():
    """Two worker processes of one thread each."""
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    )
    with cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def model(make_embedder, make_clusterer, images):
    steps = [("embed", make_embedder()), ("cluster", make_clusterer())]
    return Pipeline(steps).fit(images)


@pytest.fixture(scope="module")
def cheap(images):
    kmeans = KMeans(3, n_init=1, random_state=0)
    steps = [("embed", PolarFourierEmbedder(d=4)), ("cluster", kmeans)]
    return Pipeline(steps).fit(images)


@pytest.fixture
def blocks(images):
    return da.from_array(images, chunks=(20, 8, -1))


@pytest.fixture
def stored(images, tmp_path):
    np.save(tmp_path / "images.npy", images)
    return open_images(tmp_path / "images.npy")


# predict_dask


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "score_samples"]
)
def test_outputs_are_the_models(model, images, blocks, method):
    result = predict_dask(model, blocks, method=method)
    expected = getattr(model, method)(images)
    assert result.shape == expected.shape
    assert result.dtype == expected.dtype
    assert result.chunks[0] == (20, 20, 8)
    np.testing.assert_allclose(result.compute(scheduler="sync"), expected, atol=1e-5)


def test_features_are_the_embedders(model, images, blocks):
    z = predict_dask(model[0], blocks, method="transform")
    assert z.shape == (48, 4)
    computed = z.compute(scheduler="threads", num_workers=2)
    np.testing.assert_allclose(computed, model[0].transform(images), atol=1e-5)
    assert z[30:40].compute(scheduler="sync").shape == (10, 4)


@pytest.mark.parametrize("form", ["channels", "flat"])
def test_other_forms_of_images(make_polar_embedder, images, form):
    given = {
        "channels": np.stack([images] * 3, axis=-1),
        "flat": images.reshape(len(images), -1),
    }[form]
    embedder = make_polar_embedder().fit(given)
    z = predict_dask(embedder, da.from_array(given, chunks=20), method="transform")
    np.testing.assert_allclose(z.compute(scheduler="sync"), embedder.transform(given))


@pytest.mark.parametrize(
    "scheduler",
    ["threads", pytest.param("processes", marks=pytest.mark.slow), "distributed"],
)
def test_schedulers_agree(cheap, images, blocks, client, scheduler):
    labels = predict_dask(cheap, blocks)
    computed = labels.compute(
        scheduler=client if scheduler == "distributed" else scheduler, num_workers=2
    )
    np.testing.assert_array_equal(computed, cheap.predict(images))


def test_a_model_file_is_read_by_the_workers(model, images, blocks, client, tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(model, path)
    labels = predict_dask(str(path), blocks)
    assert sum(len(str(task)) for task in dict(labels.dask).values()) < 10_000
    computed = labels.compute(scheduler=client)
    np.testing.assert_array_equal(computed, model.predict(images))


def test_a_changed_file_is_read_again(model, cheap, images, blocks, tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(model, path)
    before = predict_dask(path, blocks, method="predict_proba").compute()
    scan = SCANClusterer(2, n_neighbors=3, max_epochs=1, fine_tune=False)
    embedder = PolarFourierEmbedder(d=4)
    save_model(Pipeline([("e", embedder), ("c", scan)]).fit(images), path)
    after = predict_dask(path, blocks, method="predict_proba").compute()
    assert before.shape == (48, 3)
    assert after.shape == (48, 2)


def test_threads_do_not_share_a_model(model, blocks):
    """Each thread has a copy: two that share one would move it at the same time."""
    seen = {}
    transform = type(model[0]).transform

    def note(self, X):
        seen.setdefault(threading.get_ident(), set()).add(id(self))
        time.sleep(0.05)
        return transform(self, X)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(model[0]), "transform", note)
        z = predict_dask(model[0], blocks.rechunk((4, -1, -1)), method="transform")
        z.compute(scheduler="threads", num_workers=3)
    owners = [owner for owners in seen.values() for owner in owners]
    assert len(seen) >= 3
    assert len(set(owners)) == len(owners)
    assert id(model[0]) not in owners


def test_workers_compute_with_one_thread(model, blocks, client):
    def count():
        import torch

        return torch.get_num_threads()

    predict_dask(model, blocks).compute(scheduler=client)
    assert set(client.run(count).values()) == {1}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((4, 16, 16)), "images is a ndarray: give a dask array, such as"),
        (None, "images is a NoneType: give a dask array"),
    ],
)
def test_what_is_no_dask_array(cheap, given, message):
    with pytest.raises(TypeError, match=message):
        predict_dask(cheap, given)


def test_methods_that_are_not_there(cheap, blocks):
    with pytest.raises(ValueError, match="method='fit' is unknown: choose one of"):
        predict_dask(cheap, blocks, method="fit")
    with pytest.raises(ValueError, match="'predict_proba', but this Pipeline does not"):
        predict_dask(cheap, blocks, method="predict_proba")


def test_unknown_chunks(cheap, blocks):
    unknown = blocks[blocks[:, 8, 8] > 100]
    with pytest.raises(ValueError, match=r"unknown sizes.*call images\.compute_chunk"):
        predict_dask(cheap, unknown)


def test_dask_is_asked_for(cheap, blocks, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.array", None)
    with pytest.raises(
        ImportError, match=r"needs dask, which .*dask\[array\].*'scale'"
    ):
        predict_dask(cheap, blocks)


# predict_shards on workers


@pytest.mark.parametrize("given", ["client", "address"])
def test_workers_write_the_shards(model, images, stored, client, tmp_path, given):
    scheduler = client if given == "client" else client.scheduler.address
    folder = tmp_path / "clusters"
    paths = predict_shards(
        model, stored, folder, rows_per_shard=10, scheduler=scheduler
    )
    assert len(paths) == 5
    table = read_shards(folder)
    assert table["cluster"].tolist() == model.predict(images).tolist()
    predict_shards(model, stored, folder, rows_per_shard=10)  # the same run here
    assert client.status == "running"
    assert {path.name for path in folder.iterdir()} == {
        *(path.name for path in paths),
        "manifest.json",
    }


@pytest.fixture
def slow_workers(client):
    """The process ids of the workers, on which a block takes 0.3 s."""

    def slow_down():
        import os
        import time

        from sklearn.cluster import KMeans

        predict = KMeans.predict

        def slow(self, X):
            time.sleep(0.3)
            return predict(self, X)

        slow.before = predict
        KMeans.predict = slow
        return os.getpid()

    def speed_up():
        from sklearn.cluster import KMeans

        KMeans.predict = getattr(KMeans.predict, "before", KMeans.predict)

    yield list(client.run(slow_down).values())
    client.wait_for_workers(2)
    client.run(speed_up)


def test_a_killed_worker_costs_its_shard(
    cheap, images, stored, client, slow_workers, tmp_path
):
    folder = tmp_path / "clusters"
    written = {}

    def kill():
        while len(written) < 3:
            time.sleep(0.02)
            written.update((path, path.stat().st_mtime_ns) for path in find(folder))
        os.kill(slow_workers[0], 9)

    killer = threading.Thread(target=kill)
    killer.start()
    predict_shards(cheap, stored, folder, rows_per_shard=4, scheduler=client)
    killer.join()
    assert not is_running(slow_workers[0])
    assert len(written) < 10  # of 12: there was work left to lose
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert len(find(folder)) == 12
    table = read_shards(folder)
    assert table["cluster"].tolist() == cheap.predict(images).tolist()


def find(folder):
    return list(folder.glob("part-*.parquet"))


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_errors_of_workers_are_told(cheap, client, tmp_path):
    bad = np.zeros((12, 16, 16), dtype=np.float32)
    bad[7] = np.nan
    np.save(tmp_path / "bad.npy", bad)
    stored = open_images(tmp_path / "bad.npy")
    with pytest.raises(ValueError, match="image 7, cannot be used: none of its pixels"):
        predict_shards(
            cheap, stored, tmp_path / "new", rows_per_shard=5, scheduler=client
        )


def test_images_in_memory_are_not_sent(cheap, images, client, tmp_path):
    with pytest.raises(TypeError, match=r"is a ndarray, which would be sent.*open_ima"):
        predict_shards(cheap, images, tmp_path / "new", scheduler=client)


def test_distributed_is_asked_for(cheap, stored, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"needs distributed, which is not .*'scale'"):
        predict_shards(cheap, stored, tmp_path / "new", scheduler="tcp://127.0.0.1:1")


def test_the_command_line_takes_an_address(
    model, images, stored, client, tmp_path, monkeypatch
):
    pytest.importorskip("typer")
    save_model(model, tmp_path / "model.safetensors")
    monkeypatch.chdir(tmp_path)
    arguments = "predict model.safetensors images.npy --out clusters --shards"
    options = ["--rows-per-shard", "10", "--scheduler", client.scheduler.address]
    monkeypatch.setattr(
        sys, "argv", ["invariant-cluster", *arguments.split(), *options]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    table = read_shards("clusters")
    assert table["cluster"].tolist() == model.predict(images).tolist()


# Searches


def test_a_search_runs_on_the_workers(cheap, images, client):
    search = GridSearchCV(
        make_pipeline(PolarFourierEmbedder(d=4), KMeans(3, n_init=1)),
        {"kmeans__n_clusters": [2, 3], "kmeans__random_state": [0]},
        scoring=silhouette_scorer,
        cv=2,
    )
    here = search.fit(images).cv_results_["mean_test_score"]
    with joblib.parallel_config(backend="dask"):
        there = search.fit(images).cv_results_["mean_test_score"]
    np.testing.assert_allclose(there, here)
