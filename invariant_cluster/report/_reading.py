"""Output of a fitted pipeline, computed once for the whole report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invariant_cluster.drift import one_warning
from invariant_cluster.inspection import divide, predict_clusters
from invariant_cluster.progress import progress_of
from invariant_cluster.report._images import ReportImages


@dataclass(frozen=True)
class Measure:
    """A number for each image.

    Attributes
    ----------
    name : str
        Name of the measure.
    shown : ndarray of shape (n,)
        Values as printed.
    rank : ndarray of shape (n,)
        Values for sorting: higher is more certain, or fits better.
    explained : str
        Explanation shown after the name and a colon.
    """

    name: str
    shown: NDArray
    rank: NDArray
    explained: str


@dataclass(frozen=True)
class Reading:
    """Output of a pipeline for the images of a report.

    Attributes
    ----------
    z : ndarray of shape (n, d)
        Embedding of the images.
    labels : ndarray of shape (n,), int
        Cluster of each image.
    clusters : list of int
        Clusters that hold images, sorted.
    n_clusters : int
        Number of clusters, empty ones included if the clusterer has ``predict_proba``.
    certainty : Measure
        Certainty of each image's cluster.
    has_confidence : bool
        Whether the certainty is a probability.
    fit : Measure
        How well each image fits any cluster.
    stays : ndarray of bool of shape (n,), or None
        Whether the image keeps its cluster when turned. None if the clusterer has no
        ``predict``.
    names : list of str or None
        Name of each image.
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
        """Return the indices of a cluster's images.

        Parameters
        ----------
        cluster : int
            Cluster, as the clusterer numbers it.

        Returns
        -------
        ndarray of int
            Indices in ascending order.
        """
        return np.flatnonzero(self.labels == cluster)


def read_pipeline(
    pipeline: Any, images: ReportImages, names: list[str] | None = None
) -> Reading:
    """Embed and cluster the images, and once more a turned copy of each.

    Parameters
    ----------
    pipeline : fitted Pipeline
        Embedder and clusterer.
    images : ReportImages
        Images of the report.
    names : list of str, optional
        Name of each image.

    Returns
    -------
    Reading
        Embedding, clusters, certainty, fit and stability.

    Raises
    ------
    ValueError
        If the clusterer has only ``labels_``, for another number of images.
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
    """Return the highest probability, or the distance to the mean of the cluster."""
    if probabilities is None:
        distance = _distance_to_mean(z, labels)
        told = "the distance in z to the mean of the image's cluster"
        return Measure("distance", distance, -distance, told)
    highest = probabilities.max(axis=1)
    told = "the probability of the image's cluster, as the clusterer predicts it"
    return Measure("confidence", highest, highest, told)


def _distance_to_mean(z: NDArray, labels: NDArray) -> NDArray:
    """Return the distance (n,) of each row of z from the mean of its cluster."""
    distance = np.empty(len(z))
    for cluster in np.unique(labels):
        rows = z[labels == cluster]
        distance[labels == cluster] = np.linalg.norm(rows - rows.mean(axis=0), axis=1)
    return distance


def _fit_anywhere(clusterer: Any, embedding: Any, certainty: Measure) -> Measure:
    """Return the clusterer's ``score_samples``, or the certainty without it."""
    if not hasattr(clusterer, "score_samples"):
        return certainty
    score = np.asarray(clusterer.score_samples(embedding))
    told = f"{type(clusterer).__name__}.score_samples; a lower score is more unusual"
    return Measure("score", score, score, told)


def _stays(pipeline: Any, images: ReportImages, labels: NDArray) -> NDArray | None:
    """Return whether each image keeps its cluster when turned; None if unknown."""
    if not hasattr(divide(pipeline).clusterer, "predict"):
        return None
    # Turning smooths images.
    with one_warning(silent=True), progress_of("turned copies"):
        return np.asarray(pipeline.predict(images.turned()) == labels)
