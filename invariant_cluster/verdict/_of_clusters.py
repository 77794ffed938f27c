"""Checks of the clusters: their sizes, and how sure they are."""

from __future__ import annotations

import math

import numpy as np
from sklearn.metrics import adjusted_rand_score

from invariant_cluster.metrics import label_agreement_score
from invariant_cluster.verdict._evidence import Evidence
from invariant_cluster.verdict._finding import Finding
from invariant_cluster.verdict._limits import Limits

_STABILITY = Limits(0.5, 0.25)
_GIANT = Limits(0.65, math.inf)  # most images may truly be of one kind
_EMPTY = Limits(0.2, 0.5)
_CHANCE = Limits(0.5, math.inf)  # 1 if none is found
_SEPARATION = Limits(0.62, 0.35)
_N_NEIGHBORS = 20
_LEAST_IMAGES = 3  # two neighbours can differ


def check_stability(evidence: Evidence) -> Finding | None:
    """Check whether images keep their clusters when they are turned."""
    if evidence.labels_turned is None:
        return None
    kept = float(np.mean(evidence.labels == evidence.labels_turned))
    index = float(adjusted_rand_score(evidence.labels, evidence.labels_turned))
    return _STABILITY.judge(
        "stability",
        index,
        f"{kept:.0%} of the images keep their cluster when turned (adjusted Rand "
        f"index {index:.2f}).",
        "z changes with the orientation: training was short, poses are ill-defined, "
        "or noise decides.",
        "Train longer, look at the poses, or use fewer clusters.",
    )


def check_giant(evidence: Evidence) -> Finding | None:
    """Check whether one cluster holds nearly all images."""
    if evidence.n_clusters < 2:
        return None
    labels, counts = np.unique(evidence.training_labels, return_counts=True)
    share = float(counts.max() / counts.sum())
    return _GIANT.judge(
        "largest cluster",
        share,
        f"Cluster {labels[counts.argmax()]} holds {share:.0%} of the images.",
        "Either most images are of one kind, or what tells them apart is not seen, as "
        "when a few bright images set the intensity range.",
        "Look at images of this cluster: if they differ, scale or stretch the "
        "intensities, or use a larger n_clusters.",
    )


def check_empty(evidence: Evidence) -> Finding | None:
    """Check how many clusters have no images."""
    n_used = len(np.unique(evidence.training_labels))
    n_empty = evidence.n_clusters - n_used
    if n_empty < 0:  # noise is no cluster
        return None
    return _EMPTY.judge(
        "empty clusters",
        n_empty / evidence.n_clusters,
        f"{n_empty} of {evidence.n_clusters} clusters have no images.",
        "The images have fewer kinds than that, or training did not tell them apart.",
        f"Use n_clusters={n_used}.",
    )


def check_choice(evidence: Evidence) -> Finding | None:
    """Check whether a chosen number of clusters is better than chance would be."""
    choice = getattr(evidence.clusterer, "choice_", None)
    if choice is None:
        return None
    return _CHANCE.judge(
        "number of clusters",
        float(not choice.found),
        choice.reason,
        "No number of clusters is better than on data without clusters.",
        "Give n_clusters as you need it, or look for other features.",
    )


def check_separation(evidence: Evidence) -> Finding | None:
    """Check whether neighbours in z share a cluster."""
    n_images = len(evidence.z)
    if n_images < _LEAST_IMAGES or len(np.unique(evidence.labels)) < 2:
        return None
    score = label_agreement_score(
        evidence.z, evidence.labels, n_neighbors=min(_N_NEIGHBORS, n_images // 2)
    )
    return _SEPARATION.judge(
        "separation",
        score,
        f"Neighbours in z share a cluster with a score of {score:.2f} (0 is chance, 1 "
        "is always).",
        "The clusters cut through crowds of like images: there are no such groups.",
        "Use fewer clusters, more images, or other features.",
    )
