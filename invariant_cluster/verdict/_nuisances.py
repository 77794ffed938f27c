"""Checks whether one number of an image, or where it comes from, tells its cluster."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from invariant_cluster.inspection import check_batches
from invariant_cluster.verdict._evidence import Evidence
from invariant_cluster.verdict._finding import Finding
from invariant_cluster.verdict._limits import Limits
from invariant_cluster.verdict._remedies import leave_out

# Kinds may truly differ in one aspect, or lie in folders: that is never bad.
_EXPLAINED = Limits(0.65, math.inf)
_BATCH = Limits(0.1, math.inf)
_TIE = 0.05
_N_FOLDS = 5
_LEAST_OF_BATCH = 5
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d([-_.]?)[01]\d\1[0-3]\d(?!\d)")


class Aspect(NamedTuple):
    """How an aspect of images is told, and which word lets it change."""

    told: str
    word: str | None


_SHARPEN = "bring all images to one sharpness"
_ASPECTS = {
    "background": Aspect("the brightness of the background", "brightness"),
    "contrast": Aspect("the brightness of the object", "brightness"),
    "size": Aspect("the size of the object", "scale"),
    "coverage": Aspect("the share of the frame that is not background", "scale"),
    "sharpness": Aspect("the sharpness of the image", None),
    "color": Aspect("the mean colour", "color"),
    "position": Aspect("the distance of the object from the middle", "translation"),
}


def check_nuisances(evidence: Evidence) -> Finding | None:
    """Check whether one aspect of the images tells their clusters."""
    position = {"position": distance_of_mass(evidence.shown)}
    allowed = evidence.embedder.invariance.split("+")
    scores = {
        name: explained_by(values, evidence.labels)
        for name, values in {**evidence.aspects, **position}.items()
        if _ASPECTS[name].word not in allowed
    }
    if not scores:
        return None
    # Mean square by mean of the distance from the background, in visible steps.
    aspects = evidence.aspects
    brightness = np.round(aspects["contrast"] - aspects["coverage"], 1)
    worst = _most_telling(scores, explained_by(brightness, evidence.labels))
    told, word = _ASPECTS[worst]
    remedy = leave_out(evidence.embedder, word) if word else _SHARPEN
    return _EXPLAINED.judge(
        f"one aspect ({worst})",
        scores[worst],
        f"Of all simple aspects {told} tells the clusters best: adjusted mutual "
        f"information {scores[worst]:.2f} of 1.",
        "The clusters are little but steps of this aspect.",
        f"If it means nothing, take it out: {remedy}.",
    )


def _most_telling(scores: dict[str, float], of_pixels: float) -> str:
    """Return the aspect that tells clusters best.

    Contrast grows with the size of the object, too: where the brightness of its pixels
    tells less, another aspect that tells as much is named.
    """
    best = max(scores, key=lambda name: scores[name])
    if best != "contrast" or of_pixels >= scores[best] - _TIE:
        return best
    level = _EXPLAINED.level(scores[best])
    peers = [
        name
        for name, score in scores.items()
        if score >= scores[best] - _TIE and _EXPLAINED.level(score) == level
    ]
    return max(peers, key=lambda name: (name != best, scores[name]))


def explained_by(values: NDArray, labels: NDArray) -> float:
    """Return how well an aspect tells clusters, by cross-validation.

    Parameters
    ----------
    values : ndarray of shape (m, k)
        The aspect of each image.
    labels : ndarray of shape (m,)
        Clusters.

    Returns
    -------
    float
        Adjusted mutual information of the clusters and those that a small decision tree
        predicts for images that it was not fitted on: about 0 to 1. 0 if there are too
        few images to tell.
    """
    clusters, members = np.unique(labels, return_counts=True)
    kept = np.isin(labels, clusters[members >= _N_FOLDS])
    n_left = len(np.unique(labels[kept]))
    if not values.shape[1] or n_left < 2:
        return 0.0
    tree = DecisionTreeClassifier(
        max_leaf_nodes=2 * n_left, min_samples_leaf=_N_FOLDS, random_state=0
    )
    folds = StratifiedKFold(_N_FOLDS, shuffle=True, random_state=0)
    predicted = cross_val_predict(tree, values[kept], labels[kept], cv=folds)
    return float(adjusted_mutual_info_score(labels[kept], predicted))


def distance_of_mass(images: NDArray) -> NDArray[np.float32]:
    """Return how far the centre of mass is from the middle of the frame, (n, 1).

    Parameters
    ----------
    images : ndarray of shape (n, c, h, w)
        Images. Mass is the distance from the median of the image.

    Returns
    -------
    ndarray of shape (n, 1)
        In multiples of the height; 0 without mass.
    """
    pixels = images.astype(np.float64)
    mass = np.abs(pixels - np.median(pixels, axis=(2, 3), keepdims=True)).sum(axis=1)
    height, width = mass.shape[1:]
    y, x = np.mgrid[:height, :width].astype(np.float64)
    total = mass.sum(axis=(1, 2)) + np.finfo(float).tiny
    offsets = [
        (mass * (axis - axis.mean())).sum(axis=(1, 2)) / total for axis in (y, x)
    ]
    distance = np.hypot(*offsets)[:, None] / height
    return distance.astype(np.float32)


def check_origin(
    evidence: Evidence, names: Sequence[str] | None, batch: ArrayLike | None
) -> list[Finding]:
    """Check whether clusters follow given batches, folders, or dates of file names."""
    sources = {}
    if names is not None:
        seen = np.asarray(names, dtype=object)[evidence.rows]
        sources = _origins_of([str(name) for name in seen])
    if batch is not None:
        sources["batch"] = np.asarray(batch)[evidence.rows]
    findings = []
    for source, origin in sources.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            found = check_batches(evidence.labels, origin, random_state=0)
        shared = found.mutual_information
        findings.append(
            _BATCH.judge(
                source,
                shared if shared > found.by_chance else min(shared, _BATCH.doubtful),
                f"Clusters and the {source} of the images have an adjusted mutual "
                f"information of {shared:.2f} (0 is chance, 1 means that one tells the "
                "other).",
                f"If the {source} stands for a day, a machine or a slide, clusters "
                "follow how images were taken; if it stands for a kind, all is well.",
                f"Compare images of one cluster and different {_plural(source)}; make "
                "images alike before fit, or let invariance leave out the difference.",
            )
        )
    return findings


def _origins_of(names: Sequence[str]) -> dict[str, NDArray]:
    """Return the folder and the date of each image, where names tell several."""
    folders = [str(PurePath(name).parent) for name in names]
    dates = [found[0] if (found := _DATE.search(name)) else "" for name in names]
    sources = {"folder": folders, "date": dates}
    return {
        name: np.asarray(values)
        for name, values in sources.items()
        if _divides(np.asarray(values))
    }


def _divides(values: NDArray) -> bool:
    """Return whether there are several values, each of some images."""
    _, counts = np.unique(values, return_counts=True)
    return len(counts) > 1 and float(np.median(counts)) >= _LEAST_OF_BATCH


def _plural(noun: str) -> str:
    return "batches" if noun == "batch" else f"{noun}s"
