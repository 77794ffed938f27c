"""Choice of n_clusters, d or another parameter without labels."""

from invariant_cluster.model_selection._criteria import CRITERIA
from invariant_cluster.model_selection._label_free_curve import label_free_curve
from invariant_cluster.model_selection._suggestion import suggest_value

__all__ = ["CRITERIA", "label_free_curve", "suggest_value"]
