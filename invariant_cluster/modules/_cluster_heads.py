"""Linear cluster heads on the centred, normalised z."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SHARPNESS = 10.0


class ClusterHeads(nn.Module):
    """Several linear heads (SCAN, section 2.2), started from centroids on the sphere.

    Parameters
    ----------
    mean : Tensor of shape (d,)
        The training mean of z, subtracted before z is scaled to unit length.
    centroids : Tensor of shape (n_heads, n_clusters, d)
        The first logits are ``-s/2 ||u - c||^2`` up to a constant, u the unit vector of
        z and s the sharpness, so that training starts from these clusters.
    """

    mean: Tensor

    def __init__(self, mean: Tensor, centroids: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean.clone())
        self.weight = nn.Parameter(_SHARPNESS * centroids)
        self.bias = nn.Parameter(-_SHARPNESS / 2 * centroids.square().sum(dim=-1))

    def forward(self, z: Tensor) -> Tensor:
        """(n, d) -> log-probabilities (n_heads, n, n_clusters)."""
        unit = F.normalize(z.float() - self.mean, dim=1)
        logits = torch.einsum("nd,hkd->hnk", unit, self.weight) + self.bias[:, None]
        return logits.log_softmax(dim=-1)

    @torch.no_grad()
    def keep(self, head: int) -> None:
        """Drop all heads but one."""
        self.weight = nn.Parameter(self.weight[head : head + 1].clone())
        self.bias = nn.Parameter(self.bias[head : head + 1].clone())
