"""Checks of the clusters: their sizes, and how sure they are."""

from __future__ import annotations

import math

import numpy as np
from sklearn.metrics import adjusted_rand_score

from invariant_cluster.metrics import label_agreement_score
from invariant_cluster.verdict._evidence import Evidence, is_member
from invariant_cluster.verdict._finding import Finding
from invariant_cluster.verdict._limits import Limits
from invariant_cluster.verdict._remedies import ask_for_clusters, name_of_count

_STABILITY = Limits(0.5, 0.25)
_GIANT = Limits(0.65, math.inf)  # most images may truly be of one kind
_NOISE = Limits(0.5, 0.9)  # most images, and nearly all
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
        _cause_of_unrest(evidence),
        _remedy_of_unrest(evidence),
    )


def check_noise(evidence: Evidence) -> Finding | None:
    """Check how many images the clusterer leaves out, as DBSCAN does."""
    share = 1 - float(np.mean(is_member(evidence.training_labels)))
    if not share:
        return None
    return _NOISE.judge(
        "noise",
        share,
        f"{share:.0%} of the images are noise: they are in no cluster.",
        "To the clusterer they lie in no crowd of like images.",
        f"Let {type(evidence.clusterer).__name__} ask for less, such as by a larger "
        "eps or smaller crowds, or use a clusterer that puts every image in a cluster.",
    )


def check_giant(evidence: Evidence) -> Finding | None:
    """Check whether one cluster holds nearly all images."""
    known = evidence.training_labels
    labels, counts = np.unique(known[is_member(known)], return_counts=True)
    if not len(labels):  # all are noise
        return None
    share = float(counts.max() / len(known))
    return _GIANT.judge(
        "largest cluster",
        share,
        f"Cluster {labels[counts.argmax()]} holds {share:.0%} of the images.",
        "Either most images are of one kind, or what tells them apart is not seen, as "
        "when a few bright images set the intensity range.",
        "Look at images of this cluster: if they differ, scale or stretch the "
        "intensities, or "
        f"use {ask_for_clusters(evidence, fewer=False)}.",
    )


def check_empty(evidence: Evidence) -> Finding | None:
    """Check how many clusters have no images."""
    known = evidence.training_labels
    n_used = len(np.unique(known[is_member(known)]))
    n_empty = evidence.n_clusters - n_used
    if n_empty < 0 or evidence.n_clusters == 0:
        return None
    name = name_of_count(evidence)
    return _EMPTY.judge(
        "empty clusters",
        n_empty / evidence.n_clusters,
        f"{n_empty} of {evidence.n_clusters} clusters have no images.",
        "The images have fewer kinds than that, or training did not tell them apart.",
        f"Use {name}={n_used}."
        if name and n_used > 1
        else "Look at the images: use other features if they differ.",
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
    z, labels = evidence.z[evidence.is_member], evidence.labels[evidence.is_member]
    n_images = len(z)
    if n_images < _LEAST_IMAGES or len(np.unique(labels)) < 2:
        return None
    score = label_agreement_score(
        z, labels, n_neighbors=min(_N_NEIGHBORS, n_images // 2)
    )
    return _SEPARATION.judge(
        "separation",
        score,
        f"Neighbours in z share a cluster with a score of {score:.2f} (0 is chance, 1 "
        "is always).",
        "The clusters cut through crowds of like images: there are no such groups.",
        f"Use {ask_for_clusters(evidence)}, more images, or other features.",
    )


def _cause_of_unrest(evidence: Evidence) -> str:
    is_learned = any(space.is_learned for space in evidence.spaces)
    causes = [
        *(["training was short"] if is_learned else []),
        *(["poses are ill-defined"] if evidence.pose_errors is not None else []),
        "noise decides",
    ]
    return f"z changes with the orientation: {_any_of(causes)}."


def _remedy_of_unrest(evidence: Evidence) -> str:
    is_learned = any(space.is_learned for space in evidence.spaces)
    remedies = [
        *(["train longer"] if is_learned else []),
        *(["look at the poses"] if evidence.pose_errors is not None else []),
        f"use {ask_for_clusters(evidence)}",
    ]
    told = _any_of(remedies)
    return f"{told[0].upper()}{told[1:]}."


def _any_of(words: list[str]) -> str:
    first, last = ", ".join(words[:-1]), words[-1]
    return f"{first}{',' if len(words) > 2 else ''} or {last}" if first else last
