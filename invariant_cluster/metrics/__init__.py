"""Scores of clusterings, embeddings and poses, and ready scorers for ``scoring=``."""

from ._invariance import invariance_score
from ._matching import (
    clustering_accuracy_score,
    match_labels,
    matched_confusion_matrix,
)
from ._neighborhood import neighbor_agreement_score, neighbor_purity_score
from ._rotation import rotation_correlation, rotation_error
from ._scorers import (
    accuracy_scorer,
    invariance_scorer,
    label_stability_scorer,
    neighbor_agreement_scorer,
)
from ._translation import translation_correlation, translation_error

__all__ = [
    "accuracy_scorer",
    "clustering_accuracy_score",
    "invariance_score",
    "invariance_scorer",
    "label_stability_scorer",
    "match_labels",
    "matched_confusion_matrix",
    "neighbor_agreement_score",
    "neighbor_agreement_scorer",
    "neighbor_purity_score",
    "rotation_correlation",
    "rotation_error",
    "translation_correlation",
    "translation_error",
]
