"""z of both parts of a data set: trained once, then shared by the tables."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator

from benchmarks.checkpoints import ResumeTraining, keep, recall
from benchmarks.classical import compute_features, make_embedder
from benchmarks.data import Split
from benchmarks.records import describe
from invariant_cluster import JointEmbedder
from invariant_cluster.metrics import neighbor_purity_score

PURITY_NEIGHBORS = 20


@dataclass
class Embedding:
    """z of the train and test images.

    Attributes
    ----------
    seconds : dict
        Of each stage.
    embedder : estimator or None
        None if nothing was trained.
    facts : dict
        What a record says besides.
    """

    train: np.ndarray
    test: np.ndarray
    train_labels: np.ndarray
    seconds: dict[str, float]
    embedder: Any = None
    facts: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def purity(self) -> float:
        n_neighbors = min(PURITY_NEIGHBORS, len(self.train) - 1)
        return neighbor_purity_score(
            self.train, self.train_labels, n_neighbors=n_neighbors
        )


@contextmanager
def timing(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Set ``seconds[stage]`` to the time that the block takes."""
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start


def embed_classical(name: str, split: Split, invariance: str, seed: int) -> Embedding:
    """Return features that need no training."""
    seconds: dict[str, float] = {}
    with timing(seconds, "embed"):
        train, test = compute_features(name, split.train, split.test, invariance, seed)
    return Embedding(train, test, split.train_labels, seconds)


def embed_joint(
    learned: Embedding, split: Split, invariance: str, seed: int
) -> Embedding:
    """Return the space of a trained embedder and that of scattering, joined."""
    joint = JointEmbedder(
        [
            ("learned", FrozenEstimator(learned.embedder)),
            ("scattering", make_embedder("scattering", invariance, seed)),
        ]
    )
    seconds = dict(learned.seconds)
    with timing(seconds, "scattering"):
        train, test = joint.fit_transform(split.train), joint.transform(split.test)
        np.asarray(test)
    return replace(learned, train=train, test=test, seconds=seconds)


def embed_learned(
    embedder: Any,
    split: Split,
    folder: Path,
    code: dict[str, Any],
    retrain: bool,
) -> Embedding:
    """Return z of an embedder, trained now or by an earlier run.

    Parameters
    ----------
    folder : Path
        Holds the fitted embedder if an earlier run trained it.
    code : dict
        The commit that runs; the one that trained is recorded.
    retrain : bool
        Whether to train although an earlier run did.
    """
    path = folder / "embedder.joblib"
    reused = path.exists() and not retrain
    if not reused:
        resume = ResumeTraining(folder / "embedder")
        keep(path, {**train(embedder, split, resume), "code": code})
        resume.discard()
    stored = recall(path)
    fitted = stored["embedder"].set_params(device=embedder.device)
    seconds = {"embed": stored["seconds"]}
    with timing(seconds, "transform"):
        z = [fitted.transform(images) for images in (split.train, split.test)]
    facts = {"reused_embedding": reused, "embedding_code": stored["code"]}
    return Embedding(z[0], z[1], split.train_labels, seconds, fitted, facts)


def train(embedder: Any, split: Split, resume: ResumeTraining) -> dict[str, Any]:
    """Fit on the train images; return the embedder and the seconds that it took."""
    clock: dict[str, float] = {}
    with timing(clock, "fit"):
        embedder.set_params(callbacks=[resume]).fit(split.train)
    return {"embedder": embedder, "seconds": training_seconds(embedder, clock["fit"])}


def training_seconds(estimator: Any, measured: float) -> float:
    """Return how long a fit took; one that was interrupted counts all its epochs."""
    if not hasattr(estimator, "history_"):
        return measured
    return max(measured, float(estimator.history_["seconds"].sum()))


def last_losses(estimator: Any) -> dict[str, Any]:
    """Return the last epoch's loss and terms."""
    row = estimator.history_.iloc[-1].to_dict()
    return describe({name: row[name] for name in row if name != "seconds"})
