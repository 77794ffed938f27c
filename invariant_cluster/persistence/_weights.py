"""Weights of modules, in and out of model files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from invariant_cluster.modules import LeftOut


def weights_of(module: nn.Module) -> dict[str, Tensor]:
    """Return all parameters and buffers."""
    return dict(module.state_dict())


def build_with_weights(
    build: Callable[[], Any], weights: dict[str, Tensor], *, sketch: bool = True
) -> Any:
    """Return the module that a file describes, with the file's weights.

    Parameters
    ----------
    build : callable
        Returns the untrained module.
    weights : dict of str to Tensor
        All parameters and buffers.
    sketch : bool
        Whether to compare shapes before any memory is taken: a forged description can
        ask for more than there is. Code of a user's own may be unable to.

    Raises
    ------
    ValueError
        When the weights are of another module.
    """
    if sketch:
        with torch.device("meta"):
            _check_shapes(build(), weights)
    module = build()
    _check_shapes(module, weights)
    module.load_state_dict(weights)
    return module


def _check_shapes(module: nn.Module, weights: dict[str, Tensor]) -> None:
    expected = _shapes(module.state_dict())
    found = _shapes(weights)
    if found != expected:
        name = min(dict(found.items() ^ expected.items()))
        raise ValueError(
            f"The file's weights do not fit its description ({name} has shape "
            f"{found.get(name)}, not {expected.get(name)}): it was altered, or another "
            "version of invariant_cluster wrote it."
        )


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(weight.shape) for name, weight in weights.items()}


def leave_out(module: Any, names: list[str]) -> Any:
    """Replace parts of a module by what says that they are missing; return it."""
    for name in names:
        if name == "encoder" or name not in dict(module.named_children()):
            raise ValueError(f"{name!r} is no part that a model can be without")
        setattr(module, name, LeftOut(name))
    return module


def left_out(module: nn.Module) -> list[str]:
    """Return the names of the parts that are missing."""
    return [name for name, part in module.named_children() if isinstance(part, LeftOut)]
