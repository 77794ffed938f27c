"""Drift: new images that are unlike those on which a model was fitted."""

from invariant_cluster.drift._finding import Z_FAR, Finding, as_table
from invariant_cluster.drift._reference import (
    MOST_NEW,
    Reference,
    measure_reference,
)
from invariant_cluster.drift._span import Span, likely_cause, measure_span
from invariant_cluster.drift._statistics import Watch, measure_aspects, watch_for
from invariant_cluster.drift._warning import (
    DriftWarning,
    is_told,
    one_warning,
    warn_of_drift,
)

__all__ = [
    "MOST_NEW",
    "Z_FAR",
    "DriftWarning",
    "Finding",
    "Reference",
    "Span",
    "Watch",
    "as_table",
    "is_told",
    "likely_cause",
    "measure_aspects",
    "measure_reference",
    "measure_span",
    "one_warning",
    "warn_of_drift",
    "watch_for",
]
