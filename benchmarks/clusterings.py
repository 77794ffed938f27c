"""The ways to cluster z, each with the parameters that it is run with."""

from typing import Any

import numpy as np
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    adjusted_rand_score,
    normalized_mutual_info_score,
)
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from invariant_cluster import SCANClusterer, TEMIClusterer
from invariant_cluster.metrics import clustering_accuracy_score

SCAN_STEPS = ("SCAN", "SCAN heads")
TRAINED_STEPS = (*SCAN_STEPS, "TEMI heads")
TEMI_SHARES = ("n_neighbors", "batch_size")  # with SCAN's settings
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
    if step == "TEMI heads":
        shared = {name: settings[name] for name in TEMI_SHARES if name in settings}
        parameters = {"fine_tune": False, **shared, **options}
        return TEMIClusterer(n_clusters, random_state=seed, **parameters)
    if step == "20-neighbour vote":
        return KNeighborsClassifier(20)
    if step == "logistic regression":
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
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
    clusterer: Any,
    train: np.ndarray,
    test: np.ndarray,
    classes: np.ndarray | None = None,
) -> tuple[np.ndarray | None, np.ndarray]:
    """Return labels of train and test rows; fitted on train rows where it predicts.

    Agglomerative clustering predicts nothing, and takes memory by the square of the
    rows: it runs on the test rows alone. A supervised method is given the classes of
    the train rows.
    """
    if classes is not None:
        rows = np.asarray(train), np.asarray(test)
        clusterer.fit(rows[0], classes)
        return clusterer.predict(rows[0]), clusterer.predict(rows[1])
    if not hasattr(clusterer, "predict"):
        return None, clusterer.fit_predict(np.asarray(test))
    clusterer.fit(train)
    return clusterer.labels_, clusterer.predict(test)


def score(
    part: str, truth: np.ndarray, labels: np.ndarray | None, matched: bool = True
) -> dict[str, Any]:
    """Return accuracy, NMI and ARI, their names begun by the part's.

    ``matched`` is False for labels that are the classes themselves.
    """
    scores = {
        "accuracy": clustering_accuracy_score if matched else accuracy_score,
        "nmi": normalized_mutual_info_score,
        "ari": adjusted_rand_score,
    }
    return {
        f"{part}_{name}": None if labels is None else float(function(truth, labels))
        for name, function in scores.items()
    }
