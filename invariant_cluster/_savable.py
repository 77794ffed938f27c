"""Saving and loading of fitted estimators, without pickle."""

from __future__ import annotations

import os
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterator
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
        pickle. Callbacks and generators are left out, and a loaded model is not trained
        further: for that, joblib keeps everything.

        Parameters
        ----------
        path : path-like
            Replaced if it exists, whole or not at all.
        encoder_only : bool, default=False
            Leave out what ``transform`` does not need, most of the bytes: the loaded
            embedder cannot ``reconstruct`` or ``score``.

        Raises
        ------
        FileNotFoundError
            When the folder does not exist.
        """
        part = self._dump(encoder_only=encoder_only)
        write_model(path, join_parts({"": part}))

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
        found = ", ".join(part.spec["class"] for part in parts.values())
        estimator = restore(parts[""], encoder) if "" in parts else None
        if not isinstance(estimator, cls):
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


def describe(estimator: Any) -> dict[str, Any]:
    """Return class and parameters of an estimator as JSON.

    A generator becomes None, as do callbacks.
    """
    parameters = {
        name: encode(None if _is_left_out(name, value) else value)
        for name, value in estimator.get_params(deep=False).items()
    }
    return {"class": type(estimator).__name__, "parameters": parameters}


def _is_left_out(name: str, value: object) -> bool:
    return name in _LEFT_OUT or isinstance(
        value, np.random.RandomState | np.random.Generator
    )


def construct(spec: dict[str, Any], encoder: Any = None) -> Any:
    """Return the unfitted estimator that ``describe`` was given.

    Raises
    ------
    ValueError
        When its class is unknown, or a callable parameter was not given again.
    """
    parameters = {
        name: _given(encoder, value["callable"])
        if is_callable_name(value)
        else decode(value)
        for name, value in spec["parameters"].items()
    }
    return _find_class(spec["class"])(**parameters)


def restore(part: Part, encoder: Any = None) -> Any:
    """Return the fitted estimator of a part."""
    estimator = construct(part.spec, encoder)
    estimator._restore(part, encoder)
    return estimator


def _given(encoder: Any, name: str) -> Any:
    if encoder is None:
        raise ValueError(
            f"The model was trained with encoder={name}, code of your own, which a "
            f"model file does not hold: load it with encoder={name}."
        )
    return encoder


def _find_class(name: str) -> type[SavableMixin]:
    """Return the estimator of that name; a file can name no other code."""
    for known in _descendants(SavableMixin):
        if known.__name__ == name:
            return known
    raise ValueError(
        f"The file holds a {name}, which is unknown: import its module first, or "
        "install the version of invariant_cluster that has it."
    )


def _descendants(parent: type[Any]) -> Iterator[type[Any]]:
    for child in parent.__subclasses__():
        yield child
        yield from _descendants(child)


def join_parts(parts: dict[str, Part]) -> ModelFile:
    """Return the content of a file that holds these parts, by name."""
    spec = {"parts": {name: part.spec for name, part in parts.items()}}
    tensors = {
        f"{name}/{key}": tensor
        for name, part in parts.items()
        for key, tensor in part.tensors.items()
    }
    return ModelFile(spec, tensors)


def split_parts(content: ModelFile) -> dict[str, Part]:
    """Return the parts of a file, by name."""
    return {
        name: Part(
            spec,
            {
                key.removeprefix(f"{name}/"): tensor
                for key, tensor in content.tensors.items()
                if key.startswith(f"{name}/")
            },
        )
        for name, spec in content.spec["parts"].items()
    }


def names_of(estimator: Any) -> list[str] | None:
    """Return the feature names that an estimator saw, if any."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def set_names(estimator: Any, names: list[str] | None) -> None:
    """Set the feature names, if there were any."""
    if names is not None:
        estimator.feature_names_in_ = np.asarray(names, dtype=object)
