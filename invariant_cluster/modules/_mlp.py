"""Multi-layer perceptrons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn


def make_mlp(
    sizes: Sequence[int], activation: Callable[[], nn.Module] = nn.ReLU
) -> nn.Sequential:
    """Return a multi-layer perceptron without activation after the last layer.

    Parameters
    ----------
    sizes : sequence of int
        Widths of the layers, from the input to the output.
    activation : callable, default=nn.ReLU
        Called without arguments, returns the nonlinearity between two layers.

    Returns
    -------
    nn.Sequential
        Maps (n, sizes[0]) to (n, sizes[-1]).

    Examples
    --------
    >>> from invariant_cluster.modules import make_mlp
    >>> make_mlp([4, 8, 2])
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): ReLU()
      (2): Linear(in_features=8, out_features=2, bias=True)
    )
    """
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1])
