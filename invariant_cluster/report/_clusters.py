"""Numbers of the report: the summary, and the table of clusters."""

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
    """A row of the table of clusters; values that are not available are None.

    Attributes
    ----------
    label : int
        Cluster, as the clusterer numbers it.
    name : str
        Title of the cluster.
    size : int
        Number of images.
    share : float
        Share of all images.
    certainty : float
        Mean certainty of the images: confidence, or distance to the mean.
    stability : float or None
        Share of the images that keep the cluster when turned.
    matched : str or None
        Class that the Hungarian method matches with the cluster, and its share.
    purity : float or None
        Share of the most frequent class in the cluster.
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
    """Return the title of a cluster; -1 is scikit-learn's label of noise.

    Parameters
    ----------
    label : int
        Cluster, as the clusterer numbers it.

    Returns
    -------
    str
        Title used throughout the report.

    Examples
    --------
    >>> from invariant_cluster.report._clusters import name_cluster
    >>> name_cluster(3), name_cluster(-1)
    ('Cluster 3', 'No cluster (noise)')
    """
    return "No cluster (noise)" if label == NOISE else f"Cluster {label}"


def describe_clusters(
    reading: Reading, agreement: Agreement | None
) -> list[ClusterRow]:
    """Return a row of the table for each cluster that holds images.

    Parameters
    ----------
    reading : Reading
        Output of the pipeline.
    agreement : Agreement or None
        Matching with the classes; None without classes.

    Returns
    -------
    list of ClusterRow
        Rows in ascending order of the clusters.
    """
    return [_describe(reading, agreement, label) for label in reading.clusters]


def _describe(reading: Reading, agreement: Agreement | None, label: int) -> ClusterRow:
    """Return the row of one cluster."""
    members = reading.members(label)
    stays = reading.stays
    return ClusterRow(
        label=label,
        name=name_cluster(label),
        size=len(members),
        share=len(members) / len(reading.labels),
        certainty=float(reading.certainty.shown[members].mean()),
        stability=None if stays is None else float(stays[members].mean()),
        matched=agreement.tell(label) if agreement else None,
        purity=agreement.matched[label].commonest_share if agreement else None,
    )


def summarize(pipeline: Any, images: ReportImages, reading: Reading) -> dict[str, Any]:
    """Return the facts at the top of the report.

    Parameters
    ----------
    pipeline : fitted Pipeline
        Model of the report.
    images : ReportImages
        Images of the report.
    reading : Reading
        Output of the pipeline.

    Returns
    -------
    dict of str to object
        Numbers of images and clusters, size of the images, names of the steps, d, mean
        certainty, stability and date.
    """
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
