"""Training of SCAN's stages: what a step sees and what it minimises."""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor, nn

from invariant_cluster.losses import mean_entropy, scan_consistency, self_label_loss
from invariant_cluster.training._augmented import augment_aligned
from invariant_cluster.training._term_net import TermNet
from invariant_cluster.views import Augmentation


class HeadsNet(TermNet):
    """Trains the heads of a ``ScanModule`` on rows of z and their neighbours."""

    def infer(self, x: Tensor, **fit_params: Any) -> Tensor:
        """Anchors and neighbours (2 b, d) -> log-probabilities (n_heads, 2 b, k)."""
        return cast(Tensor, self.module_(x.to(self.device)))


class ScanNet(TermNet):
    """Trains a ``ScanModule`` on augmented images and their neighbours.

    Parameters
    ----------
    augmentation : Augmentation
    """

    def __init__(self, *args: Any, augmentation: Augmentation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.augmentation = augmentation

    def infer(self, x: Tensor, **fit_params: Any) -> Tensor:
        """Anchors and neighbours (2 b, c, h, w) -> log-probabilities, as HeadsNet's."""
        return self.augmented(self.module_.encoder.aligner.scale(x.to(self.device)))

    def augmented(self, images: Tensor) -> Tensor:
        """Return log-probabilities of augmented scaled images."""
        seen = augment_aligned(images, self.module_.encoder, self.augmentation)
        return self.module_.forward_aligned(seen)


class SelfLabelNet(ScanNet):
    """Trains a ``ScanModule`` of one head on its own confident labels."""

    def infer(self, x: Tensor, **fit_params: Any) -> Any:
        """Raw images (b, c, h, w) -> log-probabilities (b, k), plain and augmented."""
        x = x.to(self.device)
        self.module_.eval()
        with torch.no_grad():
            plain = self.module_(x)[0]
        self.module_.train()
        return plain, self.augmented(self.module_.encoder.aligner.scale(x))[0]


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
