"""Every estimator of the package, small, as what turns images into an array."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import Pipeline

from benchmarks.scales import get_settings
from invariant_cluster import (
    ClassAverageEmbedder,
    IRLINREmbedder,
    JointEmbedder,
    PolarFourierEmbedder,
    SCANClusterer,
    ScatteringEmbedder,
    SimCLREmbedder,
    SpatialVAEEmbedder,
    TargetVAEEmbedder,
    TEMIClusterer,
    make_pipeline,
)

SETTINGS = get_settings("mnist-u", "smoke")
SIDE = SETTINGS.data["side"]
N_IMAGES = 96
N_EPOCHS = 3  # of 3 steps: more than a GPU runs before it records one
N_CLUSTERS = 3
DECODERS = ("hypernetwork", "mlp", "pixels")
RIVALS = {
    "SimCLR": SimCLREmbedder,
    "TARGET-VAE": TargetVAEEmbedder,
    "Spatial-VAE": SpatialVAEEmbedder,
}
SCANS: dict[str, dict[str, Any]] = {
    "SCAN, heads": {"fine_tune": False},
    "SCAN, fine-tuning": {"fine_tune": True},
    "SCAN, self-labelling": {
        "fine_tune": True,
        "self_label": True,
        "self_label_max_epochs": N_EPOCHS,
    },
    "SCAN, two rounds": {"fine_tune": True, "n_rounds": 2},
}
EPOCHS = {"max_epochs": N_EPOCHS, "fine_tune_max_epochs": N_EPOCHS}
TEMI = {"n_heads": 2, "n_neighbors": 5, "batch_size": 32}
TEMIS: dict[str, dict[str, Any]] = {
    "TEMI, heads": {"fine_tune": False},
    "TEMI, fine-tuning": {"fine_tune": True},
}

Fit = Callable[[np.ndarray], Any]


class Subject:
    """A model to be checked, fitted at the first need.

    Parameters
    ----------
    name : str
    fit : callable
        Maps images to a fitted model: an embedder, or a Pipeline with a clusterer.
    images : ndarray of shape (n, h, w)
    """

    def __init__(self, name: str, fit: Fit, images: np.ndarray) -> None:
        self.name = name
        self.images = images
        self._fit = fit

    @cached_property
    def model(self) -> Any:
        return self._fit(self.images)

    @cached_property
    def output(self) -> np.ndarray:
        """What the model gives for its images on its device."""
        return compute(self.model, self.images)


def compute(model: Any, images: np.ndarray) -> np.ndarray:
    """Return z of an embedder, or the probabilities of a Pipeline's clusters."""
    if isinstance(model, Pipeline):
        return np.asarray(model.predict_proba(images))
    return np.asarray(model.transform(images))


class Parts(NamedTuple):
    """A model's estimators, members of a joint embedder included."""

    embedders: list[Any]
    clusterers: list[Any]


def parts_of(model: Any) -> Parts:
    """Return the fitted estimators of which a model consists."""
    steps = [step for _, step in getattr(model, "steps", [("", model)])]
    clusterers = [step for step in steps if hasattr(step, "n_clusters")]
    embedders = [
        member
        for step in steps
        if step not in clusterers
        for _, member in getattr(step, "embedders_", [("", step)])
    ]
    return Parts(embedders, clusterers)


def set_device(model: Any, device: str) -> Any:
    """Let each estimator of a fitted model compute on a device; return the model."""
    parts = parts_of(model)
    for estimator in (*parts.embedders, *parts.clusterers):
        if "device" in estimator.get_params():
            estimator.set_params(device=device)
    return model


def list_subjects(device: str, images: np.ndarray) -> list[Subject]:
    """Return a subject for every estimator and every way to use it."""
    options: dict[str, Any] = {"device": device, "random_state": 0}
    ours = {**SETTINGS.embedder, "max_epochs": N_EPOCHS, **options}
    fits: dict[str, Fit] = {
        f"IRL-INR, {decoder}": IRLINREmbedder(**ours, decoder=decoder).fit
        for decoder in DECODERS
    }
    for name, rival in RIVALS.items():
        theirs = {**SETTINGS.rivals[name], "max_epochs": N_EPOCHS}
        fits[name] = rival(**theirs, **options).fit
    fits["polar Fourier"] = PolarFourierEmbedder(**options).fit
    fits["scattering"] = ScatteringEmbedder(**options).fit
    fits["class averages"] = ClassAverageEmbedder(**options).fit
    fits["joint"] = make_joint(ours, options).fit
    embed = Subject("", IRLINREmbedder(**ours).fit, images)
    for name, parameters in SCANS.items():
        scan = SCANClusterer(
            N_CLUSTERS, **{**SETTINGS.clusterer, **EPOCHS, **options, **parameters}
        )
        fits[name] = behind(embed, scan)
    for name, parameters in TEMIS.items():
        temi = TEMIClusterer(N_CLUSTERS, **{**TEMI, **EPOCHS, **options, **parameters})
        fits[name] = behind(embed, temi)
    fits["make_pipeline"] = make_whole(options).fit
    return [Subject(name, fit, images) for name, fit in fits.items()]


def make_joint(ours: dict[str, Any], options: dict[str, Any]) -> JointEmbedder:
    """Return a joint embedder of a learned and an unlearned space."""
    learned, scattering = IRLINREmbedder(**ours), ScatteringEmbedder(**options)
    return JointEmbedder([("learned", learned), ("scattering", scattering)])


def behind(embed: Subject, clusterer: Any) -> Fit:
    """Return what fits a clusterer behind an embedder that is fitted already."""

    def fit(images: np.ndarray) -> Pipeline:
        clusterer.fit(embed.model.transform(images))
        return Pipeline([("embed", embed.model), ("cluster", clusterer)])

    return fit


def make_whole(options: dict[str, Any]) -> Pipeline:
    """Return the Pipeline that the package makes, with small networks."""
    pipeline = make_pipeline(
        N_CLUSTERS, max_epochs=1, fine_tune_max_epochs=1, n_neighbors=5, **options
    )
    sizes = {f"embed__learned__{name}": v for name, v in SETTINGS.embedder.items()}
    return pipeline.set_params(cluster__max_epochs=1, **sizes)
