"""The ways to cluster z, each with the parameters that it is run with."""

from typing import Any

import numpy as np
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import (
    adjusted_rand_score,
    normalized_mutual_info_score,
)
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline

from invariant_cluster import SCANClusterer
from invariant_cluster.metrics import clustering_accuracy_score

SCAN_STEPS = ("SCAN", "SCAN heads")
MIXTURE_DIMENSIONS = 20  # full covariances of all of z would have too many numbers
MIXTURE_FLOOR = 1e-6  # of each variance, in parts of the mean variance


def make_clusterer(
    step: str, n_clusters: int, settings: dict[str, Any], seed: int, **options: Any
) -> Any:
    """Return the unfitted clusterer of a step.

    Parameters
    ----------
    step : str
    settings, options : dict
        Parameters of SCAN and the circumstances it runs in; others have their own.
    """
    if step in SCAN_STEPS:
        fine_tune = step == "SCAN"
        parameters = {"fine_tune": fine_tune, **settings, **options}
        return SCANClusterer(n_clusters, random_state=seed, **parameters)
    if step == "k-means":
        return KMeans(n_clusters, n_init=10, random_state=seed)
    if step == "agglomerative":
        return AgglomerativeClustering(n_clusters, linkage="ward")
    return Mixture(n_clusters, random_state=seed)


class Mixture:
    """A Gaussian mixture with full covariances on the leading principal components."""

    def __init__(self, n_clusters: int, random_state: int) -> None:
        self.n_clusters = n_clusters
        self.random_state = random_state

    def get_params(self, deep: bool = False) -> dict[str, Any]:
        return {
            "n_clusters": self.n_clusters,
            "n_components": MIXTURE_DIMENSIONS,
            "reg_covar": f"{MIXTURE_FLOOR} of the mean variance",
            "n_init": 3,
        }

    def fit(self, z: np.ndarray, y: object = None) -> "Mixture":
        rows = np.asarray(z, dtype=np.float64)
        pca = PCA(min(MIXTURE_DIMENSIONS, *z.shape), random_state=self.random_state)
        floor = MIXTURE_FLOOR * float(rows.var(axis=0).mean())
        mixture = GaussianMixture(
            self.n_clusters,
            n_init=3,
            max_iter=500,
            reg_covar=floor,
            random_state=self.random_state,
        )
        self.pipeline_ = Pipeline([("pca", pca), ("mixture", mixture)]).fit(rows)
        self.labels_ = self.predict(rows)
        return self

    def predict(self, z: np.ndarray) -> np.ndarray:
        return self.pipeline_.predict(np.asarray(z, dtype=np.float64))


def label(
    clusterer: Any, train: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray]:
    """Return labels of train and test rows; fitted on train rows where it predicts.

    Agglomerative clustering predicts nothing, and takes memory by the square of the
    rows: it runs on the test rows alone.
    """
    if not hasattr(clusterer, "predict"):
        return None, clusterer.fit_predict(np.asarray(test))
    clusterer.fit(train)
    return clusterer.labels_, clusterer.predict(test)


def score(part: str, truth: np.ndarray, labels: np.ndarray | None) -> dict[str, Any]:
    """Return accuracy, NMI and ARI, their names begun by the part's."""
    scores = {
        "accuracy": clustering_accuracy_score,
        "nmi": normalized_mutual_info_score,
        "ari": adjusted_rand_score,
    }
    return {
        f"{part}_{name}": None if labels is None else float(function(truth, labels))
        for name, function in scores.items()
    }
