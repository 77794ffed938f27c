"""The numbers: of the whole, and of each cluster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from invariant_cluster.report._agreement import Agreement
from invariant_cluster.report._images import ReportImages
from invariant_cluster.report._reading import Reading

NOISE = -1


@dataclass(frozen=True)
class ClusterRow:
    """A row of the table of clusters; None is what the clusterer does not tell.

    Attributes
    ----------
    label : int
    name : str
    size : int
    share : float
    certainty : float
        Mean of the images' certainty.
    stability : float or None
        Share of the images that keep the cluster when turned.
    matched : str or None
        The class that the Hungarian method gives the cluster.
    purity : float or None
        Share of the cluster's most frequent class.
    """

    label: int
    name: str
    size: int
    share: float
    certainty: float
    stability: float | None
    matched: str | None
    purity: float | None


def name_cluster(label: int) -> str:
    """Return what the report calls a cluster; scikit-learn labels noise -1."""
    return "No cluster (noise)" if label == NOISE else f"Cluster {label}"


def describe_clusters(
    reading: Reading, agreement: Agreement | None
) -> list[ClusterRow]:
    """Return a row for each cluster that holds images, in their order."""
    return [_describe(reading, agreement, label) for label in reading.clusters]


def _describe(reading: Reading, agreement: Agreement | None, label: int) -> ClusterRow:
    members = reading.members(label)
    stays = reading.stays
    return ClusterRow(
        label=label,
        name=name_cluster(label),
        size=len(members),
        share=len(members) / len(reading.labels),
        certainty=float(reading.certainty.shown[members].mean()),
        stability=None if stays is None else float(stays[members].mean()),
        matched=agreement.matched[label] if agreement else None,
        purity=agreement.purity[label] if agreement else None,
    )


def summarize(pipeline: Any, images: ReportImages, reading: Reading) -> dict[str, Any]:
    """Return the facts at the head of the report."""
    height, width = images.side_lengths
    stays = reading.stays
    return {
        "n_images": len(reading.labels),
        "n_used": sum(label != NOISE for label in reading.clusters),
        "n_empty": reading.n_clusters - len(reading.clusters),
        "size": f"{height} x {width}",
        "embedder": type(images.embedder).__name__,
        "clusterer": type(pipeline[-1]).__name__,
        "d": reading.z.shape[1],
        "certainty": float(np.mean(reading.certainty.shown)),
        "stability": None if stays is None else float(stays.mean()),
        "date": f"{datetime.now().astimezone():%Y-%m-%d %H:%M}",
    }
