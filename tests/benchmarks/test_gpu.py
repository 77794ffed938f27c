"""The GPU's command on a CPU: it ends in time, goes on, and a failure stops nothing."""

import json
import signal
import time
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.gpu import on_cpu, smoke, speed, train
from benchmarks.gpu.__main__ import main
from benchmarks.gpu.images import make_images, make_split
from benchmarks.gpu.log import FAILED, OK, SKIPPED, Log, TimeUpError, limited
from benchmarks.gpu.models import Subject, list_subjects, parts_of, set_device
from benchmarks.gpu.report import summarize
from benchmarks.scales import get_settings
from invariant_cluster import PolarFourierEmbedder

SETTINGS = get_settings("mnist-u", "smoke")
SIDE = 16


@pytest.fixture(scope="module")
def images():
    return make_images(40, SIDE)[0]


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "gpu.jsonl")


def soon(seconds=60.0):
    return time.monotonic() + seconds


def make_subjects(images, *names):
    return [s for s in list_subjects("cpu", images) if s.name in names]


def statuses(log, stage):
    return {check: r["status"] for (of, check), r in log.records.items() if of == stage}


# The log


def test_log_keeps_what_is_done_and_tries_again_what_failed(tmp_path, capsys):
    path, done = tmp_path / "gpu.jsonl", []

    def fail():
        done.append("failed")
        raise RuntimeError("broken")

    def work():
        done.append("worked")
        return {"answer": 42}

    log = Log(path)
    assert log.run("s", "good", work, soon()) == {"answer": 42}
    assert log.run("s", "bad", fail, soon()) is None
    assert "RuntimeError: broken" in log.records["s", "bad"]["error"]
    again = Log(path)
    assert again.run("s", "good", work, soon()) == {"answer": 42}
    assert again.run("s", "bad", work, soon()) == {"answer": 42}
    assert done == ["worked", "failed", "worked"]
    assert (again.count(OK), again.count(FAILED)) == (2, 0)
    assert len(path.read_text().splitlines()) == 3
    assert "s | bad | error | RuntimeError: broken" in capsys.readouterr().out


def test_log_closes_a_torn_line(tmp_path):
    path = tmp_path / "gpu.jsonl"
    path.write_text('{"stage": "s", "che')
    Log(path).add("s", "good")
    assert Log(path).get("s", "good") == {}


def test_check_is_broken_off_at_its_time(log):
    start = time.monotonic()
    log.run("s", "endless", lambda: time.sleep(60), soon(0.1))
    assert time.monotonic() - start < 5
    assert log.records["s", "endless"]["status"] == SKIPPED
    log.run("s", "late", lambda: {}, soon(-1))
    assert log.records["s", "late"]["status"] == SKIPPED


def test_time_limit_gives_an_outer_timer_back():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append("outer"))
    outer = signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(TimeUpError), limited(0.05):
            time.sleep(5)
        assert not rung
        time.sleep(0.6)
        assert rung == ["outer"]
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *outer)


# Smoke


def test_every_estimator_of_the_package_is_tried(images):
    import invariant_cluster

    bases = {"ImageEmbedder", "EmbeddingClusterer"}
    expected = {
        name
        for name in invariant_cluster.__all__
        if name.endswith(("Embedder", "Clusterer")) and name not in bases
    }
    names = [subject.name for subject in list_subjects("cpu", images)]
    assert len(set(names)) == len(names)
    tried = set()
    for subject in make_subjects(images, *names[:10]):  # embedders: not one is trained
        tried.add(type(subject._fit.__self__).__name__)
    assert tried | {"SCANClusterer", "TEMIClusterer"} == expected
    assert {"make_pipeline", "SCAN, heads", "TEMI, heads"} <= set(names)
    for known in (smoke.LEARNED, smoke.EXPORTED, *smoke.ONLY.values()):
        assert set(known) <= set(names)


def test_learned_embedder_and_clusterer_pass_all_checks(log, images, tmp_path):
    subjects = make_subjects(images, "IRL-INR, mlp", "SCAN, fine-tuning")
    smoke.run_smoke(log, "cpu", tmp_path, soon(), subjects)
    found = statuses(log, smoke.STAGE)
    assert set(found.values()) == {OK}, log.records
    of_embedder = [check for check in found if check.startswith("IRL-INR")]
    assert len(of_embedder) == len(smoke.CHECKS)
    assert log.get(smoke.STAGE, "pickles on a CPU")["models"] == 2
    assert log.get(smoke.STAGE, "IRL-INR, mlp: place")["tensors"] > 100


def test_failing_estimator_stops_no_other(log, images, tmp_path):
    def fail(images):
        raise ValueError("cannot be fitted")

    good = Subject("polar Fourier", PolarFourierEmbedder(device="cpu").fit, images)
    smoke.run_smoke(log, "cpu", tmp_path, soon(), [Subject("bad", fail, images), good])
    for check, status in statuses(log, smoke.STAGE).items():
        assert status == (FAILED if check.startswith("bad") else OK)
    assert "cannot be fitted" in log.records[smoke.STAGE, "bad: joblib"]["error"]
    summary = "\n".join(summarize(log))
    assert "- error: smoke, bad: fit: ValueError: cannot be fitted" in summary


def test_output_that_differs_fails(images):
    subject = SimpleNamespace(output=np.ones((2, 2)), model=PolarFourierEmbedder())
    assert smoke.compare(subject, np.ones((2, 2)) + 5e-4)["largest_difference"] > 4e-4
    with pytest.raises(AssertionError, match=r"differs by 0\.002, more than 0\.001"):
        smoke.compare(subject, np.ones((2, 2)) + 2e-3)
    large = SimpleNamespace(output=np.full((2, 2), 100.0), model=subject.model)
    smoke.compare(large, np.full((2, 2), 100.05))


def test_tensors_elsewhere_are_named(images):
    (subject,) = make_subjects(images, "Spatial-VAE")
    module = subject.model.net_.module_
    subject.model.net_.module_ = module.to("meta")
    with pytest.raises(AssertionError, match=r"not on the CPU: .*SpatialVAEEmbedder"):
        smoke.assert_on_cpu(subject.model)


def test_device_is_set_in_all_parts(images):
    (subject,) = make_subjects(images, "joint")
    parts = parts_of(set_device(subject.model, "cpu:0"))
    assert [member.device for member in parts.embedders] == ["cpu:0", "cpu:0"]


def test_pickle_that_does_not_load_is_told(tmp_path, images):
    subject = Subject("rings", PolarFourierEmbedder(device="cpu").fit, images)
    smoke.write_pickle(subject, tmp_path)
    (tmp_path / "pickles" / "bad.pickle").write_bytes(b"no pickle")
    np.savez(tmp_path / "pickles" / "bad.npz", images=images, output=subject.output)
    gaps = on_cpu.compare_all(tmp_path / "pickles")
    assert gaps["rings"] == 0
    assert "UnpicklingError" in gaps["bad"]


def test_pickles_that_were_lost_before_they_were_read_are_made_again(
    log, images, tmp_path
):
    rings = PolarFourierEmbedder(device="cpu").fit
    subjects = [Subject(name, rings, images) for name in ("lost", "kept")]
    for subject in subjects:
        log.add(smoke.STAGE, f"{subject.name}: pickle")
    smoke.write_pickle(subjects[1], tmp_path)
    smoke.forget_lost_pickles(log, subjects, tmp_path)
    assert log.get(smoke.STAGE, "lost: pickle") is None
    assert log.get(smoke.STAGE, "kept: pickle") == {}
    log.add(smoke.STAGE, smoke.READING)
    smoke.forget_lost_pickles(log, [subjects[0]], tmp_path / "elsewhere")
    assert log.get(smoke.STAGE, "kept: pickle") == {}


def test_pickles_are_read_at_the_end_if_there_was_no_time(
    log, images, tmp_path, monkeypatch
):
    monkeypatch.setattr(smoke, "read_pickles", lambda *_: {"models": 1})
    monkeypatch.setattr(smoke, "EXPORTED", ())
    smoke.run_rest(log, "cpu", tmp_path, soon())
    assert log.ended(smoke.STAGE, smoke.READING) is None
    log.add(smoke.STAGE, smoke.READING, SKIPPED, error="no time left")
    smoke.run_rest(log, "cpu", tmp_path, soon())
    assert log.get(smoke.STAGE, smoke.READING) == {"models": 1}


def test_encoder_is_exported(log, images, tmp_path):
    pytest.importorskip("onnxscript")
    (subject,) = make_subjects(images, "Spatial-VAE")
    smoke.run_rest(log, "cpu", tmp_path, soon(), [subject])
    assert log.get(smoke.STAGE, "Spatial-VAE: export_onnx")["bytes"] > 1000


# Profile and training


@pytest.fixture
def few_steps(monkeypatch):
    """Let the profile take few steps, so that no test hangs on the time it has."""
    monkeypatch.setattr(speed, "N_STEPS", 3)
    monkeypatch.setattr(speed, "_N_TRACED", 1)
    monkeypatch.setattr(speed, "_N_PARTED", 2)


def test_profile_measures_each_stage(log, images, few_steps):
    speed.run_speed(log, "cpu", SETTINGS, images, soon())
    for name in ("embedding", "fine-tuning"):
        found = log.get(speed.STAGE, name)
        assert found["images_a_second"] * found["seconds_a_step"] == pytest.approx(
            found["batch"]
        )
        assert found["steps"] == 3
        assert 8 <= found["seen_side"] <= SIDE
        assert found["operations_a_step"] > 100
        assert 0 < found["share_of_measured_float32"] < 1
        assert found["synchronisations_a_step"] > 0
    assert log.get(speed.STAGE, "heads")["seconds_a_step"] > 0


def test_broken_probe_leaves_what_was_found_before(monkeypatch, images, few_steps):
    def fail(self, n_done):
        raise RuntimeError("no such counter")

    monkeypatch.setattr(speed.Flops, "conclude", fail)
    options = {"device": "cpu", "random_state": 0}
    found = speed.profile_embedding(SETTINGS, images, options, {}, 60.0)
    assert "no such counter" in found["broken_off_by"]
    assert found["images_a_second"] > 0
    assert "parts" in found
    assert "tflop_a_step" not in found


def test_waits_are_those_of_the_device():
    trace = {"cudaStreamSynchronize": 2, "cudaDeviceSynchronize": 1}
    trace |= {"aten::_local_scalar_dense": 5, "aten::nonzero": 1}
    assert speed.count_waits(trace, "cuda") == 3
    assert speed.count_waits(trace, "cpu") == 6


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.5, 1), (10.0, 1), (35.0, 3), (1e6, 100)]
)
def test_epochs_fit_the_time(seconds, expected):
    assert train.fit_epochs(seconds, 0.1, n_steps=100, most=100) == expected


def test_images_fit_the_time_of_an_epoch():
    assert train.fit_images(10.0, 0.1, batch_size=32, n_images=10_000) == 3200
    assert train.fit_images(1e6, 0.1, batch_size=32, n_images=10_000) == 10_000
    assert train.fit_images(0.0, 0.1, batch_size=32, n_images=10_000) == 64


@pytest.fixture
def profiled(log):
    """A log with the seconds a step that the plans need."""
    log.add("profile", "embedding", facts={"seconds_a_step": 0.02})
    return log


def train_small(log, folder, **parameters):
    settings = SETTINGS._replace(embedder={**SETTINGS.embedder, **parameters})
    split = make_split(64, 32, SIDE)
    train.run_train(log, "cpu", settings, split, folder, soon())


def test_training_tells_the_accuracy_of_each_stage(profiled, tmp_path):
    train_small(profiled, tmp_path / "kept")
    assert set(statuses(profiled, train.STAGE).values()) == {OK}
    told = {check: facts for (_, check), facts in facts_of(profiled).items()}
    assert 0 <= told["IRL-INR, epoch 1"]["test_purity"] <= 1
    for check in ("heads, epoch 1", "fine-tuning, epoch 1", "clustering"):
        assert 1 / 3 <= told[check]["test_accuracy"] <= 1
    names = {path.name for path in (tmp_path / "kept").iterdir()}
    assert names == {"embedder.model", "clusterer.model"}


def facts_of(log):
    return {key: record["facts"] for key, record in log.records.items()}


def test_training_goes_on_in_the_middle_of_an_epoch(profiled, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "_STORE_EVERY", 0.0)
    monkeypatch.setattr(train, "_TELL_EVERY", 0.0)
    tell, n_told = train.TellAccuracy.tell, []

    def tell_twice(self, net):
        n_told.append(len(net.history))
        if len(n_told) == 3:
            raise TimeUpError
        tell(self, net)

    monkeypatch.setattr(train.TellAccuracy, "tell", tell_twice)
    train_small(profiled, tmp_path, max_epochs=4)
    assert statuses(profiled, train.STAGE)["embedding"] == SKIPPED
    train_small(Log(profiled.path), tmp_path, max_epochs=9)
    assert n_told[:4] == [1, 2, 3, 4]  # the third was over; the plan stays
    assert Log(profiled.path).get(train.STAGE, "embedding")["epochs"] == 4


def test_clustering_goes_on_with_the_kept_embedder(profiled, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "SCANClusterer", None)
    train_small(profiled, tmp_path)
    assert statuses(profiled, train.STAGE)["plan of the clustering"] == FAILED
    monkeypatch.undo()
    monkeypatch.setattr(train.Training, "embed", None)
    again = Log(profiled.path)
    train_small(again, tmp_path)
    assert again.get(train.STAGE, "clustering")["test_accuracy"] >= 1 / 3


def test_training_without_a_profile_says_what_to_do(log, tmp_path):
    train_small(log, tmp_path)
    error = log.records[train.STAGE, "plan of the embedding"]["error"]
    assert "run the stage 'profile' first" in error


# The command


def test_command_goes_on_where_it_stopped(tmp_path, capsys, data_folder, few_steps):
    out = tmp_path / "out"
    command = ["--device", "cpu", "--out", str(out), "--data", str(data_folder)]
    assert main([*command, "--minutes", "0.001"]) == 0
    assert (out / "summary.md").read_text() in capsys.readouterr().out
    stages = ["--stages", "profile", "train", "--resume"]
    assert main([*command, "--minutes", "2", *stages]) == 0
    lines = (out / "gpu.jsonl").read_text().splitlines()
    assert "MNIST(U)" in json.loads(lines[0])["facts"]["images"]
    assert "| clustering | test accuracy" in capsys.readouterr().out
    assert main([*command, "--minutes", "2", *stages]) == 0
    assert len((out / "gpu.jsonl").read_text().splitlines()) == len(lines) + 1
    assert (out / "work").exists()  # with pickles that are still to be read


def test_command_tells_of_a_failure_by_its_status(tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("no peak")

    monkeypatch.setattr(speed, "find_peaks", fail)
    command = ["--device", "cpu", "--out", str(tmp_path), "--stages", "profile"]
    assert main([*command, "--minutes", "0.02"]) == 1
    assert (
        "- error: profile, peaks: RuntimeError: no peak"
        in (tmp_path / "summary.md").read_text()
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--device", "cuda:99"], "device='cuda:99' is not available here"),
        (["--device", "cpu", "--data", "nowhere"], "'nowhere' is no folder"),
    ],
)
def test_command_refuses_what_is_not_there(tmp_path, option, message):
    with pytest.raises(SystemExit, match=message):
        main(["--out", str(tmp_path), *option])
