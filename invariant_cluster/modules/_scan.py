"""Encoder and cluster heads together, and what SCAN minimises."""

from __future__ import annotations

import math

from torch import Tensor, nn

from invariant_cluster._losses import mean_entropy, scan_consistency, self_label_loss
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


class ScanObjective(nn.Module):
    """``-log <p, q> - entropy_weight * min(H(mean p), entropy_target)``, over heads.

    Without a target it is SCAN's equation 2, summed over heads.

    Parameters
    ----------
    entropy_weight : float
    entropy_target : float
        Nats.
    """

    def __init__(self, entropy_weight: float, entropy_target: float = math.inf) -> None:
        super().__init__()
        self.entropy_weight = entropy_weight
        self.entropy_target = entropy_target

    def forward(self, log_probabilities: Tensor, _: object = None) -> dict[str, Tensor]:
        """(n_heads, 2 b, n_clusters), anchors then neighbours -> the terms."""
        anchors, neighbors = log_probabilities.chunk(2, dim=1)
        consistency = scan_consistency(anchors, neighbors)
        entropy = mean_entropy(anchors)
        return {
            "loss": self.weigh(consistency, entropy).sum(),
            "consistency": consistency.mean(),
            "entropy": entropy.mean(),
        }

    def weigh(self, consistency: Tensor, entropy: Tensor) -> Tensor:
        """Return the loss of the two terms, each (n_heads,) or a scalar."""
        return consistency - self.entropy_weight * entropy.clamp_max(
            self.entropy_target
        )


class SelfLabelObjective(nn.Module):
    """Cross-entropy of augmented images on the labels of confident ones (section 2.3).

    Parameters
    ----------
    threshold : float
        Probability from which an image is confident.
    """

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(
        self, log_probabilities: tuple[Tensor, Tensor], _: object = None
    ) -> dict[str, Tensor]:
        """Two (b, n_clusters), of the plain and the augmented images -> the terms."""
        plain, augmented = log_probabilities
        probability, labels = plain.exp().max(dim=1)
        confident = probability >= self.threshold
        loss = self_label_loss(augmented, labels, confident, plain.shape[1])
        return {"loss": loss, "confident": confident.float().mean()}
