"""Pipelines for the command line, by what the images are and what computes."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import torch
from sklearn.pipeline import Pipeline

from invariant_cluster import IRLINREmbedder, SCANClusterer


class Kind(StrEnum):
    """What the images show."""

    general = "general"
    wafers = "wafers"


class ColorKind(StrEnum):
    """What images of different kinds become."""

    auto = "auto"
    grey = "grey"
    rgb = "rgb"


class Network(StrEnum):
    """How large the networks are."""

    auto = "auto"
    light = "light"
    full = "full"


class Invariance(StrEnum):
    """What does not change an image's meaning."""

    rotation = "rotation"
    translation = "rotation+translation"
    reflection = "rotation+reflection"
    all = "rotation+translation+reflection"


# For two CPU cores, as IRLINREmbedder.light.
_LIGHT_CLUSTERER: dict[str, Any] = {"max_epochs": 6}
# docs/user_guide says what the wafers' settings stand for.
_EMBEDDER: dict[Kind, dict[str, Any]] = {
    Kind.general: {},
    Kind.wafers: {
        "invariance": "rotation+reflection",
        "noise": 2.0,
        "temperature": 1.0,
        "consistency_weight": 0.01,
    },
}
_CLUSTERER: dict[Kind, dict[str, Any]] = {
    Kind.general: {},
    Kind.wafers: {"augmentation": "R", "lr": 1e-4},
}


def make_pipeline(
    n_clusters: int,
    *,
    kind: Kind = Kind.general,
    network: Network = Network.auto,
    invariance: Invariance | None = None,
    epochs: int | None = None,
    n_neighbors: int | None = None,
    seed: int = 0,
    device: str = "auto",
) -> Pipeline:
    """Return an unfitted IRL-INR + SCAN.

    Parameters
    ----------
    n_clusters : int
    kind : Kind
    network : Network
        auto: full where there is a GPU.
    invariance : Invariance, optional
        By default what suits the kind.
    epochs : int, optional
        Of the embedder.
    n_neighbors : int, optional
        Of the clusterer.
    seed : int
    device : str
    """
    is_light = network == Network.light or (
        network == Network.auto and not _has_gpu(device)
    )
    make_embedder = IRLINREmbedder.light if is_light else IRLINREmbedder
    embedder = dict(_EMBEDDER[kind])
    clusterer = (_LIGHT_CLUSTERER if is_light else {}) | _CLUSTERER[kind]
    if invariance is not None:
        embedder["invariance"] = str(invariance)
    if epochs is not None:
        embedder["max_epochs"] = epochs
    if n_neighbors is not None:
        clusterer["n_neighbors"] = n_neighbors
    common: dict[str, Any] = {"device": device, "random_state": seed, "verbose": 1}
    return Pipeline(
        [
            ("embed", make_embedder().set_params(**embedder, **common)),
            ("cluster", SCANClusterer(n_clusters, **clusterer, **common)),
        ]
    )


def _has_gpu(device: str) -> bool:
    return device != "cpu" and torch.cuda.is_available()
