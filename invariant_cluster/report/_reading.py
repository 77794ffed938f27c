"""What a fitted pipeline says of images, computed once for the whole report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.inspection import divide, predict_clusters
from invariant_cluster.report._images import ReportImages


@dataclass(frozen=True)
class Measure:
    """A number for each image.

    Attributes
    ----------
    name : str
    shown : ndarray of shape (n,)
        As it is printed.
    rank : ndarray of shape (n,)
        Higher is surer, or fits better.
    explained : str
        What it is, to follow a colon.
    """

    name: str
    shown: NDArray
    rank: NDArray
    explained: str


@dataclass(frozen=True)
class Reading:
    """What the pipeline says.

    Attributes
    ----------
    z : ndarray of shape (n, d)
    labels : ndarray of shape (n,), int
    clusters : list of int, sorted; those that hold images
    n_clusters : int
        How many there can be, those without an image included.
    certainty : Measure
        Of each image's cluster.
    has_confidence : bool
        Whether the certainty is a probability.
    fit : Measure
        How well each image fits anywhere.
    stays : ndarray of bool, shape (n,), or None
        Whether the image keeps its cluster when turned; None without ``predict``.
    names : list of str or None
        Of the images.
    """

    z: NDArray
    labels: NDArray[np.intp]
    clusters: list[int]
    n_clusters: int
    certainty: Measure
    has_confidence: bool
    fit: Measure
    stays: NDArray[np.bool_] | None
    names: list[str] | None = None

    def members(self, cluster: int) -> NDArray[np.intp]:
        """Return the indices of a cluster's images."""
        return np.flatnonzero(self.labels == cluster)


def read_pipeline(
    pipeline: Any, images: ReportImages, names: list[str] | None = None
) -> Reading:
    """Embed and cluster the images, and once more a turned copy.

    Raises
    ------
    ValueError
        When the clusterer has only ``labels_``, and of another number of images.
    """
    embedder, clusterer = divide(pipeline)
    embedding = embedder.transform(images.given)
    labels, probabilities = predict_clusters(clusterer, embedding)
    z = np.asarray(embedding)
    certainty = _certainty(z, labels, probabilities)
    clusters = [int(label) for label in np.unique(labels)]
    return Reading(
        z=z,
        labels=labels,
        clusters=clusters,
        n_clusters=len(clusters) if probabilities is None else probabilities.shape[1],
        certainty=certainty,
        has_confidence=probabilities is not None,
        fit=_fit_anywhere(clusterer, embedding, certainty),
        stays=_stays(pipeline, images, labels),
        names=names,
    )


def _certainty(z: NDArray, labels: NDArray, probabilities: NDArray | None) -> Measure:
    if probabilities is None:
        distance = _distance_to_mean(z, labels)
        told = "the distance in z from the mean of the image's cluster"
        return Measure("distance", distance, -distance, told)
    highest = probabilities.max(axis=1)
    told = "the probability of the most probable cluster, by the clusterer itself"
    return Measure("confidence", highest, highest, told)


def _distance_to_mean(z: NDArray, labels: NDArray) -> NDArray:
    distance = np.empty(len(z))
    for cluster in np.unique(labels):
        rows = z[labels == cluster]
        distance[labels == cluster] = np.linalg.norm(rows - rows.mean(axis=0), axis=1)
    return distance


def _fit_anywhere(clusterer: Any, embedding: Any, certainty: Measure) -> Measure:
    """Return the clusterer's own score of fit, or else the certainty."""
    if not hasattr(clusterer, "score_samples"):
        return certainty
    score = np.asarray(clusterer.score_samples(embedding))
    told = (
        f"that of {type(clusterer).__name__}.score_samples, the lower the more unusual"
    )
    return Measure("score", score, score, told)


def _stays(pipeline: Any, images: ReportImages, labels: NDArray) -> NDArray | None:
    if not hasattr(divide(pipeline).clusterer, "predict"):
        return None
    return np.asarray(pipeline.predict(images.turned()) == labels)
