"""All that it takes to build an encoder again, its weights apart."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from invariant_cluster.images import ImageLayout, store_layout
from invariant_cluster.modules import ImageAligner, ImageEncoder
from invariant_cluster.persistence._json_values import decode, encode
from invariant_cluster.persistence._recipe import (
    Recipe,
    decode_recipe,
    encode_recipe,
    make_estimator,
    recipe_of,
)


class Blueprint(NamedTuple):
    """What an encoder remembers of the embedder that made it.

    Attributes
    ----------
    recipe : Recipe
    intensity_range : (float, float)
    background : ndarray of shape (c,)
    layout : ImageLayout
    side : int or None
        As in ``ImageAligner``.
    """

    recipe: Recipe
    intensity_range: tuple[float, float]
    background: Any
    layout: ImageLayout
    side: int | None


def make_blueprint(
    embedder: Any, aligner: ImageAligner, sizes: dict[str, Any]
) -> Blueprint:
    """Return the blueprint of an embedder in training.

    Parameters
    ----------
    embedder : ImageEmbedder
        With layout, intensity range and background.
    aligner : ImageAligner
    sizes : dict
        Values of parameters that may be "auto": another machine could settle them
        otherwise.
    """
    recipe = recipe_of(embedder)
    settled = {name: sizes.get(name, v) for name, v in recipe.parameters.items()}
    return Blueprint(
        recipe._replace(parameters=settled),
        embedder.intensity_range_,
        embedder.background_,
        embedder.layout_,
        aligner.side,
    )


def encode_blueprint(encoder: ImageEncoder) -> dict[str, Any]:
    """Return the blueprint of an encoder that an embedder made, as JSON.

    Raises
    ------
    ValueError
        When it was made in another way.
    """
    blueprint = getattr(encoder, "blueprint", None)
    if blueprint is None:
        raise ValueError(
            f"The {type(encoder).__name__} was made by no embedder, or by that of an "
            "older version, so a file cannot tell how to build it again: use joblib."
        )
    geometry = {
        "intensity_range": encode(list(blueprint.intensity_range)),
        "background": blueprint.background.tolist(),
        "layout": blueprint.layout.to_json(),
        "side": blueprint.side,
    }
    return {**encode_recipe(blueprint.recipe), "geometry": geometry}


def decode_blueprint(spec: dict[str, Any]) -> Blueprint:
    """Return the blueprint that was encoded."""
    geometry = spec["geometry"]
    low, high = decode(geometry["intensity_range"])
    return Blueprint(
        decode_recipe(spec),
        (low, high),
        np.asarray(geometry["background"], dtype=np.float32),
        ImageLayout.from_json(geometry["layout"]),
        geometry["side"],
    )


def build_module(blueprint: Blueprint, encoder: Any = None) -> Any:
    """Return the untrained module of a blueprint.

    Parameters
    ----------
    blueprint : Blueprint
    encoder : callable, optional
        The user's own factory, if the model had one.
    """
    builder = make_estimator(blueprint.recipe, encoder)
    builder.device = "cpu"  # where it was trained may not exist here
    set_geometry(builder, blueprint)
    module = builder._rebuild_module(blueprint.side)
    module.encoder.blueprint = blueprint
    return module


def set_geometry(embedder: Any, blueprint: Blueprint) -> None:
    """Set the fitted attributes that come from the training images alone."""
    embedder.intensity_range_ = blueprint.intensity_range
    embedder.background_ = blueprint.background
    store_layout(embedder, blueprint.layout)
