"""What checks of a fit look at: a sample of the images and what the pipeline says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline

from invariant_cluster.drift import measure_aspects, one_warning
from invariant_cluster.geometry import signed_angle
from invariant_cluster.images import (
    NO_TONE,
    measure_range,
    range_of,
    shown_values,
    take_rows,
    unmasked,
)
from invariant_cluster.inspection import (
    divide,
    predict_clusters,
    steps_of,
    turn_images,
)

_MOST_IMAGES = 1000
_NOISE = -1  # as scikit-learn's density-based clusterers label it
_READY = ["embed", "cluster"]  # steps of this package's make_pipeline


@dataclass(frozen=True)
class Space:
    """A feature space of the embedder.

    Attributes
    ----------
    name : str
        Name of its embedder, as in parameters; empty if there is one only.
    embedder : fitted embedder
        The embedder of the space.
    z, z_turned : ndarray of shape (m, d)
        Representations of the sample, and of its turned copy, up to a factor.
    """

    name: str
    embedder: Any
    z: NDArray
    z_turned: NDArray

    @property
    def is_learned(self) -> bool:
        """Whether a network was trained for it."""
        return hasattr(self.embedder, "history_")


@dataclass(frozen=True)
class Evidence:
    """A sample of images, and what a fitted pipeline says of it.

    Attributes
    ----------
    clusterer : fitted clusterer
        The last step.
    embedder : fitted embedder
        The first embedder that sees the images; of a joint one, its first member.
    is_ready : bool
        Whether the steps are called as those of :func:`make_pipeline`, whose parameters
        remedies then name.
    given, given_turned : ndarray or DataFrame
        The sample of m images in the user's layout, and its turned copy.
    images : ndarray of shape (m, c, h, w)
        The sample, in the user's units.
    pose_errors : ndarray of shape (m,), or None
        By how much theta differs, in radians, from what the turn makes of it; NaN where
        there is no direction. None if the embedder estimates no poses.
    rows : ndarray of shape (m,)
        Indices of the sample among the images.
    z : ndarray of shape (m, d)
        What the clusterer sees.
    spaces : tuple of Space
        The spaces of the embedder: one, or the members of a joint one.
    labels : ndarray of shape (m,)
        Clusters of the sample.
    labels_turned : ndarray of shape (m,), or None
        Clusters of its turned copy; None if the clusterer cannot predict.
    n_clusters : int
        Number of clusters, empty ones included if the clusterer has probabilities.
    training_labels : ndarray of shape (n,)
        Clusters of the training images if the clusterer knows them, else ``labels``.
    n_training : int
        Number of training images if the clusterer knows it, else of the images given.
    """

    clusterer: Any
    embedder: Any
    is_ready: bool
    given: Any
    given_turned: Any
    images: NDArray
    pose_errors: NDArray | None
    rows: NDArray[np.intp]
    z: NDArray
    spaces: tuple[Space, ...]
    labels: NDArray
    labels_turned: NDArray | None
    n_clusters: int
    training_labels: NDArray
    n_training: int

    @cached_property
    def shown(self) -> NDArray:
        """The sample as the embedder sees its values: stretched, or of one level."""
        return shown_values(self.images, getattr(self.embedder, "tone_", NO_TONE))

    @cached_property
    def shown_range(self) -> tuple[float, float]:
        """The values of ``shown`` that the embedder tells apart, or all of them."""
        return measure_range(self.shown, range_of(self.embedder))

    @cached_property
    def aspects(self) -> dict[str, NDArray]:
        """Aspects (m, k) of the shown images, as :func:`measure_aspects` names them."""
        low, high = self.shown_range
        return measure_aspects(self.shown, high - low)

    @property
    def is_member(self) -> NDArray[np.bool_]:
        """Whether an image of the sample is in a cluster, (m,): noise is in none."""
        return is_member(self.labels)


def gather(pipeline: Pipeline, X: ArrayLike) -> Evidence:
    """Return what checks look at.

    Parameters
    ----------
    pipeline : fitted Pipeline
        Embedder and clusterer, perhaps with other steps before and between them.
    X : array-like of n images
        Images of the shape given to ``fit``.

    Returns
    -------
    Evidence
        Of at most 1,000 images, drawn with a fixed seed.

    Raises
    ------
    ValueError
        If no step is an embedder of this package, or the last one clusters nothing.
    """
    first = _index_of_embedder(pipeline)
    clusterer, embedder = _clusterer_of(pipeline), pipeline[first]
    random = np.random.default_rng(0)
    n_images = len(np.asanyarray(X))
    rows = np.sort(random.permutation(n_images)[:_MOST_IMAGES])
    leaf = next(step for step in steps_of(embedder) if _sees_images(step))
    sample = _through(pipeline[:first], take_rows(X, rows))
    given = unmasked(sample, leaf.layout_, leaf.background_)
    angles = random.uniform(0, 2 * np.pi, len(rows))
    with one_warning(silent=True):  # of drift, which turning may cause
        turned = turn_images(leaf, given, angles)
        pose_errors = _pose_errors(embedder, given, turned, angles)
        seen, seen_turned = embedder.transform(given), embedder.transform(turned)
        between = pipeline[first + 1 : -1]
        z, z_turned = (_through(between, output) for output in (seen, seen_turned))
        labels, n_clusters = _clusters_of(clusterer, z, rows, n_images)
        labels_turned = None
        if hasattr(clusterer, "predict"):
            labels_turned = predict_clusters(clusterer, z_turned).labels
    return Evidence(
        clusterer,
        leaf,
        list(pipeline.named_steps) == _READY,
        given,
        turned,
        leaf.layout_.to_channels(np.asarray(given)),
        pose_errors,
        rows,
        np.asarray(z),
        tuple(_spaces_of(embedder, seen, seen_turned)),
        labels,
        labels_turned,
        n_clusters,
        np.asarray(getattr(clusterer, "labels_", labels)),
        len(getattr(clusterer, "labels_", np.empty(n_images))),
    )


def can_judge(pipeline: Pipeline) -> bool:
    """Return whether a step of a fitted pipeline is an embedder of this package.

    Parameters
    ----------
    pipeline : fitted Pipeline
        Model to look at.

    Returns
    -------
    bool
        Whether ``check_fit`` takes it.
    """
    return any(map(_sees_images, steps_of(pipeline)))


def _index_of_embedder(pipeline: Pipeline) -> int:
    """Return the index of the first step that embeds images, or raise."""
    for index, (_, step) in enumerate(pipeline.steps):
        if any(map(_sees_images, steps_of(step))):
            return index
    raise ValueError(
        f"pipeline={pipeline!r} has no fitted embedder of this package: fit a Pipeline "
        "of an embedder, such as IRLINREmbedder, and a clusterer."
    )


def _clusterer_of(pipeline: Pipeline) -> Any:
    """Return the last step, or raise if it clusters nothing."""
    clusterer = divide(pipeline).clusterer
    if clusterer is None:
        raise ValueError(
            f"pipeline={pipeline!r} ends in a step that clusters nothing: add a "
            "clusterer, such as SCANClusterer, behind it."
        )
    return clusterer


def is_member(labels: NDArray) -> NDArray[np.bool_]:
    """Return whether labels are those of a cluster, (m,), and not of noise."""
    if labels.dtype.kind not in "if":  # labels of other types know no noise
        return np.ones(len(labels), dtype=bool)
    members: NDArray[np.bool_] = labels != _NOISE
    return members


def _sees_images(step: Any) -> bool:
    """Return whether a step is a fitted embedder that is not made of others."""
    return hasattr(step, "layout_") and not hasattr(step, "embedders_")


def _pose_errors(
    embedder: Any, given: Any, turned: Any, angles: NDArray
) -> NDArray | None:
    """Return by how much poses do not turn with the images; None without poses."""
    if not hasattr(embedder, "predict_pose"):
        return None
    before, after = (embedder.predict_pose(images)[0] for images in (given, turned))
    errors: NDArray = np.abs(signed_angle(after - before - angles))
    return errors


def _through(steps: Pipeline, X: Any) -> Any:
    """Return X transformed by the steps, of which there may be none."""
    return steps.transform(X) if len(steps) else X


def _clusters_of(
    clusterer: Any, z: Any, rows: NDArray, n_images: int
) -> tuple[NDArray, int]:
    """Return clusters of the sample, and how many clusters there are."""
    if not hasattr(clusterer, "predict"):
        known = np.asarray(clusterer.labels_)
        if len(known) != n_images:
            predict_clusters(clusterer, np.empty(n_images))  # raises
        return known[rows], len(np.unique(known[is_member(known)]))
    found = predict_clusters(clusterer, z)
    if found.probabilities is None:
        return found.labels, len(np.unique(found.labels))
    return found.labels, found.probabilities.shape[1]


def _spaces_of(embedder: Any, seen: Any, turned: Any) -> list[Space]:
    """Return the spaces of an embedder's output."""
    members = dict(getattr(embedder, "embedders_", []))
    columns = getattr(embedder, "spaces_", {})  # its output may be a DataFrame
    before, after = np.asarray(seen), np.asarray(turned)
    if not members:
        return [Space("", embedder, before, after)]
    return [
        Space(name, member, before[:, columns[name]], after[:, columns[name]])
        for name, member in members.items()
        if name in columns
    ]
