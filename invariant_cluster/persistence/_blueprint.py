"""Everything except the weights that is needed to rebuild an encoder."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from invariant_cluster.images import (
    NO_SMOOTHING,
    NO_TONE,
    ImageLayout,
    Smoothing,
    Tone,
    as_tone,
    store_layout,
)
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
    """Description from which the network of an embedder is built again.

    The embedder attaches it to its encoder, so that a clusterer can save an encoder
    without the embedder.

    Attributes
    ----------
    recipe : Recipe
        Class and parameters of the embedder; "auto" sizes are replaced by their values.
    intensity_range : (float, float)
        Raw values that are scaled to 0 and 1.
    background : ndarray of shape (c,)
        Background of each channel, in raw units.
    smoothing : Smoothing
        How images are smoothed first.
    tone : Tone
        Background and level that images get next.
    layout : ImageLayout
        How the user's arrays hold images.
    side : int or None
        Side in pixels of the encoded square, as in ``ImageAligner``; None is the whole
        frame.
    size : float or None
        Size that objects get, as in ``ImageAligner``; None if they keep theirs.

    See Also
    --------
    make_blueprint : Describe an embedder in training.
    build_module : Build the network that a blueprint describes.
    """

    recipe: Recipe
    intensity_range: tuple[float, float]
    background: Any
    smoothing: Smoothing
    tone: Tone
    layout: ImageLayout
    side: int | None
    size: float | None


def make_blueprint(
    embedder: Any, aligner: ImageAligner, sizes: dict[str, Any]
) -> Blueprint:
    """Return the blueprint of an embedder in training.

    Parameters
    ----------
    embedder : ImageEmbedder
        Embedder with the fitted attributes ``layout_``, ``intensity_range_`` and
        ``background_``.
    aligner : ImageAligner
        Aligner of the network, of which the side of the crop is kept.
    sizes : dict
        Values of the parameters that may be "auto". Another machine may choose other
        values for "auto".

    Returns
    -------
    Blueprint
        The description, without weights.

    See Also
    --------
    recipe_of : Return class and parameters alone.
    """
    recipe = recipe_of(embedder)
    settled = {name: sizes.get(name, v) for name, v in recipe.parameters.items()}
    return Blueprint(
        recipe._replace(parameters=settled),
        embedder.intensity_range_,
        embedder.background_,
        aligner.smoothing,
        aligner.tone,
        embedder.layout_,
        aligner.side,
        aligner.size,
    )


def encode_blueprint(encoder: ImageEncoder) -> dict[str, Any]:
    """Return the blueprint of an encoder as JSON.

    Parameters
    ----------
    encoder : ImageEncoder
        Encoder of a fitted embedder, or a fine-tuned copy of it.

    Returns
    -------
    dict
        "class" and "parameters" of the embedder, and "geometry".

    Raises
    ------
    TypeError
        If a parameter of the embedder cannot be written as JSON.
    ValueError
        If the encoder has no blueprint.

    See Also
    --------
    decode_blueprint : Read the JSON again.
    """
    blueprint = getattr(encoder, "blueprint", None)
    if blueprint is None:
        raise ValueError(
            f"The {type(encoder).__name__} has no blueprint, since no embedder built "
            "it, or that of an older version: a model file cannot describe it. Use "
            "joblib."
        )
    geometry = {
        "intensity_range": encode(list(blueprint.intensity_range)),
        "background": blueprint.background.tolist(),
        "smoothing": list(blueprint.smoothing),
        "tone": list(blueprint.tone),
        "layout": blueprint.layout.to_json(),
        "side": blueprint.side,
        "size": blueprint.size,
    }
    return {**encode_recipe(blueprint.recipe), "geometry": geometry}


def decode_blueprint(spec: dict[str, Any]) -> Blueprint:
    """Return the blueprint that :func:`encode_blueprint` wrote.

    Parameters
    ----------
    spec : dict
        "class", "parameters" and "geometry".

    Returns
    -------
    Blueprint
        The description of the network.

    Raises
    ------
    ValueError
        If the class is unknown or an array is not numeric.

    See Also
    --------
    build_module : Build the network that the blueprint describes.
    """
    geometry = spec["geometry"]
    low, high = decode(geometry["intensity_range"])
    return Blueprint(
        decode_recipe(spec),
        (low, high),
        np.asarray(geometry["background"], dtype=np.float32),
        # Older files hold no smoothing, tone and size.
        Smoothing(*geometry.get("smoothing", NO_SMOOTHING)),
        as_tone(geometry.get("tone", NO_TONE)),
        ImageLayout.from_json(geometry["layout"]),
        geometry["side"],
        geometry.get("size"),
    )


def build_module(blueprint: Blueprint, encoder: Any = None) -> Any:
    """Return the untrained network of a blueprint, on the CPU.

    Parameters
    ----------
    blueprint : Blueprint
        Description of the network.
    encoder : callable, optional
        Factory of the encoder's trunk, if the model was trained with the user's own
        one.

    Returns
    -------
    nn.Module
        The network with random weights. Its encoder has the blueprint attached, so it
        can be saved again.

    Raises
    ------
    ValueError
        If the model needs a factory and none is given.

    See Also
    --------
    build_with_weights : Build a module and set its weights.
    """
    builder = make_estimator(blueprint.recipe, encoder)
    builder.device = "cpu"  # the device of the training may not exist here
    set_geometry(builder, blueprint)
    module = builder._rebuild_module(blueprint.side)
    module.encoder.blueprint = blueprint
    return module


def set_geometry(embedder: Any, blueprint: Blueprint) -> None:
    """Set the fitted attributes that are measured on the training images.

    Parameters
    ----------
    embedder : ImageEmbedder
        Gets ``intensity_range_``, ``background_``, ``smoothing_``, ``noise_level_``,
        ``tone_``, ``size_`` and the attributes of
        :func:`invariant_cluster.images.store_layout`.
    blueprint : Blueprint
        Source of the values.

    See Also
    --------
    make_blueprint : Read these attributes from an embedder.
    """
    embedder.intensity_range_ = blueprint.intensity_range
    embedder.background_ = blueprint.background
    embedder.smoothing_, embedder.noise_level_ = blueprint.smoothing
    embedder.tone_ = blueprint.tone
    embedder.size_ = blueprint.size
    store_layout(embedder, blueprint.layout)
