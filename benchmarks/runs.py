"""One run: embed, cluster or estimate poses, measure, and record a line."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from benchmarks import clusterings, plans, poses
from benchmarks.calibration import measure_calibration
from benchmarks.checkpoints import ResumeTraining, folder_of
from benchmarks.data import Split, load_cryo_pose
from benchmarks.embeddings import (
    Embedding,
    embed_classical,
    embed_joint,
    embed_learned,
    last_losses,
    timing,
    training_seconds,
)
from benchmarks.machine import describe_code, describe_machine, peak_memory
from benchmarks.records import append, identity, read
from benchmarks.scales import RIVALS, Settings, get_settings
from benchmarks.tables import Row
from invariant_cluster.runtime import resolve_device


@dataclass
class Bench:
    """A data set at a scale, and where its results go.

    Attributes
    ----------
    folder : str or None
        Of the data.
    forced : bool
        Whether to run, and to train anew, what is in the results already.
    commit : str or None
        Of the code, where it is not in a git repository.
    fresh : set of Path
        Folders of the embedders that were trained in this process.
    latest : tuple
        The last embedding used, and what made it.
    """

    dataset: str
    scale: str
    split: Split
    folder: str | None
    results: Path
    checkpoints: Path
    device: str = "auto"
    forced: bool = False
    commit: str | None = None
    fresh: set[Path] = field(default_factory=set)
    latest: tuple[tuple[Path, bool], Embedding] | None = None

    @property
    def settings(self) -> Settings:
        return get_settings(self.dataset, self.scale)

    def has(self, planned: dict[str, Any]) -> bool:
        """Tell whether the results hold a run."""
        records = read(self.results / f"{self.dataset}.jsonl")
        return identity(planned) in {identity(record) for record in records}


def run(bench: Bench, row: Row, seed: int, table: str) -> dict[str, Any] | None:
    """Run a row of a table and record it; None if it is in the results already."""
    planned = plans.plan_run(
        bench.dataset, bench.scale, row, seed, bench.split.n_classes
    )
    if bench.has(planned) and not bench.forced:
        return None
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    embedding = embed(bench, row, seed, planned["parameters"])
    resume = ResumeTraining(folder_of(bench.checkpoints, planned) / "clusterer")
    measured = measure(bench, row, seed, embedding, resume)
    record = {**planned, **describe_run(bench, table), **embedding.facts, **measured}
    append(bench.results, record)
    resume.discard()
    return record


def describe_run(bench: Bench, table: str) -> dict[str, Any]:
    """Return when, by which code and on what a run is made."""
    return {
        "table": table,
        "largest_class": bench.split.largest_class,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        **describe_code(bench.commit),
        "machine": describe_machine(resolve_device(bench.device)),
    }


def embed(bench: Bench, row: Row, seed: int, parameters: dict[str, Any]) -> Embedding:
    """Return a row's embedding; the last one is kept for rows that share it."""
    made_by = {
        "dataset": bench.dataset,
        "scale": bench.scale,
        "seed": seed,
        **{
            name: parameters[name]
            for name in parameters
            if name not in ("clusterer", "scattering")
        },
    }
    if row.features in RIVALS:  # two of them can have the same parameters
        made_by["features"] = row.features
    folder = folder_of(bench.checkpoints, made_by)
    key = folder, row.is_joint
    if bench.latest is None or bench.latest[0] != key:
        bench.latest = key, embed_anew(bench, row, seed, folder)
    else:
        bench.latest[1].facts |= {"reused_embedding": True}
    return bench.latest[1]


def embed_anew(bench: Bench, row: Row, seed: int, folder: Path) -> Embedding:
    """Return a row's embedding, from training or from the checkpoints."""
    settings = bench.settings
    if not row.is_learned:
        return embed_classical(row.features, bench.split, settings.invariance, seed)
    embedder = plans.make_embedder(
        settings, row, device=bench.device, random_state=seed
    )
    retrain = bench.forced and folder not in bench.fresh
    code = describe_code(bench.commit)
    embedding = embed_learned(embedder, bench.split, folder, code, retrain)
    bench.fresh.add(folder)
    if row.is_joint:
        return embed_joint(embedding, bench.split, settings.invariance, seed)
    return embedding


def measure(
    bench: Bench, row: Row, seed: int, embedding: Embedding, resume: ResumeTraining
) -> dict[str, Any]:
    """Return metrics, last losses, seconds of the stages and peak memory."""
    losses, seconds = {}, dict(embedding.seconds)
    if embedding.embedder is not None:
        losses["embedder"] = last_losses(embedding.embedder)
    if row.is_pose:
        metrics = measure_poses(bench, row, seed, embedding)
    else:
        clusterer = make_clusterer(bench, row, seed, resume)
        with timing(seconds, "cluster"):
            labels = clusterings.label(
                clusterer,
                embedding.train,
                embedding.test,
                bench.split.train_labels if row.is_supervised else None,
            )
        seconds["cluster"] = training_seconds(clusterer, seconds["cluster"])
        if hasattr(clusterer, "history_"):
            losses["clusterer"] = last_losses(clusterer)
        metrics = score(bench.split, labels, row) | {"purity": embedding.purity}
        metrics |= measure_calibration(
            clusterer, embedding.test, bench.split.test_labels
        )
    return {
        "metrics": metrics,
        "losses": losses,
        "seconds": {stage: round(took, 2) for stage, took in seconds.items()},
        "peak_memory_mib": peak_memory(),
    }


def make_clusterer(bench: Bench, row: Row, seed: int, resume: ResumeTraining) -> Any:
    """Return a row's clusterer; SCAN can be interrupted."""
    options = {"device": bench.device, "callbacks": [resume]}
    return plans.make_clusterer(
        bench.settings,
        row,
        bench.split.n_classes,
        seed,
        **options if row.step in clusterings.TRAINED_STEPS else {},
    )


def score(split: Split, labels: Sequence[Any], row: Row) -> dict[str, Any]:
    """Return the scores of the labels of both parts."""
    matched = not row.is_supervised
    return clusterings.score("train", split.train_labels, labels[0], matched) | (
        clusterings.score("test", split.test_labels, labels[1], matched)
    )


def measure_poses(
    bench: Bench, row: Row, seed: int, embedding: Embedding
) -> dict[str, Any]:
    """Return how poses follow known moves and, where it is known, the truth."""
    learned, embedder = row.step == "learned pose", embedding.embedder
    assert embedder is not None
    settings, split = bench.settings, bench.split
    std = plans.translation_std(settings)
    moved = poses.move_images(
        bench.dataset, split.test, settings, bench.folder, std, seed
    )
    measured = poses.measure_moves(embedder, moved, learned)
    if bench.dataset == "cryo":
        true = load_cryo_pose(settings, bench.folder)
        measured |= poses.measure_truth(
            embedder, split.test, split.test_labels, true, learned
        )
    return measured


def summarize(record: dict[str, Any]) -> str:
    """Return one line about a record."""
    shown = ("test_accuracy", "purity", "rotation_circular", "translation_x")
    metrics = [
        f"{name} {record['metrics'][name]:.4f}"
        for name in shown
        if record["metrics"].get(name) is not None
    ]
    seconds = [f"{stage} {took:.1f} s" for stage, took in record["seconds"].items()]
    return ", ".join(metrics + seconds)
