"""Whether the clusters of a fitted pipeline can be relied on, without labels."""

from invariant_cluster.verdict._check_fit import check_fit
from invariant_cluster.verdict._evidence import can_judge
from invariant_cluster.verdict._finding import LEVELS, Finding, Verdict

__all__ = ["LEVELS", "Finding", "Verdict", "can_judge", "check_fit"]
