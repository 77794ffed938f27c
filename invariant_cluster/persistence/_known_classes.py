"""The estimator classes that a model file can name, and the part of each estimator."""

from __future__ import annotations

import inspect
from abc import ABCMeta, abstractmethod
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

from torch import Tensor

_PACKAGE = __name__.split(".")[0]
# They define the estimators, and import this file.
_ROOMS = ("embedders", "clusterers")


class Part(NamedTuple):
    """Content of a model file for one estimator.

    Attributes
    ----------
    spec : dict
        JSON with the keys "class", "parameters" and "state", and for estimators with a
        network "blueprint".
    tensors : dict of str to Tensor
        Weights and fitted arrays by name.

    See Also
    --------
    load_model : Restore the estimators of a file.
    save_model : Write the parts of a model to a file.
    """

    spec: dict[str, Any]
    tensors: dict[str, Tensor]


class Savable(metaclass=ABCMeta):
    """Base class of the estimators that a model file can hold.

    A file names its estimators by class, and only subclasses of this class are found.

    See Also
    --------
    SavableMixin : Add the methods ``save`` and ``load``.
    """

    @abstractmethod
    def _dump(self, *, encoder_only: bool) -> Part:
        """Return the content of a model file for the fitted estimator."""

    @abstractmethod
    def _restore(self, part: Part, encoder: Any) -> None:
        """Set the fitted attributes; the parameters are already set."""


def name_of(kind: type[Any]) -> str:
    """Return the name of a class in model files.

    Parameters
    ----------
    kind : type
        Class of an estimator.

    Returns
    -------
    str
        The plain class name for classes of this package; module and qualified name for
        other classes.

    See Also
    --------
    find_class : Find the class by its name.
    """
    is_ours = kind.__module__.startswith(f"{_PACKAGE}.")
    return kind.__name__ if is_ours else f"{kind.__module__}.{kind.__qualname__}"


def find_class(name: str) -> type[Any]:
    """Return the estimator class with a name.

    Parameters
    ----------
    name : str
        Name as :func:`name_of` returns it.

    Returns
    -------
    type
        A concrete subclass of ``Savable``. If several have the name, as after a
        notebook cell runs twice, the latest one is returned.

    Raises
    ------
    ValueError
        If no imported class has the name.

    See Also
    --------
    name_of : Return the name of a class.

    Notes
    -----
    No module is imported by a name of the file, so a forged one can refer to no other
    code. The package's own estimators are imported first, whatever the program uses.
    """
    for room in _ROOMS:
        import_module(f"{_PACKAGE}.{room}")
    for known in _descendants(Savable):
        if name_of(known) == name and not inspect.isabstract(known):
            return known
    raise ValueError(
        f"The file holds a {name}, which is unknown: import its module first, or "
        "install the version of invariant_cluster that has it."
    )


def _descendants(parent: type[Any]) -> Iterator[type[Any]]:
    """Yield all subclasses, latest first, since a notebook may define a class again."""
    for child in reversed(parent.__subclasses__()):
        yield child
        yield from _descendants(child)
