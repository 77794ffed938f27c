"""Orientation-invariant clustering of images, as scikit-learn estimators."""

from invariant_cluster import datasets, metrics, model_selection, plot
from invariant_cluster._embedding import ImageEmbedding
from invariant_cluster._irlinr_embedder import IRLINREmbedder
from invariant_cluster._polar_fourier_embedder import PolarFourierEmbedder
from invariant_cluster._scan_clusterer import SCANClusterer
from invariant_cluster._simclr_embedder import SimCLREmbedder
from invariant_cluster._spatial_vae_embedder import SpatialVAEEmbedder
from invariant_cluster._target_vae_embedder import TargetVAEEmbedder
from invariant_cluster.report import cluster_report

__version__ = "0.1.0"

__all__ = [
    "IRLINREmbedder",
    "ImageEmbedding",
    "PolarFourierEmbedder",
    "SCANClusterer",
    "SimCLREmbedder",
    "SpatialVAEEmbedder",
    "TargetVAEEmbedder",
    "cluster_report",
    "datasets",
    "metrics",
    "model_selection",
    "plot",
]
