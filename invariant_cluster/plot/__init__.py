"""Displays of images, clusters, poses and training, in the manner of scikit-learn.

Each is made by ``from_estimator``, ``from_predictions`` or both, which compute and then
draw; ``plot`` draws again, elsewhere or otherwise. They need matplotlib:
``pip install invariant-cluster[plot]``. Importing this package does not import it.
"""

from invariant_cluster.plot._cluster_gallery import ClusterGalleryDisplay
from invariant_cluster.plot._embedding import EmbeddingDisplay
from invariant_cluster.plot._label_free_curve_display import LabelFreeCurveDisplay
from invariant_cluster.plot._latent_traversal import LatentTraversalDisplay
from invariant_cluster.plot._matched_confusion_matrix import (
    MatchedConfusionMatrixDisplay,
)
from invariant_cluster.plot._pose import PoseDisplay
from invariant_cluster.plot._reconstruction import ReconstructionDisplay
from invariant_cluster.plot._training_curves import TrainingCurvesDisplay

__all__ = [
    "ClusterGalleryDisplay",
    "EmbeddingDisplay",
    "LabelFreeCurveDisplay",
    "LatentTraversalDisplay",
    "MatchedConfusionMatrixDisplay",
    "PoseDisplay",
    "ReconstructionDisplay",
    "TrainingCurvesDisplay",
]
