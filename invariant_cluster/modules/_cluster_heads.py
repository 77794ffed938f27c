"""Linear cluster heads on the centred z."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_SHARPNESS = 10.0


class ClusterHeads(nn.Module):
    """Several linear cluster heads, initialised from centroids of z.

    Parameters
    ----------
    mean : Tensor of shape (d,)
        Training mean of z, subtracted first.
    scale : float
        Root mean square length of z - mean, by which z - mean is divided.
    centroids : Tensor of shape (n_heads, n_clusters, d)
        Initial centroids of the scaled rows ``u = (z - mean) / scale``.

    Attributes
    ----------
    weight : nn.Parameter of shape (n_heads, n_clusters, d)
        Weights of each head, on u.
    bias : nn.Parameter of shape (n_heads, n_clusters)
        Biases of each head.

    See Also
    --------
    ScanModule : Combine an encoder with such heads.

    Notes
    -----
    Up to a constant per row, the initial logits are ``-s/2 ||u - c||^2`` for the
    centroids c, with the sharpness s = 10. Training therefore starts from the clusters
    of the centroids instead of random ones.

    References
    ----------
    W. Van Gansbeke et al., "SCAN: learning to classify images without labels", ECCV
    2020, section 2.2.
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
        """Return the log-probabilities of the clusters.

        Parameters
        ----------
        z : Tensor of shape (n, d)
            Semantic representation, not centred.

        Returns
        -------
        Tensor of shape (n_heads, n, n_clusters), float32
            Log-probabilities of each head.
        """
        rows = (z.float() - self.mean) / self.scale
        logits = torch.einsum("nd,hkd->hnk", rows, self.weight) + self.bias[:, None]
        return logits.log_softmax(dim=-1)

    @torch.no_grad()
    def keep(self, head: int) -> None:
        """Drop all heads but one.

        The parameters are replaced, so an optimiser that was made before does not train
        the remaining head.

        Parameters
        ----------
        head : int
            Index of the head to keep.
        """
        self.weight = nn.Parameter(self.weight[head : head + 1].clone())
        self.bias = nn.Parameter(self.bias[head : head + 1].clone())
