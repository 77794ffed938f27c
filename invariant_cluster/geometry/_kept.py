"""Tensors that depend on sizes alone, made once and kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

import torch
from torch import Tensor

_MOST = 64


def kept(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Decorate a function of hashable arguments: keep its results for later calls.

    Parameters
    ----------
    make : callable
        Returns a tensor that depends on its arguments alone. It must name the device.

    Returns
    -------
    callable
        The same function. Its results must not be changed in place. The 64 results used
        last are kept.

    Notes
    -----
    A kept tensor takes part in training even if it was first made in inference mode.
    While a model is exported nothing is kept, since tensors are symbols then.
    """

    @lru_cache(maxsize=_MOST)
    def keep(*arguments: Any) -> Tensor:
        with torch.inference_mode(False), torch.no_grad():
            return make(*arguments)

    @wraps(make)
    def get(*arguments: Any) -> Tensor:
        if torch.compiler.is_compiling():
            return make(*arguments)
        return keep(*arguments)

    return get
