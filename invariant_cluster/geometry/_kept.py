"""Tensors that depend on sizes alone, made once and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, wraps
from typing import Any

import torch
from torch import Tensor

_MOST = 64
_holders: list[list[Tensor]] = []


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
    While a model is exported nothing is kept, since tensors are symbols then, and
    nothing while a CUDA graph is recorded.
    """

    @lru_cache(maxsize=_MOST)
    def keep(*arguments: Any) -> Tensor:
        with torch.inference_mode(False), torch.no_grad():
            return make(*arguments)

    @wraps(make)
    def get(*arguments: Any) -> Tensor:
        if torch.compiler.is_compiling():
            return make(*arguments)
        # What is made in a recording has no values until that is replayed.
        tensor = make(*arguments) if _is_recording() else keep(*arguments)
        for holder in _holders:
            holder.append(tensor)
        return tensor

    return get


def _is_recording() -> bool:
    return torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()


@contextmanager
def holding_kept() -> Iterator[list[Tensor]]:
    """Collect the kept tensors that are used inside a block.

    Yields
    ------
    list of Tensor
        The tensors so far. While the list lives, so do they, even if more than 64
        others have been used since.
    """
    holder: list[Tensor] = []
    _holders.append(holder)
    try:
        yield holder
    finally:
        _holders[:] = [other for other in _holders if other is not holder]
