"""Weights of modules, in and out of model files."""

from __future__ import annotations

from torch import Tensor, nn

from invariant_cluster.modules import LeftOut


def weights_of(module: nn.Module) -> dict[str, Tensor]:
    """Return all parameters and buffers."""
    return dict(module.state_dict())


def load_weights(module: nn.Module, weights: dict[str, Tensor]) -> None:
    """Set all parameters and buffers.

    Raises
    ------
    ValueError
        When the weights are of another module.
    """
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(
            f"The file's weights do not fit its description ({error}): it was altered, "
            "or another version of invariant_cluster wrote it."
        ) from error


def leave_out(module: nn.Module, names: list[str]) -> None:
    """Replace parts of a module by what says that they are missing."""
    for name in names:
        if name == "encoder" or name not in dict(module.named_children()):
            raise ValueError(f"{name!r} is no part that a model can be without")
        setattr(module, name, LeftOut(name))


def left_out(module: nn.Module) -> list[str]:
    """Return the names of the parts that are missing."""
    return [name for name, part in module.named_children() if isinstance(part, LeftOut)]
