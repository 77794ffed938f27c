"""An estimator's class and parameters, as a model file holds them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from invariant_cluster.persistence._json_values import decode, encode, is_callable_name
from invariant_cluster.persistence._known_classes import Part, find_class, name_of

# Of no use to a trained model, and not always of a form that can be saved.
_LEFT_OUT = ("callbacks",)


class Recipe(NamedTuple):
    """An estimator's class and parameters.

    Attributes
    ----------
    kind : type
    parameters : dict
        Of a callable only its name: it may not be fit for a pickle. Callbacks and
        generators are None.
    """

    kind: type[Any]
    parameters: dict[str, Any]


def recipe_of(estimator: Any) -> Recipe:
    """Return the recipe of an estimator, fitted or not."""
    given = estimator.get_params(deep=False)
    kept = {name: _keep(name, value) for name, value in given.items()}
    return Recipe(type(estimator), kept)


def _keep(name: str, value: Any) -> Any:
    if name in _LEFT_OUT or isinstance(
        value, np.random.RandomState | np.random.Generator
    ):
        return None
    return encode(value) if callable(value) else value


def make_estimator(recipe: Recipe, encoder: Any = None) -> Any:
    """Return the unfitted estimator of a recipe.

    Raises
    ------
    ValueError
        When its encoder was a callable and is not given again.
    """
    parameters = dict(recipe.parameters)
    trained_with = parameters.get("encoder")
    if isinstance(trained_with, dict) and is_callable_name(trained_with):
        if encoder is None:
            called = trained_with["callable"]
            raise ValueError(
                f"The model was trained with encoder={called}, code of your own, which "
                f"a model file does not hold: load it with encoder={called}."
            )
        parameters["encoder"] = encoder
    return recipe.kind(**parameters)


def encode_recipe(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as JSON.

    Raises
    ------
    TypeError
        For a parameter that JSON cannot hold.
    ValueError
        When another class of that name would be found at loading.
    """
    name = name_of(recipe.kind)
    if find_class(name) is not recipe.kind:
        raise ValueError(
            f"{name} is the name of several classes: rename yours, or use joblib."
        )
    parameters = {
        key: _encode_parameter(name, key, value)
        for key, value in recipe.parameters.items()
    }
    return {"class": name, "parameters": parameters}


def _encode_parameter(kind: str, name: str, value: Any) -> Any:
    if is_callable_name(value) and name != "encoder":
        raise TypeError(
            f"{name}={value['callable']} of {kind} is code, which a model file does "
            "not hold: use joblib."
        )
    try:
        return encode(value)
    except TypeError as error:
        raise TypeError(
            f"{name}={value!r} of {kind} cannot be saved ({error}): use joblib."
        ) from error


def decode_recipe(spec: dict[str, Any]) -> Recipe:
    """Return the recipe that was encoded."""
    parameters = {name: decode(value) for name, value in spec["parameters"].items()}
    return Recipe(find_class(spec["class"]), parameters)


def restore(part: Part, encoder: Any = None) -> Any:
    """Return the fitted estimator of a part.

    Raises
    ------
    ValueError
        When the part is not one that ``save`` has written.
    """
    try:
        estimator = make_estimator(decode_recipe(part.spec), encoder)
        estimator._restore(part, encoder)
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(
            f"The model file does not describe a model ({error!r}): it was altered, or "
            "another version of invariant_cluster wrote it."
        ) from error
    return estimator


def names_of(estimator: Any) -> list[str] | None:
    """Return the feature names that an estimator saw, if any."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def set_names(estimator: Any, names: list[str] | None) -> None:
    """Set the feature names, if there were any."""
    if names is not None:
        estimator.feature_names_in_ = np.asarray(names, dtype=object)
