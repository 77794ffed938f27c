"""Multi-layer perceptrons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn


def make_mlp(
    sizes: Sequence[int], activation: Callable[[], nn.Module] = nn.ReLU
) -> nn.Sequential:
    """Return an MLP (n, sizes[0]) -> (n, sizes[-1]), linear at its end."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1])
