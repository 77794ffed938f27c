"""What a run will be: its estimators and all their parameters, before it starts."""

from typing import Any

from benchmarks import clusterings
from benchmarks.classical import describe_features
from benchmarks.records import describe, drop_idle
from benchmarks.scales import Settings, get_settings
from benchmarks.tables import OURS, Row
from invariant_cluster import (
    IRLINREmbedder,
    SimCLREmbedder,
    SpatialVAEEmbedder,
    TargetVAEEmbedder,
)

EMBEDDERS: dict[str, Any] = {
    "IRL-INR": IRLINREmbedder,
    "SimCLR": SimCLREmbedder,
    "TARGET-VAE": TargetVAEEmbedder,
    "Spatial-VAE": SpatialVAEEmbedder,
}


def plan_run(
    dataset: str, scale: str, row: Row, seed: int, n_classes: int
) -> dict[str, Any]:
    """Return what identifies a run."""
    return {
        "method": row.method,
        "dataset": dataset,
        "scale": scale,
        "seed": seed,
        "parameters": plan_parameters(get_settings(dataset, scale), row, n_classes),
    }


def plan_parameters(
    settings: Settings, row: Row, n_classes: int
) -> dict[str, dict[str, Any]]:
    """Return all parameters of a run: of data, features and clusterer."""
    parameters: dict[str, dict[str, Any]] = {"data": dict(settings.data)}
    if row.is_learned:
        parameters["embedder"] = describe(make_embedder(settings, row).get_params())
    if row.is_joint:
        parameters["scattering"] = describe(describe_features("scattering", settings))
    if not row.is_learned:
        parameters["features"] = describe(describe_features(row.features, settings))
    if not row.is_pose:
        clusterer = make_clusterer(settings, row, n_classes, seed=0)
        parameters["clusterer"] = describe(clusterer.get_params())
        if row.step in clusterings.SCAN_STEPS:
            parameters["clusterer"] = drop_idle(parameters["clusterer"])
    return parameters


def make_embedder(settings: Settings, row: Row, **options: Any) -> Any:
    """Return a row's unfitted embedder; the options are its circumstances."""
    name = OURS if row.is_joint else row.features
    own = settings.rivals.get(name, settings.embedder)
    return EMBEDDERS[name](**{**own, **row.embedder, **options})


def make_clusterer(
    settings: Settings, row: Row, n_classes: int, seed: int, **options: Any
) -> Any:
    """Return a row's unfitted clusterer."""
    parameters = {**settings.clusterer, **row.clusterer, **options}
    return clusterings.make_clusterer(row.step, n_classes, parameters, seed)


def translation_std(settings: Settings) -> float:
    """Return by how much test images are shifted, as a fraction of the side."""
    if not settings.translates:
        return 0.0
    return float(settings.embedder.get("translation_std", 0.1))
