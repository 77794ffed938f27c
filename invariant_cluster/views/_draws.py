"""Random numbers, one per image."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform(images: Tensor, low: float, high: float) -> Tensor:
    """Return one draw from Uniform[low, high) per image, shape (n,)."""
    return torch.rand(len(images), device=images.device) * (high - low) + low
