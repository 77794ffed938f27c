"""Compilation of a residual trunk for a long training on a GPU.

A GPU spends more time on reading and writing feature maps between two convolutions
than on the convolutions. Compiled, normalisation, addition and rectification are one
kernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch
from torch import nn

from invariant_cluster.modules import ResNet

# Values of the stem's feature maps in a training. Compiling takes half a minute, and
# with half as many values it saves as much: benchmarks.gpu, on an H100.
_LEAST_VALUES = 15e10


@contextmanager
def compiled_trunk(
    module: nn.Module, device: torch.device, n_values: float
) -> Iterator[None]:
    """Compile the residual trunks of a module inside a block, if that saves time.

    Parameters
    ----------
    module : nn.Module
        Module in training. What it computes stays the same, up to rounding.
    device : torch.device
        Device of the training.
    n_values : float
        Pixels of the training images times epochs, which tells how long the training
        takes; views and crop are not counted.

    Yields
    ------
    None
        The block runs with compiled trunks on a CUDA device where PyTorch can compile
        and the training is long enough, else as before.
    """
    trunks = [part for part in module.modules() if isinstance(part, ResNet)]
    work = sum(n_values * trunk.n_first for trunk in trunks)
    if device.type != "cuda" or work < _LEAST_VALUES or not _can_compile(device):
        yield
        return
    for trunk in trunks:
        trunk.compile(dynamic=False)
    try:
        yield
    finally:
        for trunk in trunks:
            trunk._compiled_call_impl = None


@lru_cache
def _can_compile(device: torch.device) -> bool:
    """Return whether PyTorch compiles here: it needs Triton and a C compiler."""
    try:
        with torch.no_grad():
            torch.compile(lambda x: (x + 1).relu())(torch.ones(8, device=device))
    except Exception:  # whatever is missing, the training does without
        return False
    return True
