"""Choice of n_clusters, d or another parameter without labels."""

from invariant_cluster.model_selection._criteria import CRITERIA
from invariant_cluster.model_selection._label_free_curve import label_free_curve
from invariant_cluster.model_selection._n_clusters import (
    candidate_numbers,
    choose_n_clusters,
)
from invariant_cluster.model_selection._proposal import Choice, propose_value
from invariant_cluster.model_selection._suggestion import suggest_value

__all__ = [
    "CRITERIA",
    "Choice",
    "candidate_numbers",
    "choose_n_clusters",
    "label_free_curve",
    "propose_value",
    "suggest_value",
]
