"""Linear cluster heads on the centred z."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_SHARPNESS = 10.0


class ClusterHeads(nn.Module):
    """Several linear heads (SCAN, section 2.2), started from centroids of z.

    Parameters
    ----------
    mean : Tensor of shape (d,)
        The training mean of z, which is subtracted.
    scale : float
        The root mean square length of z - mean, by which it is divided.
    centroids : Tensor of shape (n_heads, n_clusters, d)
        Of the rows u so scaled. The first logits are ``-s/2 ||u - c||^2`` up to a
        constant, s the sharpness, so that training starts from these clusters.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: float, centroids: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean.clone())
        self.register_buffer("scale", torch.tensor(float(scale)))
        self.weight = nn.Parameter(_SHARPNESS * centroids)
        self.bias = nn.Parameter(-_SHARPNESS / 2 * centroids.square().sum(dim=-1))

    @property
    def n_heads(self) -> int:
        """Number of heads that are left."""
        return len(self.weight)

    def forward(self, z: Tensor) -> Tensor:
        """(n, d) -> log-probabilities (n_heads, n, n_clusters)."""
        rows = (z.float() - self.mean) / self.scale
        logits = torch.einsum("nd,hkd->hnk", rows, self.weight) + self.bias[:, None]
        return logits.log_softmax(dim=-1)

    @torch.no_grad()
    def keep(self, head: int) -> None:
        """Drop all heads but one."""
        self.weight = nn.Parameter(self.weight[head : head + 1].clone())
        self.bias = nn.Parameter(self.bias[head : head + 1].clone())
