"""Embedders: images in, representations z out."""

from invariant_cluster.embedders._class_average_embedder import ClassAverageEmbedder
from invariant_cluster.embedders._feature_embedder import FeatureEmbedder
from invariant_cluster.embedders._field_of_view import LEAST_SIDE, measure_side
from invariant_cluster.embedders._image_embedder import ImageEmbedder
from invariant_cluster.embedders._irlinr_embedder import PAPER_RECIPE, IRLINREmbedder
from invariant_cluster.embedders._joint_embedder import JointEmbedder
from invariant_cluster.embedders._network_sizes import FULL, LIGHT, NETWORKS
from invariant_cluster.embedders._polar_fourier_embedder import PolarFourierEmbedder
from invariant_cluster.embedders._scattering_embedder import ScatteringEmbedder
from invariant_cluster.embedders._simclr_embedder import SimCLREmbedder
from invariant_cluster.embedders._spatial_vae_embedder import SpatialVAEEmbedder
from invariant_cluster.embedders._target_vae_embedder import TargetVAEEmbedder

__all__ = [
    "FULL",
    "LEAST_SIDE",
    "LIGHT",
    "NETWORKS",
    "PAPER_RECIPE",
    "ClassAverageEmbedder",
    "FeatureEmbedder",
    "IRLINREmbedder",
    "ImageEmbedder",
    "JointEmbedder",
    "PolarFourierEmbedder",
    "ScatteringEmbedder",
    "SimCLREmbedder",
    "SpatialVAEEmbedder",
    "TargetVAEEmbedder",
    "measure_side",
]
