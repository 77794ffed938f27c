"""An encoder and cluster heads together."""

from __future__ import annotations

from torch import Tensor, nn

from invariant_cluster.modules._cluster_heads import ClusterHeads


class ScanModule(nn.Module):
    """Inputs -> log-probabilities of each head.

    Parameters
    ----------
    encoder : ImageEncoder or Identity
        Identity for plain rows of z.
    heads : ClusterHeads
    """

    def __init__(self, encoder: nn.Module, heads: ClusterHeads) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = heads

    def forward(self, inputs: Tensor) -> Tensor:
        """Raw images (n, c, h, w) or rows (n, d) -> (n_heads, n, n_clusters)."""
        return self.heads(self.encoder(inputs))

    def forward_aligned(self, seen: Tensor) -> Tensor:
        """Scaled, aligned images (n, c, h, w) -> (n_heads, n, n_clusters)."""
        return self.heads(self.encoder.embed_aligned(seen))  # type: ignore[operator]
