"""Displays of images, clusters, poses and training, in the style of scikit-learn.

The class methods ``from_estimator``, ``from_predictions`` and ``from_table`` compute a
display and draw it. ``plot`` draws it again, in other axes or with other options.
Displays need matplotlib: ``pip install matplotlib``. It is imported when
something is drawn.
"""

from invariant_cluster.plot._cluster_gallery import ClusterGalleryDisplay
from invariant_cluster.plot._embedding import EmbeddingDisplay
from invariant_cluster.plot._label_free_curve import LabelFreeCurveDisplay
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
