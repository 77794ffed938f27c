"""Stage (c): all stages of training, as many epochs as the time allows."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from skorch.callbacks import Callback

from benchmarks.checkpoints import ResumeTraining, stage_of
from benchmarks.data import Split
from benchmarks.gpu.log import Log
from benchmarks.machine import peak_memory
from benchmarks.scales import Settings
from invariant_cluster import IRLINREmbedder, SCANClusterer
from invariant_cluster.metrics import clustering_accuracy_score, neighbor_purity_score
from invariant_cluster.runtime import map_batches, resolve_device

STAGE = "train"
_STORE_EVERY = 60.0  # seconds
_TELL_EVERY = 20.0
_MOST_TOLD = 2000  # test images
# Parts of the time that is left: the rest is for neighbours, k-means and transforms.
_EMBEDDING_SHARE = 0.5
_TUNING_SHARE = 0.5
_HEADS_SHARE = 0.15
# What a step takes at most, in parts of that of another stage, if it was not measured.
_INSTEAD = {"fine-tuning": (("embedding", 1.0),), "heads": (("embedding", 0.2),)}


class TellAccuracy(Callback):
    """Writes a line about the test images at ends of epochs.

    Parameters
    ----------
    log : Log
    images : ndarray of shape (n, h, w)
    labels : ndarray of shape (n,)
    z : ndarray of shape (n, d), optional
        What heads alone are given.
    """

    def __init__(
        self,
        log: Log,
        images: np.ndarray,
        labels: np.ndarray,
        z: np.ndarray | None = None,
    ) -> None:
        self.log = log
        self.images = images[:_MOST_TOLD]
        self.labels = labels[:_MOST_TOLD]
        self.z = None if z is None else z[:_MOST_TOLD]

    def __getstate__(self) -> dict[str, Any]:
        """Return nothing: a fitted model is stored without its test images."""
        return {}

    def on_train_begin(self, net: Any, **_: Any) -> None:
        self.told_at_ = time.monotonic()
        self.n_epochs_ = len(net.history) + net.max_epochs

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        is_last = len(net.history) == self.n_epochs_
        if is_last or time.monotonic() - self.told_at_ >= _TELL_EVERY:
            self.tell(net)
            self.told_at_ = time.monotonic()

    def tell(self, net: Any) -> None:
        stage, epoch = stage_of(net), len(net.history)
        loss = net.history[-1]["train_loss"]
        found = self.measure(net)
        self.log.add(
            STAGE,
            f"{stage}, epoch {epoch}",
            facts={"of_epochs": self.n_epochs_, "loss": float(loss), **found},
        )

    @torch.no_grad()
    def measure(self, net: Any) -> dict[str, float]:
        """Return what the test images say of a net in training."""
        module, device = net.module_, torch.device(net.device)
        has_heads = hasattr(module, "heads")
        rows = self.images[:, None] if hasattr(module.encoder, "aligner") else self.z
        assert rows is not None
        function = (lambda x: module(x)[0]) if has_heads else module.encoder
        module.eval()
        try:
            with torch.compiler.set_stance("force_eager"):  # not worth compiling for
                output = map_batches(function, rows, device=device)
        finally:
            module.train()
        if has_heads:
            return {"test_accuracy": accuracy(self.labels, output.argmax(axis=1))}
        return {"test_purity": purity(output, self.labels)}


def accuracy(labels: np.ndarray, clusters: np.ndarray) -> float:
    return float(clustering_accuracy_score(labels, clusters))


def purity(z: np.ndarray, labels: np.ndarray) -> float:
    n_neighbors = min(20, len(z) - 1)
    return float(neighbor_purity_score(z, labels, n_neighbors=n_neighbors))


def count_batches(n_images: int, batch_size: int) -> int:
    """Return the steps of an epoch; an incomplete last batch is left out."""
    return max(1, n_images // batch_size)


def fit_epochs(seconds: float, seconds_a_step: float, n_steps: int, most: int) -> int:
    """Return how many epochs of some steps fit, at least 1 and at most ``most``."""
    fitting = int(seconds / (seconds_a_step * n_steps))
    return max(1, min(most, fitting))


def fit_images(
    seconds: float, seconds_a_step: float, batch_size: int, n_images: int
) -> int:
    """Return how many images one epoch can take: all, or whole batches that fit."""
    n_steps = max(2, int(seconds / seconds_a_step))
    return min(n_images, n_steps * batch_size)


def run_train(
    log: Log,
    device: str,
    settings: Settings,
    split: Split,
    folder: Path,
    stop_at: float,
) -> None:
    """Train the embedder, then the heads and the encoder with them; tell the accuracy.

    The epochs are chosen once, by the measured seconds a step, and stay the same when
    a run goes on, so that the schedule of the learning rate ends as it was begun.
    """
    folder.mkdir(parents=True, exist_ok=True)
    training = Training(log, device, settings, split, folder)

    parts = {
        "plan of the embedding": lambda: training.plan_embedding(stop_at),
        "embedding": training.embed,
        "plan of the clustering": lambda: training.plan_clustering(stop_at),
        "clustering": training.cluster,
    }
    for check, work in parts.items():
        if log.run(STAGE, check, work, stop_at) is None:
            return  # the others need what it would have left


class Training:
    """The parts of the stage; each finds what the parts before it have left.

    Parameters
    ----------
    log : Log
        Holds the measured seconds a step and the plans.
    device : str
    settings : Settings
    split : Split
    folder : Path
        Of the checkpoints.
    """

    def __init__(
        self, log: Log, device: str, settings: Settings, split: Split, folder: Path
    ) -> None:
        self.log = log
        self.device = device
        self.settings = settings
        self.split = split
        self.folder = folder
        self.embedder: IRLINREmbedder | None = None

    @property
    def train_images(self) -> np.ndarray:
        return self.split.train[: self.plan("embedding")["n_train"]]

    def plan(self, of: str) -> dict[str, Any]:
        """Return a plan that was made."""
        plan = self.log.get(STAGE, f"plan of the {of}")
        assert plan is not None
        return plan

    def seconds_a_step(self, stage: str) -> float:
        """Return what the profile measured, of another stage if need be."""
        for known, share in ((stage, 1.0), *_INSTEAD.get(stage, ())):
            found = self.log.get("profile", known)
            if found is not None:
                return share * float(found["seconds_a_step"])
        raise RuntimeError(
            "There is no profile of the embedding, by which the epochs are chosen: run "
            "the stage 'profile' first, or with more minutes."
        )

    def plan_embedding(self, stop_at: float) -> dict[str, Any]:
        """Choose images and epochs of the embedding."""
        seconds = _EMBEDDING_SHARE * (stop_at - time.monotonic())
        batch, step = (
            self.settings.embedder["batch_size"],
            self.seconds_a_step("embedding"),
        )
        n_train = fit_images(seconds, step, batch, len(self.split.train))
        most = self.settings.embedder["max_epochs"]
        n_steps = count_batches(n_train, batch)
        return {
            "n_train": n_train,
            "epochs": fit_epochs(seconds, step, n_steps, most),
            "most_epochs": most,
            "steps_an_epoch": n_steps,
        }

    def plan_clustering(self, stop_at: float) -> dict[str, Any]:
        """Choose the epochs of the heads and of fine-tuning."""
        left = stop_at - time.monotonic()
        parameters = SCANClusterer(**self.settings.clusterer).get_params()
        n_steps = count_batches(len(self.train_images), parameters["batch_size"])
        return {
            "head_epochs": fit_epochs(
                _HEADS_SHARE * left,
                self.seconds_a_step("heads"),
                n_steps,
                parameters["max_epochs"],
            ),
            "tuning_epochs": fit_epochs(
                _TUNING_SHARE * left,
                self.seconds_a_step("fine-tuning"),
                n_steps,
                parameters["fine_tune_max_epochs"],
            ),
            "steps_an_epoch": n_steps,
        }

    def embed(self) -> dict[str, Any]:
        """Train the embedder; keep its encoder; measure z of the test images."""
        resume = ResumeTraining(self.folder / "embedder", _STORE_EVERY)
        tell = TellAccuracy(self.log, self.split.test, self.split.test_labels)
        embedder = IRLINREmbedder(
            **{
                **self.settings.embedder,
                "max_epochs": self.plan("embedding")["epochs"],
            },
            device=self.device,
            random_state=0,
            callbacks=[resume, tell],
        )
        embedder.fit(self.train_images)
        embedder.save(self.folder / "embedder.model", encoder_only=True)
        resume.discard()
        self.embedder = embedder
        z = np.asarray(embedder.transform(self.split.test))
        return {
            "epochs": int(embedder.n_iter_),
            "fit_seconds": float(embedder.history_["seconds"].sum()),
            "loss": float(embedder.history_["loss"].iloc[-1]),
            "test_purity": purity(z, self.split.test_labels),
            "k_means_test_accuracy": self.score_k_means(z),
            "peak_memory_mib": peak_memory(),
        }

    def score_k_means(self, z: np.ndarray) -> float:
        """Return the accuracy of k-means on z of the test images."""
        k_means = KMeans(self.split.n_classes, n_init=3, random_state=0)
        return accuracy(self.split.test_labels, k_means.fit_predict(z))

    def cluster(self) -> dict[str, Any]:
        """Train heads, then encoder and heads; measure the test accuracy."""
        embedder = self.embedder or self.recall_embedder()
        test = embedder.transform(self.split.test)
        resume = ResumeTraining(self.folder / "clusterer", _STORE_EVERY)
        labels, plan = self.split.test_labels, self.plan("clustering")
        tell = TellAccuracy(self.log, self.split.test, labels, np.asarray(test))
        parameters = {
            **self.settings.clusterer,
            "max_epochs": plan["head_epochs"],
            "fine_tune_max_epochs": plan["tuning_epochs"],
        }
        clusterer = SCANClusterer(
            self.split.n_classes,
            **parameters,
            device=self.device,
            random_state=0,
            callbacks=[resume, tell],
        )
        clusterer.fit(embedder.transform(self.train_images))
        clusterer.save(self.folder / "clusterer.model")
        resume.discard()
        seconds = clusterer.history_.groupby("stage")["seconds"].sum()
        return {
            "test_accuracy": accuracy(labels, clusterer.predict(test)),
            "n_test": len(labels),
            "fit_seconds": {stage: float(took) for stage, took in seconds.items()},
            "peak_memory_mib": peak_memory(),
        }

    def recall_embedder(self) -> IRLINREmbedder:
        """Return the embedder that an earlier run has trained."""
        embedder = IRLINREmbedder.load(self.folder / "embedder.model")
        return embedder.set_params(device=str(resolve_device(self.device)))
