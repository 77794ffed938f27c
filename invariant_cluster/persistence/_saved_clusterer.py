"""The part of a model file that holds a clusterer of embeddings."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from invariant_cluster.modules import ClusterHeads, ScanModule
from invariant_cluster.persistence._blueprint import (
    build_module,
    decode_blueprint,
    encode_blueprint,
)
from invariant_cluster.persistence._json_values import decode_frame, encode_frame
from invariant_cluster.persistence._known_classes import Part
from invariant_cluster.persistence._recipe import (
    encode_recipe,
    names_of,
    recipe_of,
    set_names,
)
from invariant_cluster.persistence._weights import (
    arrays_of,
    build_with_weights,
    weights_of,
)
from invariant_cluster.training import resting_net

_ARRAYS = ("labels_", "probabilities_", "neighbors_", "training_embedding_")


def dump_clusterer(clusterer: Any) -> Part:
    """Return the content of a model file for a fitted clusterer.

    Parameters
    ----------
    clusterer : EmbeddingClusterer
        Fitted clusterer.

    Returns
    -------
    Part
        Parameters, history, labels, probabilities, neighbours, training embedding and
        weights, with the blueprint of a fine-tuned encoder.

    Raises
    ------
    TypeError, ValueError
        If a parameter cannot be saved or the encoder has no blueprint.

    See Also
    --------
    restore_clusterer : Set these attributes again.
    """
    encoder = clusterer.encoder_
    state = {
        "fine_tuned": clusterer.fine_tuned_,
        "history": encode_frame(clusterer.history_),
        "n_features_in": clusterer.n_features_in_,
        "feature_names_in": names_of(clusterer),
        "temperature": clusterer.temperature_,
        "neighbors_recall": clusterer.neighbors_recall_,
        "choice": clusterer._dump_choice(),
        "own": clusterer._dump_state(),
    }
    blueprint = encode_blueprint(encoder) if encoder is not None else None
    arrays, weights = arrays_of(clusterer, _ARRAYS), weights_of(clusterer.net_.module_)
    recipe = encode_recipe(recipe_of(clusterer))
    spec = {**recipe, "state": state, "blueprint": blueprint}
    return Part(spec, arrays | weights)


def restore_clusterer(clusterer: Any, part: Part, encoder: Any) -> None:
    """Set the fitted attributes of a clusterer from its part.

    Parameters
    ----------
    clusterer : EmbeddingClusterer
        Unfitted clusterer, changed in place.
    part : Part
        Output of :func:`dump_clusterer`.
    encoder : callable or None
        The user's encoder factory, if the encoder was trained with one.

    Raises
    ------
    ValueError
        If the weights do not fit the description, or an encoder factory is needed.

    See Also
    --------
    dump_clusterer : Return the part of a fitted clusterer.
    """
    state, tensors = part.spec["state"], dict(part.tensors)
    for name in _ARRAYS:
        setattr(clusterer, name, tensors.pop(name).numpy())
    module = build_with_weights(
        lambda: ScanModule(_build_encoder(part, encoder), _build_heads(tensors)),
        tensors,
        sketch=encoder is None,
    )
    clusterer.net_ = resting_net(module)
    clusterer.fine_tuned_ = state["fine_tuned"]
    clusterer.history_ = decode_frame(state["history"])
    clusterer.n_iter_ = len(clusterer.history_)
    clusterer.n_features_in_ = state["n_features_in"]
    clusterer.temperature_ = state.get("temperature", 1.0)  # older files have none
    # Older files have none: their search was exact.
    clusterer.neighbors_recall_ = state.get("neighbors_recall", 1.0)
    clusterer.n_clusters_ = clusterer.probabilities_.shape[1]
    clusterer._restore_choice(state.get("choice"))  # older files have none
    set_names(clusterer, state["feature_names_in"])
    clusterer._restore_state(state["own"])


def _build_encoder(part: Part, encoder: Any) -> nn.Module:
    """Return the untrained encoder; the identity if the clusterer has none."""
    blueprint = part.spec["blueprint"]
    if blueprint is None:
        return nn.Identity()
    built: nn.Module = build_module(decode_blueprint(blueprint), encoder).encoder
    return built


def _build_heads(weights: dict[str, Tensor]) -> ClusterHeads:
    """Return heads with the shapes of the weights."""
    mean, centroids = weights["heads.mean"], weights["heads.weight"]
    return ClusterHeads(mean, 1.0, torch.zeros_like(centroids))
