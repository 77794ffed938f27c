"""Label-free criteria of clusters, measured side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invariant_cluster.images import ImageEmbedding
from invariant_cluster.inspection import heads_alone, with_seed
from invariant_cluster.metrics import (
    adjusted_label_stability_score,
    cluster_silhouette_score,
    label_agreement_score,
    neighbor_agreement_score,
    resampling_stability_score,
    valley_contrast_score,
)
from invariant_cluster.neighbors import default_n_neighbors

CRITERIA = (
    "resampling_stability",
    "turning_stability",
    "label_agreement",
    "silhouette",
    "valley_contrast",
    "neighbor_agreement",
)
_REFERRED = (
    "resampling_stability",
    "label_agreement",
    "silhouette",
    "valley_contrast",
)


class EmbeddedImages(NamedTuple):
    """Embeddings on which clusterers are judged.

    Attributes
    ----------
    z : ndarray or ImageEmbedding of shape (n, d)
        Embedding of X.
    z_turned : ndarray or ImageEmbedding of shape (n, d), or None
        Embedding of a copy of X in which each image is turned; None if X holds no
        images.
    """

    z: NDArray | ImageEmbedding
    z_turned: NDArray | ImageEmbedding | None = None


Fit = tuple[
    Any, EmbeddedImages, int
]  # An unfitted clusterer, its embeddings and a seed.


def _judge(heads_only: bool, *, with_z: bool) -> Callable[..., dict[str, float]]:
    """Return a function that maps a fit to its criteria.

    Parameters
    ----------
    heads_only : bool
        Whether the clusterer sees plain rows and trains its heads only.
    with_z : bool
        Whether to add the criteria of z itself.
    """

    def judge(clusterer: Any, views: EmbeddedImages, seed: int) -> dict[str, float]:
        heads = heads_alone(clusterer)
        turned = None if views.z_turned is None else np.asarray(views.z_turned)
        plain = EmbeddedImages(np.asarray(views.z), turned)
        reference = EmbeddedImages(_draw_reference(np.asarray(plain.z), seed))
        without = _judge_clusters(heads, reference, seed)
        given = (heads, plain) if heads_only else (clusterer, views)
        found = _judge_clusters(*given, seed)
        found |= {f"{name}_excess": found[name] - without[name] for name in _REFERRED}
        return found | (_judge_embedding(plain) if with_z else {})

    return judge


def _draw_reference(z: NDArray, seed: int) -> NDArray[np.float32]:
    """Return rows (n, d) drawn from a normal distribution fitted to z."""
    mean, covariance = z.mean(axis=0), np.atleast_2d(np.cov(z.T))
    drawn = np.random.default_rng(seed).multivariate_normal(
        mean, covariance, size=len(z), method="eigh"
    )
    return drawn.astype(np.float32)


def _judge_clusters(
    clusterer: Any, views: EmbeddedImages, seed: int
) -> dict[str, float]:
    """Fit a clusterer and return the criteria of its clusters."""
    fitted = with_seed(clusterer, seed).fit(views.z)
    z, labels = np.asarray(views.z), np.asarray(fitted.predict(views.z))
    n_neighbors = default_n_neighbors(len(z))
    found = {
        "clusters_used": float(len(np.unique(labels))),
        "resampling_stability": resampling_stability_score(
            clusterer, views.z, random_state=seed
        ),
        "label_agreement": label_agreement_score(z, labels, n_neighbors=n_neighbors),
        "silhouette": cluster_silhouette_score(z, labels),
        "valley_contrast": valley_contrast_score(z, labels),
    }
    if views.z_turned is not None:
        turned = np.asarray(fitted.predict(views.z_turned))
        found["turning_stability"] = adjusted_label_stability_score(labels, turned)
    return found


def _judge_embedding(views: EmbeddedImages) -> dict[str, float]:
    """Return the criteria of z itself; none if X holds no images."""
    if views.z_turned is None:
        return {}
    z, turned = np.asarray(views.z), np.asarray(views.z_turned)
    n_neighbors = default_n_neighbors(len(z))
    agreement = neighbor_agreement_score(z, turned, n_neighbors=n_neighbors)
    return {"neighbor_agreement": agreement}


def _summarise(repeats: list[dict[str, float]]) -> dict[str, float]:
    """Return means and standard deviations over the repetitions."""
    frame = pd.DataFrame(repeats)
    row = {}
    for name in [*CRITERIA, "clusters_used"]:
        if name in frame:
            row[name] = frame[name].mean()
            row[f"{name}_std"] = frame[name].std(ddof=0)
        if f"{name}_excess" in frame:
            row[f"{name}_excess"] = frame[f"{name}_excess"].mean()
            row[f"{name}_excess_std"] = frame[f"{name}_excess"].std(ddof=0)
    return row
