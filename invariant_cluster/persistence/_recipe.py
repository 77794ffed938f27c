"""Class and parameters of an estimator, as a model file holds them."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from invariant_cluster.persistence._json_values import decode, encode, is_callable_name
from invariant_cluster.persistence._known_classes import Part, find_class, name_of
from invariant_cluster.runtime import resolve_device

# Parameters that a trained model does not need and that may not be storable.
_LEFT_OUT = ("callbacks",)


class Recipe(NamedTuple):
    """Class and parameters of an estimator.

    Attributes
    ----------
    kind : type
        Class of the estimator.
    parameters : dict
        Constructor parameters by name. Callables are stored by name, since they may not
        be picklable; callbacks and random generators are None.

    See Also
    --------
    recipe_of : Return the recipe of an estimator.
    make_estimator : Build an estimator from a recipe.
    """

    kind: type[Any]
    parameters: dict[str, Any]


def recipe_of(estimator: Any) -> Recipe:
    """Return the recipe of an estimator, fitted or not.

    Parameters
    ----------
    estimator : estimator
        Any estimator with ``get_params``.

    Returns
    -------
    Recipe
        Its class and parameters.

    See Also
    --------
    encode_recipe : Convert a recipe to JSON.

    Examples
    --------
    >>> from invariant_cluster import PolarFourierEmbedder
    >>> from invariant_cluster.persistence import recipe_of
    >>> recipe = recipe_of(PolarFourierEmbedder(d=8))
    >>> recipe.kind.__name__, recipe.parameters["d"]
    ('PolarFourierEmbedder', 8)
    """
    given = estimator.get_params(deep=False)
    kept = {name: _keep(name, value) for name, value in given.items()}
    return Recipe(type(estimator), kept)


def _keep(name: str, value: Any) -> Any:
    """Return the value of a parameter as a recipe holds it."""
    if name in _LEFT_OUT or isinstance(
        value, np.random.RandomState | np.random.Generator
    ):
        return None
    return encode(value) if callable(value) else value


def make_estimator(recipe: Recipe, encoder: Any = None) -> Any:
    """Return the unfitted estimator of a recipe.

    Parameters
    ----------
    recipe : Recipe
        Class and parameters.
    encoder : callable, optional
        Factory that replaces the stored name of the parameter ``encoder``.

    Returns
    -------
    estimator
        A new estimator. ``encoder`` is ignored if the recipe stores no callable.

    Raises
    ------
    ValueError
        If the recipe stores the name of an encoder factory and ``encoder`` is None.

    See Also
    --------
    restore : Build a fitted estimator.
    """
    parameters = dict(recipe.parameters)
    trained_with = parameters.get("encoder")
    if isinstance(trained_with, dict) and is_callable_name(trained_with):
        if encoder is None:
            called = trained_with["callable"]
            raise ValueError(
                f"The model was trained with encoder={called}, your own code, which a "
                f"model file does not hold: give encoder={called} when loading."
            )
        parameters["encoder"] = encoder
    return recipe.kind(**parameters)


def encode_recipe(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as JSON.

    Parameters
    ----------
    recipe : Recipe
        Class and parameters.

    Returns
    -------
    dict
        "class", the name of the class, and "parameters".

    Raises
    ------
    TypeError
        If a parameter cannot be written as JSON, or is a callable other than
        ``encoder``.
    ValueError
        If several classes have the name, so that loading would find another one.

    See Also
    --------
    decode_recipe : Read the JSON again.
    """
    name = name_of(recipe.kind)
    if find_class(name) is not recipe.kind:
        raise ValueError(
            f"Several estimator classes are named {name}: rename yours, or use joblib."
        )
    parameters = {
        key: _encode_parameter(name, key, value)
        for key, value in recipe.parameters.items()
    }
    return {"class": name, "parameters": parameters}


def _encode_parameter(kind: str, name: str, value: Any) -> Any:
    """Return a parameter as JSON, or raise an error that names the parameter."""
    if is_callable_name(value) and name != "encoder":
        raise TypeError(
            f"{name}={value['callable']} of {kind} is code, which a model file "
            "cannot hold: use joblib."
        )
    try:
        return encode(value)
    except TypeError as error:
        raise TypeError(
            f"{name}={value!r} of {kind} cannot be saved ({error}): use joblib."
        ) from error


def decode_recipe(spec: dict[str, Any]) -> Recipe:
    """Return the recipe that :func:`encode_recipe` converted.

    Parameters
    ----------
    spec : dict
        "class" and "parameters".

    Returns
    -------
    Recipe
        Class and parameters.

    Raises
    ------
    ValueError
        If the class is unknown or an array is not numeric.

    See Also
    --------
    encode_recipe : Convert a recipe to JSON.
    """
    parameters = {name: decode(value) for name, value in spec["parameters"].items()}
    return Recipe(find_class(spec["class"]), parameters)


def restore(part: Part, encoder: Any = None) -> Any:
    """Return the fitted estimator of a part.

    Parameters
    ----------
    part : Part
        Part of a model file.
    encoder : callable, optional
        The user's encoder factory, if the model was trained with one.

    Returns
    -------
    estimator
        The fitted estimator.

    Raises
    ------
    ValueError
        If the part does not describe an estimator, or needs an encoder factory.

    See Also
    --------
    make_estimator : Build an unfitted estimator.
    """
    try:
        estimator = make_estimator(decode_recipe(part.spec), encoder)
        _check_device(estimator)
        estimator._restore(part, encoder)
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(
            f"The model file does not describe a model ({error!r}): it was altered, or "
            "written by another version of invariant_cluster. Save the model again."
        ) from error
    return estimator


def _check_device(estimator: Any) -> None:
    """Set a device that does not exist here to "auto", with a warning."""
    device = getattr(estimator, "device", "auto")
    try:
        resolve_device(device)
    except ValueError:
        estimator.device = "auto"
        warnings.warn(
            f"device={device!r} of the saved {type(estimator).__name__} is not "
            "available here: device='auto' is used instead.",
            UserWarning,
            stacklevel=4,
        )


def names_of(estimator: Any) -> list[str] | None:
    """Return the feature names that an estimator saw in ``fit``.

    Parameters
    ----------
    estimator : estimator
        Fitted estimator.

    Returns
    -------
    list of str or None
        The names; None if the input had no column names.

    See Also
    --------
    set_names : Set the names of a restored estimator.
    """
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def set_names(estimator: Any, names: list[str] | None) -> None:
    """Set ``feature_names_in_`` if there are names.

    Parameters
    ----------
    estimator : estimator
        Estimator to change in place.
    names : list of str or None
        Output of :func:`names_of`; with None nothing is set.

    See Also
    --------
    names_of : Return the names of a fitted estimator.
    """
    if names is not None:
        estimator.feature_names_in_ = np.asarray(names, dtype=object)
