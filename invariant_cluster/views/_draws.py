"""Random numbers, one per image."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform(images: Tensor, low: float, high: float) -> Tensor:
    """Return one draw from Uniform[low, high) per image.

    Parameters
    ----------
    images : Tensor of shape (n, ...)
        Images, which give the number of draws and the device.
    low : float
        Lower limit.
    high : float
        Upper limit.

    Returns
    -------
    Tensor of shape (n,), float32
        The draws.
    """
    return torch.rand(len(images), device=images.device) * (high - low) + low
