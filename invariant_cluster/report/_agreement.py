"""How far the clusters agree with classes that the user knows."""

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
    """Scores and the table of classes against clusters.

    Attributes
    ----------
    accuracy, nmi, ari : float
    classes : list of str
    columns : list of int
        Clusters, those matched first, in the order of their classes.
    counts : ndarray of shape (n_classes, n_columns)
    shares : ndarray of the same shape
        Of the class's images; rows sum to 1.
    matched : dict of cluster to class name or None
    matched_rows : dict of cluster to the row of its class, -1 without
    purity : dict of cluster to the share of its most frequent class
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
    """Match clusters with classes by the Hungarian method and count."""
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
    """Return the code of each cluster's class, -1 where it has none."""
    matched = match_labels(classes.codes, reading.labels, unmatched=_NO_CLASS)
    return {c: int(matched[reading.members(c)[0]]) for c in reading.clusters}


def _name(classes: Classes, code: int) -> str | None:
    return None if code == _NO_CLASS else classes.names[code]
