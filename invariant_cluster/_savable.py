"""Saving and loading of fitted estimators, without pickle."""

from __future__ import annotations

import inspect
import os
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from torch import Tensor, nn

from invariant_cluster._json_values import decode, encode, is_callable_name
from invariant_cluster._model_file import ModelFile, read_model, write_model

# Of no use to a trained model, and not always of a form that can be saved.
_LEFT_OUT = ("callbacks",)


class Part(NamedTuple):
    """What a file holds of one estimator.

    Attributes
    ----------
    spec : dict
        JSON: "class", "parameters" and "state".
    tensors : dict of str to Tensor
    """

    spec: dict[str, Any]
    tensors: dict[str, Tensor]


class SavableMixin(metaclass=ABCMeta):
    """Adds ``save`` and ``load`` to an estimator."""

    def save(self, path: str | os.PathLike[str], *, encoder_only: bool = False) -> None:
        """Write the fitted estimator to a file that cannot run code when loaded.

        Weights are in the safetensors format, everything else is JSON in its header; no
        pickle. Callbacks, generators and what a subclass of yours adds to the fitted
        attributes are left out, and a loaded model is not trained further: for that,
        joblib keeps everything.

        Parameters
        ----------
        path : path-like
            Replaced if it exists, whole or not at all.
        encoder_only : bool, default=False
            Leave out what ``transform`` does not need, which is most of the bytes of an
            ``IRLINREmbedder``: a loaded embedder cannot ``reconstruct``, ``draw`` or
            ``score``. A clusterer needs all that it has.

        Raises
        ------
        FileNotFoundError
            When the folder does not exist.
        TypeError, ValueError
            For parameters that a file cannot hold, such as code of your own other than
            an ``encoder``.
        """
        part = self._dump(encoder_only=encoder_only)
        write_model(path, join_parts([(None, part)]))

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        encoder: Callable[[int], nn.Module] | None = None,
    ) -> Self:
        """Return the estimator that a file of ``save`` holds.

        Parameters
        ----------
        path : path-like
        encoder : callable, optional
            The factory given as ``encoder`` when the model was trained, if it was your
            own: a file holds its weights, not its code.

        Raises
        ------
        FileNotFoundError
            When there is no such file.
        ValueError
            When it is damaged, of a newer version, or holds something else.
        """
        parts = split_parts(read_model(path))
        estimator = restore(parts[0][1], encoder) if len(parts) == 1 else None
        if not isinstance(estimator, cls):
            found = ", ".join(str(part.spec.get("class")) for _, part in parts)
            raise ValueError(
                f"path={str(path)!r} holds {found}, no {cls.__name__}: use "
                "invariant_cluster.load_model, which returns what there is."
            )
        return estimator

    @abstractmethod
    def _dump(self, *, encoder_only: bool) -> Part:
        """Return what a file holds of the fitted estimator."""

    @abstractmethod
    def _restore(self, part: Part, encoder: Any) -> None:
        """Set the fitted attributes; parameters are set already."""


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
    name = _name_of(recipe.kind)
    if _find_class(name) is not recipe.kind:
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
    return Recipe(_find_class(spec["class"]), parameters)


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


def _name_of(kind: type[Any]) -> str:
    """Return what a file calls a class: ours by its name, others by their place too."""
    is_ours = kind.__module__.startswith(f"{__package__}.")
    return kind.__name__ if is_ours else f"{kind.__module__}.{kind.__qualname__}"


def _find_class(name: str) -> type[Any]:
    """Return the estimator of that name; a file can name no other code."""
    for known in _descendants(SavableMixin):
        if _name_of(known) == name and not inspect.isabstract(known):
            return known
    raise ValueError(
        f"The file holds a {name}, which is unknown: import its module first, or "
        "install the version of invariant_cluster that has it."
    )


def _descendants(parent: type[Any]) -> Iterator[type[Any]]:
    """Yield all subclasses, the latest first: a notebook defines some again."""
    for child in reversed(parent.__subclasses__()):
        yield child
        yield from _descendants(child)


def join_parts(parts: Sequence[tuple[str | None, Part]]) -> ModelFile:
    """Return the content of a file that holds these parts; one without name is all."""
    spec = {"parts": [{"name": name, **part.spec} for name, part in parts]}
    tensors = {
        f"{i}/{key}": tensor
        for i, (_, part) in enumerate(parts)
        for key, tensor in part.tensors.items()
    }
    return ModelFile(spec, tensors)


def split_parts(content: ModelFile) -> list[tuple[str | None, Part]]:
    """Return names and parts of a file.

    Raises
    ------
    ValueError
        When it has none.
    """
    specs = content.spec.get("parts")
    if not isinstance(specs, list) or not specs:
        raise ValueError("The model file holds no estimator: it was altered.")
    return [
        (spec.get("name"), Part(spec, _tensors_of(content, f"{i}/")))
        for i, spec in enumerate(specs)
    ]


def _tensors_of(content: ModelFile, prefix: str) -> dict[str, Tensor]:
    return {
        key.removeprefix(prefix): tensor
        for key, tensor in content.tensors.items()
        if key.startswith(prefix)
    }


def names_of(estimator: Any) -> list[str] | None:
    """Return the feature names that an estimator saw, if any."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def set_names(estimator: Any, names: list[str] | None) -> None:
    """Set the feature names, if there were any."""
    if names is not None:
        estimator.feature_names_in_ = np.asarray(names, dtype=object)
