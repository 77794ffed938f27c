"""An encoder and cluster heads together."""

from __future__ import annotations

from torch import Tensor, nn

from invariant_cluster.modules._cluster_heads import ClusterHeads


class ScanModule(nn.Module):
    """Encoder and cluster heads: inputs to log-probabilities of the clusters.

    Parameters
    ----------
    encoder : ImageEncoder or nn.Identity
        Maps raw images to z; the identity if the inputs are rows of z.
    heads : ClusterHeads
        Maps z to log-probabilities.

    See Also
    --------
    ClusterHeads : The linear heads.
    """

    def __init__(self, encoder: nn.Module, heads: ClusterHeads) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = heads

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the log-probabilities of the clusters.

        Parameters
        ----------
        inputs : Tensor of shape (n, c, h, w) or (n, d)
            Raw images, or rows of z.

        Returns
        -------
        Tensor of shape (n_heads, n, n_clusters)
            Log-probabilities of each head.
        """
        return self.heads(self.encoder(inputs))

    def forward_aligned(self, seen: Tensor) -> Tensor:
        """Return the log-probabilities of already aligned images.

        Parameters
        ----------
        seen : Tensor of shape (n, c, h, w)
            Scaled images, as the aligner returns them.

        Returns
        -------
        Tensor of shape (n_heads, n, n_clusters)
            Log-probabilities of each head.
        """
        return self.heads(self.encoder.embed_aligned(seen))  # type: ignore[operator]
