"""Training of IRL-INR: what a step sees and minimises (paper, sections 3.3 and 3.4)."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from invariant_cluster.geometry import NO_MASS, symmetry_targets
from invariant_cluster.losses import (
    CONSISTENCIES,
    RECONSTRUCTIONS,
    effective_dimension,
    nt_xent_consistency,
    squared_error,
    symmetry_loss,
)
from invariant_cluster.modules import PoseRule, PoseVectors, TrainingBatch
from invariant_cluster.training._term_net import TermNet
from invariant_cluster.views import rigid_views, vary


class IRLINRNet(TermNet):
    """Trains an ``IRLINR`` module on images and two moved copies of each.

    Parameters
    ----------
    translation_std : float
        Of the copies, as a fraction of the longer side.
    n_pixels : int or None
        Pixels that are reconstructed in a step.
    """

    def __init__(
        self,
        *args: Any,
        translation_std: float = 0.0,
        n_pixels: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.translation_std = translation_std
        self.n_pixels = n_pixels

    def infer(self, x: Tensor, **fit_params: Any) -> Any:
        """Raw images (b, c, h, w) -> TrainingBatch."""
        encoder = self.module_.encoder
        aligner, variation = encoder.aligner, encoder.variation
        images = aligner.scale(x.to(self.device))
        copies = rigid_views(
            images.repeat(2, 1, 1, 1),
            translation_std=self.translation_std,
            fill=aligner.fill,
            reflection=variation.reflection,
        )
        views = vary(aligner(copies), variation, aligner.fill)
        seen = torch.cat([aligner(images), views])
        return self.module_.forward_views(seen, self.n_pixels)


class IRLINRObjective(nn.Module):
    """``w_r L_recon + w_c L_consis + w_s L_symm``, each term by name.

    Parameters
    ----------
    reconstruction : {"cross_entropy", "squared_error"}
    consistency : one of ``_losses.CONSISTENCIES``
    temperature : float
        Of "nt_xent".
    pose_rule : PoseRule
    direction_scale : float
        Root mean square of the rule's direction vectors over the training set; an
        image whose direction is ill-defined so weighs little.
    reconstruction_weight, consistency_weight, symmetry_weight : float
    """

    def __init__(
        self,
        *,
        reconstruction: str,
        consistency: str,
        temperature: float = 0.5,
        pose_rule: PoseRule,
        direction_scale: float,
        reconstruction_weight: float,
        consistency_weight: float,
        symmetry_weight: float,
    ) -> None:
        super().__init__()
        self.reconstruction = RECONSTRUCTIONS[reconstruction]
        self.consistency = CONSISTENCIES[consistency]
        if consistency == "nt_xent":
            self.consistency = partial(nt_xent_consistency, temperature=temperature)
        self.pose_rule = pose_rule
        self.direction_scale = direction_scale
        self.weights = {
            "reconstruction": reconstruction_weight,
            "consistency": consistency_weight,
            "symmetry": symmetry_weight,
        }

    def forward(self, batch: TrainingBatch, _: object = None) -> dict[str, Tensor]:
        """Return the terms, their weighted sum as "loss", and two diagnostics."""
        logits, targets = batch.reconstruction
        terms = {
            "reconstruction": self.reconstruction(logits, targets),
            "consistency": self.consistency(batch.z1, batch.z2),
            "symmetry": self.symmetry(batch.pose, batch.mass),
        }
        weighted = [self.weights[name] * term for name, term in terms.items()]
        return {
            "loss": torch.stack(weighted).sum(),
            **terms,
            "squared_error": squared_error(logits.detach(), targets),
            "effective_d": effective_dimension(batch.z1.detach()),
        }

    def symmetry(self, pose: PoseVectors, mass: Tensor) -> Tensor:
        """Return the symmetry-breaking loss of images with the masses (n, h, w)."""
        rule = self.pose_rule
        has_mass = mass.sum(dim=(1, 2)) > NO_MASS
        center, direction = symmetry_targets(
            mass, rule.rule, translates=rule.translates
        )
        if rule.rule is None:
            return pose.center.sum() * 0
        loss = symmetry_loss(pose.center, center, has_mass)
        if rule.rule == "center_of_mass":
            return loss
        target = direction / self.direction_scale
        return loss + symmetry_loss(pose.direction, target, has_mass)
