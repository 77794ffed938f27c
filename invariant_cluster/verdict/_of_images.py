"""Checks of the images themselves: what the embedder can see of them."""

from __future__ import annotations

import numpy as np

from invariant_cluster.images import NO_TONE, find_blank
from invariant_cluster.verdict._evidence import Evidence
from invariant_cluster.verdict._finding import Finding
from invariant_cluster.verdict._limits import Limits
from invariant_cluster.verdict._remedies import ask_for_clusters, widen_range

_BLANK = Limits(0.2, 0.5)
_RANGE = Limits(0.02, 0.005)
_PER_CLUSTER = Limits(10, 3)


def check_blank(evidence: Evidence) -> Finding:
    """Check how many images have nothing but equal pixels."""
    share = len(find_blank(evidence.images).rows) / len(evidence.images)
    return _BLANK.judge(
        "blank",
        share,
        f"{share:.0%} of the images are blank: all of their pixels are equal.",
        "They show nothing, and form clusters of their own or join any.",
        "Leave them out, or look why they are empty.",
    )


def check_range(evidence: Evidence) -> Finding | None:
    """Check how much of the intensity range the images use."""
    if getattr(evidence.embedder, "tone_", NO_TONE).level:  # all get one contrast
        return None
    # Blank images vary by nothing, whatever the range is.
    is_seen = np.ones(len(evidence.images), dtype=bool)
    is_seen[find_blank(evidence.images).rows] = False
    if not is_seen.any():
        return None
    low, high = evidence.shown_range
    contrast = evidence.aspects["contrast"][is_seen]
    used = float(np.median(np.exp(contrast)))
    return _RANGE.judge(
        "range",
        used,
        f"Half of the images vary by less than {used:.2%} of the intensity range, "
        f"{low:.4g} to {high:.4g}.",
        "Few bright images set the range, so that most look empty.",
        widen_range(evidence.embedder),
    )


def check_number(evidence: Evidence) -> Finding | None:
    """Check how many training images there are for each cluster."""
    if not evidence.n_clusters:  # all are noise
        return None
    per_cluster = evidence.n_training / evidence.n_clusters
    return _PER_CLUSTER.judge(
        "images per cluster",
        per_cluster,
        f"There are {per_cluster:.3g} images for each of {evidence.n_clusters} "
        "clusters.",
        "So few do not show what a cluster has in common.",
        f"Use {ask_for_clusters(evidence)}, or more images.",
    )
