"""What the command line writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invariant_cluster.inspection import predict_clusters, steps_of
from invariant_cluster.persistence import replacing

LABELS, MODEL, REPORT = "labels.csv", "model.safetensors", "report.html"


def label_images(model: Any, images: NDArray, names: list[str]) -> pd.DataFrame:
    """Return cluster, confidence and pose of each image.

    Parameters
    ----------
    model : fitted Pipeline of embedder and clusterer
    images : ndarray of n images
    names : list of str

    Returns
    -------
    DataFrame
        Columns file, cluster, confidence and, where the embedder knows poses, theta
        (radians), tau_x and tau_y (pixels, y up).
    """
    prediction = predict_clusters(model, images)
    assert prediction.confidence is not None
    columns = {
        "file": names,
        "cluster": prediction.labels,
        "confidence": prediction.confidence.round(4),
    }
    embedder = steps_of(model)[0]
    if hasattr(embedder, "predict_pose"):
        theta, tau = embedder.predict_pose(images)
        columns["theta"] = theta.round(4)
        columns["tau_x"], columns["tau_y"] = tau.T.round(3)
    return pd.DataFrame(columns)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a CSV file, whole or not at all."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)


def describe_clusters(table: pd.DataFrame, n_clusters: int) -> str:
    """Return the clusters' sizes and mean confidences as lines of text."""
    sizes = np.bincount(table["cluster"], minlength=n_clusters)
    means = table.groupby("cluster")["confidence"].mean()
    lines = ["cluster  images  confidence"]
    for cluster, size in enumerate(sizes):
        mean = f"{means[cluster]:.2f}" if size else "-"
        lines.append(f"{cluster:7d}  {size:6d}  {mean:>10}")
    return "\n".join(lines)
