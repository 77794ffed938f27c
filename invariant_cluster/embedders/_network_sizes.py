"""Sizes of networks and lengths of training, for a CPU and for a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from invariant_cluster.runtime import resolve_device
from invariant_cluster.training import count_epochs

# Two CPU cores train these on some thousand images in minutes.
LIGHT: dict[str, Any] = {
    "d": 32,
    "encoder": "resnet8",
    "encoder_width": 16,
    "n_frequencies": 64,
    "inr_hidden": (64, 64, 64),
    "hypernetwork_hidden": (64, 64),
    "n_pixels": 256,
    "n_copies": 1,
    "batch_size": 64,
    "lr": 2e-3,
}
# The paper's sizes. Its learning rate is constant, ours a cycle up to ten times that.
FULL: dict[str, Any] = {
    "d": 512,
    "encoder": "resnet18",
    "encoder_width": 64,
    "n_frequencies": 256,
    "inr_hidden": (256, 256, 256),
    "hypernetwork_hidden": (256, 256, 256),
    "n_pixels": None,
    "n_copies": 2,
    "batch_size": 128,
    "lr": 1e-3,
}
SIZES = {"light": LIGHT, "full": FULL}
NETWORKS = ("auto", *SIZES)
_FULL_EPOCHS = 200
_LIGHT_STEPS = 4000
_LEAST_EPOCHS, _MOST_EPOCHS = 8, 200


def choose_network(network: str, device: str | torch.device) -> str:
    """Return "light" or "full"; "auto" is "full" on a GPU and "light" on a CPU."""
    if network != "auto":
        return network
    return "light" if resolve_device(device).type == "cpu" else "full"


def settle_sizes(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sizes of a network, with a value for each that was "auto".

    Parameters
    ----------
    parameters : dict
        Parameters of an embedder, "network" and "device" among them.

    Returns
    -------
    dict
        The names of ``LIGHT`` and their values.
    """
    sizes = SIZES[choose_network(parameters["network"], parameters["device"])]
    return {
        name: size if _is_auto(parameters[name]) else parameters[name]
        for name, size in sizes.items()
    }


def settle_epochs(parameters: Mapping[str, Any], n_images: int) -> int:
    """Return the number of epochs, also where ``max_epochs`` is "auto".

    Full networks train for 200 epochs; light ones for about 4,000 steps, in 8 to 200
    epochs.
    """
    if not _is_auto(parameters["max_epochs"]):
        return int(parameters["max_epochs"])
    if choose_network(parameters["network"], parameters["device"]) == "full":
        return _FULL_EPOCHS
    batch_size = settle_sizes(parameters)["batch_size"]
    return count_epochs(
        n_images, batch_size, _LIGHT_STEPS, least=_LEAST_EPOCHS, most=_MOST_EPOCHS
    )


def _is_auto(value: Any) -> bool:
    return isinstance(value, str) and value == "auto"
