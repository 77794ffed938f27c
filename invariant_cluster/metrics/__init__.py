"""Scores of clusterings, embeddings and poses, and scorers for ``scoring=``."""

from invariant_cluster.metrics._clusters import (
    adjusted_label_stability_score,
    cluster_silhouette_score,
    label_agreement_score,
)
from invariant_cluster.metrics._invariance import invariance_score
from invariant_cluster.metrics._matched_classes import MatchedClass, matched_classes
from invariant_cluster.metrics._matching import (
    clustering_accuracy_score,
    match_labels,
    matched_confusion_matrix,
)
from invariant_cluster.metrics._neighborhood import (
    neighbor_agreement_score,
    neighbor_purity_score,
)
from invariant_cluster.metrics._resampling import resampling_stability_score
from invariant_cluster.metrics._rotation import rotation_correlation, rotation_error
from invariant_cluster.metrics._scorers import (
    accuracy_scorer,
    adjusted_label_stability_scorer,
    invariance_scorer,
    label_agreement_scorer,
    label_stability_scorer,
    neighbor_agreement_scorer,
    resampling_stability_scorer,
    silhouette_scorer,
)
from invariant_cluster.metrics._translation import (
    translation_correlation,
    translation_error,
)
from invariant_cluster.metrics._valleys import valley_contrast_score

__all__ = [
    "MatchedClass",
    "accuracy_scorer",
    "adjusted_label_stability_score",
    "adjusted_label_stability_scorer",
    "cluster_silhouette_score",
    "clustering_accuracy_score",
    "invariance_score",
    "invariance_scorer",
    "label_agreement_score",
    "label_agreement_scorer",
    "label_stability_scorer",
    "match_labels",
    "matched_classes",
    "matched_confusion_matrix",
    "neighbor_agreement_score",
    "neighbor_agreement_scorer",
    "neighbor_purity_score",
    "resampling_stability_score",
    "resampling_stability_scorer",
    "rotation_correlation",
    "rotation_error",
    "silhouette_scorer",
    "translation_correlation",
    "translation_error",
    "valley_contrast_score",
]
