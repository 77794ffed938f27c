"""Orientation-invariant clustering of images, as scikit-learn estimators."""

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
