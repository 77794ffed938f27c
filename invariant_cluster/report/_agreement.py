"""Agreement of the clusters with known classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from invariant_cluster.metrics import clustering_accuracy_score, match_labels
from invariant_cluster.report._checks import Classes
from invariant_cluster.report._reading import Reading

_NO_CLASS = -1


@dataclass(frozen=True)
class Agreement:
    """Scores and the confusion matrix of classes and clusters.

    Attributes
    ----------
    accuracy : float
        Accuracy of the clusters matched one to one with classes.
    nmi : float
        Normalised mutual information.
    ari : float
        Adjusted Rand index.
    classes : list of str
        Names of the classes, in the order of the rows.
    columns : list of int
        Clusters: those with a class first, in the order of their classes.
    counts : ndarray of shape (n_classes, n_columns)
        Number of images of each class in each cluster.
    shares : ndarray of shape (n_classes, n_columns)
        Share of the class's images in each cluster; rows sum to 1.
    matched : dict of int to (str or None)
        Name of each cluster's matched class, None without one.
    matched_rows : dict of int to int
        Row of each cluster's matched class, -1 without one.
    purity : dict of int to float
        Share of the most frequent class in each cluster.
    """

    accuracy: float
    nmi: float
    ari: float
    classes: list[str]
    columns: list[int]
    counts: NDArray[np.int64]
    shares: NDArray[np.float64]
    matched: dict[int, str | None]
    matched_rows: dict[int, int]
    purity: dict[int, float]


def measure_agreement(classes: Classes, reading: Reading) -> Agreement:
    """Match clusters with classes by the Hungarian method and score the matching.

    Parameters
    ----------
    classes : Classes
        Class of each image.
    reading : Reading
        Cluster of each image.

    Returns
    -------
    Agreement
        Scores, confusion matrix and matching.
    """
    codes, labels = classes.codes, reading.labels
    class_of = _match(classes, reading)
    last = len(classes.names)
    columns = sorted(
        reading.clusters,
        key=lambda c: last if class_of[c] == _NO_CLASS else class_of[c],
    )
    counts = np.array(
        [np.bincount(codes[labels == c], minlength=last) for c in columns]
    ).T
    purities = counts.max(axis=0) / counts.sum(axis=0)
    return Agreement(
        accuracy=clustering_accuracy_score(codes, labels),
        nmi=float(normalized_mutual_info_score(codes, labels)),
        ari=float(adjusted_rand_score(codes, labels)),
        classes=classes.names,
        columns=columns,
        counts=counts,
        shares=counts / counts.sum(axis=1, keepdims=True),
        matched={c: _name(classes, code) for c, code in class_of.items()},
        matched_rows=class_of,
        purity=dict(zip(columns, purities.tolist(), strict=True)),
    )


def _match(classes: Classes, reading: Reading) -> dict[int, int]:
    """Return the code of each cluster's class, -1 without one."""
    matched = match_labels(classes.codes, reading.labels, unmatched=_NO_CLASS)
    return {c: int(matched[reading.members(c)[0]]) for c in reading.clusters}


def _name(classes: Classes, code: int) -> str | None:
    """Return the name of a class, None for a cluster without one."""
    return None if code == _NO_CLASS else classes.names[code]
