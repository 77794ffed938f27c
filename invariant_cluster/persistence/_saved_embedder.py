"""The part of a model file that holds an embedder with a trained network."""

from __future__ import annotations

from typing import Any

from torch import nn

from invariant_cluster.persistence._blueprint import (
    build_module,
    decode_blueprint,
    encode_blueprint,
    set_geometry,
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
    build_with_weights,
    leave_out,
    left_out,
    weights_of,
)
from invariant_cluster.training import resting_net


def dump_embedder(embedder: Any, *, encoder_only: bool) -> Part:
    """Return the content of a model file for a fitted embedder.

    Parameters
    ----------
    embedder : ImageEmbedder
        Fitted embedder.
    encoder_only : bool
        Whether to omit all parts of the network but the encoder.

    Returns
    -------
    Part
        Parameters, history, weights and the blueprint of the encoder.

    Raises
    ------
    TypeError, ValueError
        If a parameter cannot be saved or the encoder has no blueprint.

    See Also
    --------
    restore_embedder : Set these attributes again.
    """
    module = embedder.net_.module_
    missing = _beside_encoder(module) if encoder_only else left_out(module)
    state = {
        "history": encode_frame(embedder.history_),
        "feature_names_in": names_of(embedder),
        "left_out": missing,
    }
    weights = {
        name: weight
        for name, weight in weights_of(module).items()
        if name.split(".")[0] not in missing
    }
    blueprint = encode_blueprint(embedder.encoder_)
    recipe = encode_recipe(recipe_of(embedder))
    return Part({**recipe, "blueprint": blueprint, "state": state}, weights)


def restore_embedder(embedder: Any, part: Part, encoder: Any) -> None:
    """Set the fitted attributes of an embedder from its part.

    Parameters
    ----------
    embedder : ImageEmbedder
        Unfitted embedder, changed in place.
    part : Part
        Output of :func:`dump_embedder`.
    encoder : callable or None
        The user's encoder factory, if the model was trained with one.

    Raises
    ------
    ValueError
        If the weights do not fit the description, or an encoder factory is needed.

    See Also
    --------
    dump_embedder : Return the part of a fitted embedder.
    """
    blueprint = decode_blueprint(part.spec["blueprint"])
    state = part.spec["state"]
    module = build_with_weights(
        lambda: leave_out(build_module(blueprint, encoder), state["left_out"]),
        part.tensors,
        sketch=encoder is None,
    )
    set_geometry(embedder, blueprint)
    set_names(embedder, state["feature_names_in"])
    embedder.history_ = decode_frame(state["history"])
    embedder.n_iter_ = len(embedder.history_)
    embedder.net_ = resting_net(module)


def _beside_encoder(module: nn.Module) -> list[str]:
    """Return the names of all parts of a module except its encoder."""
    return [name for name, _ in module.named_children() if name != "encoder"]
