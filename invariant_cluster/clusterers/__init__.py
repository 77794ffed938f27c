"""Clusterers: representations in, clusters out."""

from invariant_cluster.clusterers._centroids import Start, find_start
from invariant_cluster.clusterers._embedding_clusterer import (
    ClusteringData,
    EmbeddingClusterer,
)
from invariant_cluster.clusterers._heads import imitate_heads, make_heads
from invariant_cluster.clusterers._scan_clusterer import SCANClusterer
from invariant_cluster.clusterers._temi_clusterer import TEMIClusterer

__all__ = [
    "ClusteringData",
    "EmbeddingClusterer",
    "SCANClusterer",
    "Start",
    "TEMIClusterer",
    "find_start",
    "imitate_heads",
    "make_heads",
]
