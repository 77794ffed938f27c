"""Tables that the command line writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invariant_cluster.cli._inputs import NamedImages
from invariant_cluster.inspection import (
    FoundPoses,
    find_poses,
    predict_clusters,
    steps_of,
)
from invariant_cluster.model_selection import Choice
from invariant_cluster.persistence import replacing


def label_images(
    model: Any, given: NamedImages, *, degrees: bool = False
) -> pd.DataFrame:
    """Return the cluster, confidence, score and pose of each image.

    Parameters
    ----------
    model : fitted Pipeline of an embedder and a clusterer
        Model with ``predict_proba``.
    given : NamedImages
        Images of the shape given to ``fit``, with their names.
    degrees : bool, default=False
        Whether angles are in degrees instead of radians; the columns are then
        "theta_deg" and "theta_std_deg".

    Returns
    -------
    DataFrame
        Columns "file", "cluster", "confidence", and "score", of ``score_samples``: the
        lower, the more unusual. If the embedder predicts poses, also "theta" (radians,
        counter-clockwise) with its standard deviation "theta_std", both NaN without a
        direction, and "tau_x" and "tau_y" (pixels from the centre of the file, or of
        the image of an array or the wafer map; y up); with class averages, "average"
        before these. Of files, "height" and "width" too (pixels of the file).
    """
    images, names, sizes, *_ = given
    z = model[:-1].transform(images)
    prediction = predict_clusters(model[-1], z)
    assert prediction.confidence is not None
    columns = {
        "file": names,
        "cluster": prediction.labels,
        "confidence": prediction.confidence.round(4),
    }
    if hasattr(model[-1], "score_samples"):
        columns["score"] = model[-1].score_samples(z).round(4)
    poses = [step for step in steps_of(model) if hasattr(step, "predict_pose")]
    if poses:
        columns |= _columns_of(find_poses(poses[0], images), given, degrees)
    if sizes is not None:
        columns["height"], columns["width"] = sizes.T
    return pd.DataFrame(columns)


def _columns_of(
    found: FoundPoses, given: NamedImages, degrees: bool
) -> dict[str, NDArray]:
    """Return the columns of poses; angles without a direction are NaN."""
    columns = {} if found.average is None else {"average": found.average}
    theta = np.where(found.has_direction, found.theta, np.nan)
    columns |= _angles("theta", theta, degrees)
    if found.theta_std is not None:
        columns |= _angles("theta_std", found.theta_std, degrees)
    tau = found.tau
    if not np.isnan(tau).any():  # textures have none
        tau = _in_file_pixels(tau, given)
    columns["tau_x"], columns["tau_y"] = np.round(tau.T, 2)
    if found.scale is not None:
        columns["scale"] = found.scale.round(4)
    return columns


def _in_file_pixels(tau: NDArray, given: NamedImages) -> NDArray:
    """Return shifts in pixels of the files, where these are known."""
    if given.reading is None or given.sizes is None:
        return tau
    if given.reading.palette is not None:  # the disc was cut out of each file
        return tau
    return given.reading.to_file_pixels(tau, given.sizes)


def _angles(name: str, radians: NDArray, degrees: bool) -> dict[str, NDArray]:
    """Return a column of angles, to about a hundredth of a degree."""
    if degrees:
        return {f"{name}_deg": np.rad2deg(radians).round(2)}
    return {name: radians.round(4)}


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as a CSV file, completely or not at all.

    Parameters
    ----------
    table : DataFrame
        Table to write, without its index.
    path : Path
        File to write. An existing file is replaced.
    """
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False)


def describe_choice(choice: Choice) -> str:
    """Return the number of clusters that was chosen, and what to do about it.

    Parameters
    ----------
    choice : Choice
        Of the fitted clusterer.

    Returns
    -------
    str
        The reason, with its figures, and how to get another number.
    """
    return (
        f"{choice.reason} Whether clusters hold two kinds or share one, the report "
        "shows: fit again with -k NUMBER for another number."
    )


def describe_clusters(table: pd.DataFrame, n_clusters: int) -> str:
    """Return the clusters' sizes and mean confidences as lines of text.

    Parameters
    ----------
    table : DataFrame
        Result of :func:`label_images`.
    n_clusters : int
        Number of clusters, empty ones included.

    Returns
    -------
    str
        A header and one line per cluster.

    Examples
    --------
    >>> import pandas as pd
    >>> from invariant_cluster.cli._outputs import describe_clusters
    >>> table = pd.DataFrame({"cluster": [0, 0], "confidence": [0.9, 0.8]})
    >>> print(describe_clusters(table, 2))
    cluster  images  confidence
          0       2        0.85
          1       0           -
    """
    sizes = np.bincount(table["cluster"], minlength=n_clusters)
    means = table.groupby("cluster")["confidence"].mean()
    lines = ["cluster  images  confidence"]
    for cluster, size in enumerate(sizes):
        mean = f"{means[cluster]:.2f}" if size else "-"
        lines.append(f"{cluster:7d}  {size:6d}  {mean:>10}")
    return "\n".join(lines)
