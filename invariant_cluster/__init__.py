"""Orientation-invariant clustering of images, as scikit-learn estimators.

Names are imported when they are first used (PEP 562), so that what needs few of them,
such as the help of the command line, does not wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invariant_cluster import datasets, metrics, model_selection, out_of_core, plot
    from invariant_cluster.clusterers import (
        EmbeddingClusterer,
        SCANClusterer,
        TEMIClusterer,
    )
    from invariant_cluster.drift import DriftWarning
    from invariant_cluster.embedders import (
        ClassAverageEmbedder,
        ImageEmbedder,
        IRLINREmbedder,
        JointEmbedder,
        PolarFourierEmbedder,
        ScatteringEmbedder,
        SimCLREmbedder,
        SpatialVAEEmbedder,
        TargetVAEEmbedder,
    )
    from invariant_cluster.images import ImageEmbedding
    from invariant_cluster.inspection import check_drift
    from invariant_cluster.modules import ImageEncoder
    from invariant_cluster.persistence import load_model, load_reading, save_model
    from invariant_cluster.pipelines import make_pipeline
    from invariant_cluster.report import cluster_report
    from invariant_cluster.verdict import check_fit

__version__ = "0.1.0"

__all__ = [
    "ClassAverageEmbedder",
    "DriftWarning",
    "EmbeddingClusterer",
    "IRLINREmbedder",
    "ImageEmbedder",
    "ImageEmbedding",
    "ImageEncoder",
    "JointEmbedder",
    "PolarFourierEmbedder",
    "SCANClusterer",
    "ScatteringEmbedder",
    "SimCLREmbedder",
    "SpatialVAEEmbedder",
    "TEMIClusterer",
    "TargetVAEEmbedder",
    "check_drift",
    "check_fit",
    "cluster_report",
    "datasets",
    "load_model",
    "load_reading",
    "make_pipeline",
    "metrics",
    "model_selection",
    "out_of_core",
    "plot",
    "save_model",
]

# Room of each name that is no room itself.
_ROOMS = {
    "ClassAverageEmbedder": "embedders",
    "DriftWarning": "drift",
    "EmbeddingClusterer": "clusterers",
    "IRLINREmbedder": "embedders",
    "ImageEmbedder": "embedders",
    "ImageEmbedding": "images",
    "ImageEncoder": "modules",
    "JointEmbedder": "embedders",
    "PolarFourierEmbedder": "embedders",
    "SCANClusterer": "clusterers",
    "ScatteringEmbedder": "embedders",
    "SimCLREmbedder": "embedders",
    "SpatialVAEEmbedder": "embedders",
    "TEMIClusterer": "clusterers",
    "TargetVAEEmbedder": "embedders",
    "check_drift": "inspection",
    "check_fit": "verdict",
    "cluster_report": "report",
    "load_model": "persistence",
    "load_reading": "persistence",
    "make_pipeline": "pipelines",
    "save_model": "persistence",
}


def __dir__() -> list[str]:
    """Return what is here, and what would be imported."""
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # else any name would pass for one of type Any

    def __getattr__(name: str) -> Any:
        """Import a public name, or a room, on its first use."""
        if name.startswith("_"):
            raise AttributeError(_missing(name))
        if name in _ROOMS:
            room = import_module(f"{__name__}.{_ROOMS[name]}")
            return globals().setdefault(name, getattr(room, name))
        return _import_room(name)


def _import_room(name: str) -> Any:
    """Return a subpackage or a module of the package."""
    path = f"{__name__}.{name}"
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
        raise AttributeError(_missing(name)) from None


def _missing(name: str) -> str:
    """Return what Python says of a name that a module has not."""
    return f"module {__name__!r} has no attribute {name!r}"
