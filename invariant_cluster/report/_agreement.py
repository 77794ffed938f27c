"""Agreement of the clusters with known classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from invariant_cluster.metrics import (
    MatchedClass,
    clustering_accuracy_score,
    matched_classes,
)
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
    matched : dict of int to MatchedClass
        Matched class of each cluster, with its share of the cluster.
    matched_rows : dict of int to int
        Row of each cluster's matched class, -1 without one.
    """

    accuracy: float
    nmi: float
    ari: float
    classes: list[str]
    columns: list[int]
    counts: NDArray[np.int64]
    shares: NDArray[np.float64]
    matched: dict[int, MatchedClass]
    matched_rows: dict[int, int]

    def tell(self, label: int) -> str:
        """Return the matched class of a cluster with its share, for a line of text.

        Parameters
        ----------
        label : int
            Cluster, as the clusterer numbers it.

        Returns
        -------
        str
            Text of the MatchedClass; no line breaks between a number and its sign.
        """
        return str(self.matched[label]).replace(" %", "\N{NO-BREAK SPACE}%")


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
    matched = matched_classes(codes, labels, target_names=classes.names)
    class_of = {
        c: _NO_CLASS if found.name is None else int(found.name)
        for c, found in matched_classes(codes, labels).items()
    }
    last = len(classes.names)
    columns = sorted(
        reading.clusters,
        key=lambda c: last if class_of[c] == _NO_CLASS else class_of[c],
    )
    counts = np.array(
        [np.bincount(codes[labels == c], minlength=last) for c in columns]
    ).T
    return Agreement(
        accuracy=clustering_accuracy_score(codes, labels),
        nmi=float(normalized_mutual_info_score(codes, labels)),
        ari=float(adjusted_rand_score(codes, labels)),
        classes=classes.names,
        columns=columns,
        counts=counts,
        shares=counts / counts.sum(axis=1, keepdims=True),
        matched=matched,
        matched_rows=class_of,
    )
