"""Weights of modules in model files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from invariant_cluster.modules import LeftOut


def arrays_of(owner: object, names: Iterable[str]) -> dict[str, Tensor]:
    """Return the arrays among an object's attributes.

    Parameters
    ----------
    owner : object
        Fitted estimator.
    names : iterable of str
        Names of attributes, ndarrays of any dtype.

    Returns
    -------
    dict of str to Tensor
        Values by name. Read-only arrays, such as memmaps of joblib, are copied.

    See Also
    --------
    weights_of : Return the weights of a module.
    """
    return {
        name: torch.from_numpy(np.require(getattr(owner, name), requirements="W"))
        for name in names
    }


def weights_of(module: nn.Module) -> dict[str, Tensor]:
    """Return all parameters and buffers of a module.

    Parameters
    ----------
    module : nn.Module
        Module on any device.

    Returns
    -------
    dict of str to Tensor
        Tensors by name; they share memory with the module.

    See Also
    --------
    build_with_weights : Build a module with these weights.
    """
    return dict(module.state_dict())


def build_with_weights(
    build: Callable[[], Any], weights: dict[str, Tensor], *, sketch: bool = True
) -> Any:
    """Return a module with the weights of a file.

    Parameters
    ----------
    build : callable
        Function without arguments that returns the untrained module.
    weights : dict of str to Tensor
        All parameters and buffers of the module.
    sketch : bool, default=True
        Whether to compare shapes before memory is allocated, by building the module on
        PyTorch's meta device first. Use False for a user's own code, which may not
        support this device.

    Returns
    -------
    nn.Module
        The module with the weights.

    Raises
    ------
    ValueError
        If names or shapes of the weights differ from those of the module.

    See Also
    --------
    weights_of : Return the weights of a module.

    Notes
    -----
    The first comparison protects against a forged description that asks for more memory
    than there is.
    """
    if sketch:
        with torch.device("meta"):
            _check_shapes(build(), weights)
    module = build()
    _check_shapes(module, weights)
    module.load_state_dict(weights)
    return module


def _check_shapes(module: nn.Module, weights: dict[str, Tensor]) -> None:
    """Raise a ValueError unless names and shapes of the weights fit the module."""
    expected = _shapes(module.state_dict())
    found = _shapes(weights)
    if found != expected:
        name = min(dict(found.items() ^ expected.items()))
        raise ValueError(
            f"The file's weights do not fit its description ({name} has shape "
            f"{found.get(name)}, not {expected.get(name)}): it was altered, written by "
            "another version of invariant_cluster, or loaded with another encoder."
        )


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor by name."""
    return {name: tuple(weight.shape) for name, weight in weights.items()}


def leave_out(module: Any, names: list[str]) -> Any:
    """Replace parts of a module by placeholders and return the module.

    Parameters
    ----------
    module : nn.Module
        Module to change in place.
    names : list of str
        Names of direct children other than "encoder".

    Returns
    -------
    nn.Module
        The same module.

    Raises
    ------
    ValueError
        If a name is "encoder" or not a child of the module.

    See Also
    --------
    left_out : Return the names of the parts that are missing.
    """
    for name in names:
        if name == "encoder" or name not in dict(module.named_children()):
            raise ValueError(
                f"The model file omits {name!r}, which a model needs or does not have: "
                "it was altered. Save the model again."
            )
        setattr(module, name, LeftOut(name))
    return module


def left_out(module: nn.Module) -> list[str]:
    """Return the names of the missing parts of a module.

    Parameters
    ----------
    module : nn.Module
        Module that may have placeholders.

    Returns
    -------
    list of str
        Names of the children that are placeholders.

    See Also
    --------
    leave_out : Replace parts by placeholders.
    """
    return [name for name, part in module.named_children() if isinstance(part, LeftOut)]
