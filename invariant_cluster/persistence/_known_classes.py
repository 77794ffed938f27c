"""The classes that a model file can name, and what it holds of one."""

from __future__ import annotations

import inspect
from abc import ABCMeta, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

from torch import Tensor

_PACKAGE = __name__.split(".")[0]


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


class Savable(metaclass=ABCMeta):
    """An estimator that a model file can hold."""

    @abstractmethod
    def _dump(self, *, encoder_only: bool) -> Part:
        """Return what a file holds of the fitted estimator."""

    @abstractmethod
    def _restore(self, part: Part, encoder: Any) -> None:
        """Set the fitted attributes; parameters are set already."""


def name_of(kind: type[Any]) -> str:
    """Return what a file calls a class: ours by its name, others by their place too."""
    is_ours = kind.__module__.startswith(f"{_PACKAGE}.")
    return kind.__name__ if is_ours else f"{kind.__module__}.{kind.__qualname__}"


def find_class(name: str) -> type[Any]:
    """Return the estimator of that name; a file can name no other code."""
    for known in _descendants(Savable):
        if name_of(known) == name and not inspect.isabstract(known):
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
