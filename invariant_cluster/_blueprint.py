"""All that it takes to build an encoder again, its weights apart."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from invariant_cluster._savable import construct, describe
from invariant_cluster._validation import ImageLayout, store_layout
from invariant_cluster.modules import ImageAligner, ImageEncoder


def make_blueprint(embedder: Any, aligner: ImageAligner) -> dict[str, Any]:
    """Return class, parameters and geometry of an embedder in training, as JSON."""
    geometry = {
        "intensity_range": list(embedder.intensity_range_),
        "background": embedder.background_.tolist(),
        "layout": asdict(embedder.layout_),
        "side": aligner.side,
    }
    return {**describe(embedder), "geometry": geometry}


def build_module(blueprint: dict[str, Any], encoder: Any = None) -> Any:
    """Return the untrained module of a blueprint.

    Parameters
    ----------
    blueprint : dict
    encoder : callable, optional
        The user's own factory, if the model had one.
    """
    # Where it was trained does not matter here, and may not exist.
    parameters = {**blueprint["parameters"], "device": "cpu"}
    builder = construct({**blueprint, "parameters": parameters}, encoder)
    set_geometry(builder, blueprint)
    module = builder._rebuild_module(blueprint["geometry"]["side"])
    module.encoder.blueprint = blueprint
    return module


def set_geometry(embedder: Any, blueprint: dict[str, Any]) -> None:
    """Set the fitted attributes that come from the training images alone."""
    geometry = blueprint["geometry"]
    low, high = geometry["intensity_range"]
    embedder.intensity_range_ = (low, high)
    embedder.background_ = np.asarray(geometry["background"], dtype=np.float32)
    layout = geometry["layout"]
    store_layout(embedder, ImageLayout(**{**layout, "shape": tuple(layout["shape"])}))


def blueprint_of(encoder: ImageEncoder) -> dict[str, Any]:
    """Return the blueprint of an encoder that an embedder made.

    Raises
    ------
    ValueError
        When it was made in another way.
    """
    if encoder.blueprint is None:
        raise ValueError(
            f"The {type(encoder).__name__} was made by no embedder, so a file cannot "
            "tell how to build it again: use joblib."
        )
    return encoder.blueprint
