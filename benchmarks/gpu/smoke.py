"""Stage (a): every estimator does on the device what it does on a CPU."""

import copy
import importlib.util
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import torch
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from skorch.callbacks import Callback
from torch import Tensor, nn

from benchmarks.gpu.images import make_images
from benchmarks.gpu.log import SKIPPED, Log
from benchmarks.gpu.models import (
    N_EPOCHS,
    N_IMAGES,
    SCANS,
    SIDE,
    TEMIS,
    Subject,
    compute,
    list_subjects,
    parts_of,
    set_device,
)
from benchmarks.machine import ROOT
from invariant_cluster import load_model, save_model
from invariant_cluster.runtime import resolve_device

STAGE = "smoke"
READING = "pickles on a CPU"
TOLERANCE = 1e-3  # of z between devices, in parts of its root mean square if above 1
PROBABILITY_TOLERANCE = 1e-2  # heads are steep: log-probabilities are large sums of z
POSE_TOLERANCE = 1e-2  # in radians and pixels
LOSS_TOLERANCE = 0.05  # of an epoch's loss, between two trainings in half precision
_SAME_DEVICE = 1e-4  # the order of sums may differ from call to call
_PICKLES = "pickles"


def run_smoke(
    log: Log, device: str, folder: Path, stop_at: float, subjects: Any = None
) -> None:
    """Check all estimators; a check that fails or has no time stops no other."""
    subjects = subjects or default_subjects(device)
    folder.mkdir(parents=True, exist_ok=True)
    forget_lost_pickles(log, subjects, folder)
    for subject in subjects:
        for name, check in CHECKS.items():
            if can_do(name, subject.name):
                run_one(log, subject, name, check, folder, stop_at)
    log.run(STAGE, READING, lambda: read_pickles(folder, stop_at), stop_at)


def forget_lost_pickles(log: Log, subjects: list[Subject], folder: Path) -> None:
    """Let pickles be made again that were not loaded yet and are not there."""
    if log.get(STAGE, READING) is None:
        for subject in subjects:
            if not pickle_of(subject, folder).exists():
                log.forget(STAGE, f"{subject.name}: pickle")


def pickle_of(subject: Subject, folder: Path) -> Path:
    """Return the file of a subject's pickle."""
    return folder / _PICKLES / f"{file_name(subject)}.pickle"


def run_rest(
    log: Log, device: str, folder: Path, stop_at: float, subjects: Any = None
) -> None:
    """Load the pickles if there was no time to, then export every kind of encoder.

    Exports are slow, and left out where what they need is not installed.
    """
    if log.ended(STAGE, READING) == SKIPPED:
        log.run(STAGE, READING, lambda: read_pickles(folder, stop_at), stop_at)
    if not has_onnx():
        return
    for subject in subjects or default_subjects(device):
        if subject.name in EXPORTED:
            run_one(log, subject, "export_onnx", check_onnx, folder, stop_at)


def default_subjects(device: str) -> list[Subject]:
    """Return every estimator, on the same images."""
    images, _ = make_images(N_IMAGES, SIDE)
    return list_subjects(device, images)


def run_one(
    log: Log,
    subject: Subject,
    name: str,
    check: Callable[[Subject, Path], dict[str, Any]],
    folder: Path,
    stop_at: float,
) -> None:
    """Run a check of a subject."""
    log.run(STAGE, f"{subject.name}: {name}", lambda: check(subject, folder), stop_at)


def check_fit(subject: Subject, folder: Path) -> dict[str, Any]:
    """Fit, and compute something finite."""
    shape = subject.output.shape
    assert np.isfinite(subject.output).all(), "output is not finite"
    assert shape[0] == len(subject.images), f"{shape} for {len(subject.images)} images"
    return {"columns": shape[1]}


def check_place(subject: Subject, folder: Path) -> dict[str, Any]:
    """Find all parameters and the optimiser's state on the CPU after the fit."""
    return assert_on_cpu(subject.model)


def check_agreement(subject: Subject, folder: Path) -> dict[str, Any]:
    """Compare the device's output with that of the same model on the CPU."""
    on_cpu = compute(set_device(copy.deepcopy(subject.model), "cpu"), subject.images)
    return compare(subject, on_cpu)


def check_poses(subject: Subject, folder: Path) -> dict[str, Any]:
    """Compare poses of the device with those of the CPU."""
    theta, tau = subject.model.predict_pose(subject.images)
    on_cpu = set_device(copy.deepcopy(subject.model), "cpu")
    theta_cpu, tau_cpu = on_cpu.predict_pose(subject.images)
    turned = np.abs(np.angle(np.exp(1j * (theta - theta_cpu)))).max()
    moved = np.abs(tau - tau_cpu).max()
    facts = {"largest_angle": float(turned), "largest_shift": float(moved)}
    assert max(turned, moved) <= POSE_TOLERANCE, f"poses differ: {facts}"
    return facts


def check_reconstruction(subject: Subject, folder: Path) -> dict[str, Any]:
    """Draw the images."""
    drawn = subject.model.reconstruct(subject.images)
    assert drawn.shape == subject.images.shape, f"drew {drawn.shape}"
    assert np.isfinite(drawn).all(), "a drawing is not finite"
    return {}


def check_scores(subject: Subject, folder: Path) -> dict[str, Any]:
    """Score the fit and, where a model can, each image."""
    scores = {
        name: float(np.mean(getattr(subject.model, name)(subject.images)))
        for name in ("score", "score_samples")
        if hasattr(subject.model, name)
    }
    assert np.isfinite(list(scores.values())).all(), f"{scores}"
    return scores


def check_save(subject: Subject, folder: Path) -> dict[str, Any]:
    """Save and load; the loaded model gives the same on the device."""
    path = folder / f"{file_name(subject)}.model"
    save_model(subject.model, path)
    loaded = load_model(path)
    found = compare(subject, compute(loaded, subject.images), _SAME_DEVICE)
    for estimator in (*parts_of(subject.model).clusterers, subject.model):
        if hasattr(estimator, "save"):
            estimator.save(path)
            type(estimator).load(path)
    path.unlink()
    return found


def check_joblib(subject: Subject, folder: Path) -> dict[str, Any]:
    """Store by joblib and load again in this process."""
    path = folder / f"{file_name(subject)}.joblib"
    joblib.dump(subject.model, path)
    loaded = joblib.load(path)
    path.unlink()
    return check_copy(subject, loaded)


def check_deepcopy(subject: Subject, folder: Path) -> dict[str, Any]:
    """Copy in memory."""
    return check_copy(subject, copy.deepcopy(subject.model))


def check_copy(subject: Subject, model: Any) -> dict[str, Any]:
    """Find a copy on the CPU, giving the same on the device."""
    assert_on_cpu(model)
    return compare(subject, compute(model, subject.images), _SAME_DEVICE)


def check_warm_start(subject: Subject, folder: Path) -> dict[str, Any]:
    """Train a copy for one more fit."""
    model = copy.deepcopy(subject.model).set_params(warm_start=True)
    n_before = model.n_iter_
    model.fit(subject.images)
    assert model.n_iter_ > n_before, f"{model.n_iter_} epochs after {n_before}"
    return {"epochs": model.n_iter_, **assert_on_cpu(model)}


def check_replay(subject: Subject, folder: Path) -> dict[str, Any]:
    """Train once as is and once with steps whose kernels are launched one by one.

    On a GPU the steps of the first training are replayed from a recording, with the
    same random numbers.
    """
    watch = WatchGraphs()
    losses = [refit(subject, callback) for callback in (watch, LaunchSteps())]
    gap = float(np.abs(losses[0] / losses[1] - 1).max())
    facts = {"stages_replayed": watch.n_replayed, "largest_loss_ratio": gap}
    on_gpu = resolve_device(last_step(subject.model).device).type == "cuda"
    assert not on_gpu or watch.n_replayed == watch.n_stages, f"not replayed: {facts}"
    assert gap <= LOSS_TOLERANCE, f"losses differ by {gap:.2g} of them"
    return facts


class WatchGraphs(Callback):
    """Counts the stages of training whose steps are replayed."""

    def __init__(self) -> None:
        self.n_stages = self.n_replayed = 0

    def on_train_begin(self, net: Any, **_: Any) -> None:
        self.n_stages += 1
        self.n_epochs = 0

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        self.n_epochs += 1
        if self.n_epochs == N_EPOCHS:
            self.n_replayed += getattr(net.steps_, "recording", None) is not None


class LaunchSteps(Callback):
    """Lets the steps run as they are, not as a recorded graph."""

    def on_epoch_begin(self, net: Any, **_: Any) -> None:
        net.steps_ = net.run_step


def refit(subject: Subject, callback: Callback) -> np.ndarray:
    """Return the losses of all epochs of an unfitted copy's training."""
    model, rows = subject.model, subject.images
    if isinstance(model, Pipeline):
        rows = model[:-1].transform(rows)
    last = clone(last_step(model)).set_params(callbacks=[callback])
    return np.asarray(last.fit(rows).history_["loss"])


def last_step(model: Any) -> Any:
    """Return the estimator itself, or the clusterer of a Pipeline."""
    return model[-1] if isinstance(model, Pipeline) else model


def check_encoder(subject: Subject, folder: Path) -> dict[str, Any]:
    """Use ``encoder_`` as a module on the CPU, where the package says it lies."""
    encoder = subject.model.encoder_.eval()
    with torch.inference_mode():
        z = encoder(torch.from_numpy(subject.images[:, None])).numpy()
    return compare(subject, z)


def check_onnx(subject: Subject, folder: Path) -> dict[str, Any]:
    """Export, and run the export if there is a runtime."""
    path = folder / f"{file_name(subject)}.onnx"
    subject.model.export_onnx(path)
    size = path.stat().st_size
    try:
        import onnxruntime  # type: ignore[import-untyped]
    except ImportError:
        return {"bytes": size}
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (z,) = session.run(["z"], {"images": subject.images.astype(np.float32)})
    return {"bytes": size, **compare(subject, z)}


def write_pickle(subject: Subject, folder: Path) -> dict[str, Any]:
    """Pickle the model beside what it gives, for ``read_pickles``."""
    path, data = pickle_of(subject, folder), pickle.dumps(subject.model)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    np.savez(path.with_suffix(".npz"), images=subject.images, output=subject.output)
    return {"bytes": len(data)}


def read_pickles(folder: Path, stop_at: float) -> dict[str, Any]:
    """Load all pickles in a process that sees no GPU; return how far each is off."""
    code = "import sys, benchmarks.gpu.on_cpu as it; it.main(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / _PICKLES)],
        cwd=ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=max(1.0, stop_at - time.monotonic()),
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, "\n".join(done.stderr.splitlines()[-8:])
    gaps = json.loads(lines[-1])
    wrong = {name: gap for name, gap in gaps.items() if isinstance(gap, str)}
    assert not wrong, f"{wrong}"
    assert gaps, "there were no pickles: each failed before"
    too_far = {name: gap for name, gap in gaps.items() if gap > PROBABILITY_TOLERANCE}
    assert not too_far, f"differ by {too_far}"
    return {"models": len(gaps), "largest_difference": max(gaps.values())}


def compare(
    subject: Subject, other: np.ndarray, tolerance: float | None = None
) -> dict[str, Any]:
    """Return how far an output is from the subject's; raise if that is too far."""
    if tolerance is None:
        is_pipeline = bool(parts_of(subject.model).clusterers)
        tolerance = PROBABILITY_TOLERANCE if is_pipeline else TOLERANCE
    gap = difference(subject.output, other)
    assert gap <= tolerance, f"differs by {gap:.2g}, more than {tolerance:g}"
    return {"largest_difference": gap}


def difference(first: np.ndarray, second: np.ndarray) -> float:
    """Return the largest difference, in parts of the root mean square if above 1."""
    scale = max(1.0, float(np.sqrt(np.square(first, dtype=np.float64).mean())))
    return float(np.abs(first - second).max()) / scale


def assert_on_cpu(model: Any) -> dict[str, Any]:
    """Raise if a tensor of a fitted model lies elsewhere; return how many there are."""
    tensors = dict(named_tensors(model))
    astray = [name for name, tensor in tensors.items() if tensor.device.type != "cpu"]
    assert not astray, f"{len(astray)} of {len(tensors)} not on the CPU: {astray[:5]}"
    return {"tensors": len(tensors)}


def named_tensors(model: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors that the nets of a model hold."""
    parts = parts_of(model)
    for estimator in (*parts.embedders, *parts.clusterers):
        net, title = getattr(estimator, "net_", None), type(estimator).__name__
        modules = {
            "module": getattr(net, "module_", None),
            "criterion": getattr(net, "criterion_", None),
            "teacher": getattr(net, "teacher_", None),
            "encoder": getattr(estimator, "encoder_", None),
        }
        for name, module in modules.items():
            if isinstance(module, nn.Module):
                for key, tensor in module.state_dict().items():
                    yield f"{title}.{name}.{key}", tensor
        optimizer = getattr(net, "optimizer_", None)
        for index, state in enumerate(getattr(optimizer, "state", {}).values()):
            for key, tensor in state.items():
                if isinstance(tensor, Tensor):
                    yield f"{title}.optimizer.{index}.{key}", tensor


def file_name(subject: Subject) -> str:
    """Return a name for a subject's files."""
    return subject.name.replace(", ", "-").replace(" ", "-")


def has_onnx() -> bool:
    """Tell whether what the export needs is installed."""
    return all(importlib.util.find_spec(name) for name in ("onnx", "onnxscript"))


CHECKS: dict[str, Callable[[Subject, Path], dict[str, Any]]] = {
    "fit": check_fit,
    "place": check_place,
    "agreement with the CPU": check_agreement,
    "poses": check_poses,
    "reconstruction": check_reconstruction,
    "scores": check_scores,
    "save and load": check_save,
    "joblib": check_joblib,
    "deepcopy": check_deepcopy,
    "warm start": check_warm_start,
    "replay": check_replay,
    "encoder_": check_encoder,
    "pickle": write_pickle,
}
GENERATIVE = (
    "IRL-INR, hypernetwork",
    "IRL-INR, mlp",
    "IRL-INR, pixels",
    "TARGET-VAE",
    "Spatial-VAE",
)
LEARNED = (*GENERATIVE, "SimCLR")
# The encoder of the other decoders is the same.
EXPORTED = ("IRL-INR, hypernetwork", "SimCLR", "TARGET-VAE", "Spatial-VAE")
# Checks that only some subjects can do; the others are for all.
ONLY = {
    "poses": (*LEARNED, "joint"),
    "reconstruction": GENERATIVE,
    "warm start": LEARNED,
    "replay": (*LEARNED, *SCANS, *TEMIS),
    "encoder_": LEARNED,
}


def can_do(check: str, subject: str) -> bool:
    """Tell whether a check is for a subject."""
    return subject in ONLY.get(check, (subject,))
