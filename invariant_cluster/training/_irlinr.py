"""Training of IRL-INR: views and loss of a step (paper, sections 3.3 and 3.4)."""

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
    """Net that trains an ``IRLINR`` module on images and moved copies of each.

    Parameters
    ----------
    *args
        Positional arguments of :class:`TermNet`.
    translation_std : float, default=0.0
        Standard deviation of each coordinate of the copies' shift, as a fraction of the
        longer side.
    n_pixels : int, optional
        Number of pixels that a step reconstructs per image; by default all of the disc.
    n_copies : {1, 2}, default=2
        Number of moved copies of each image.
    **kwargs
        Keyword arguments of :class:`TermNet`.

    See Also
    --------
    IRLINRObjective : The loss of this net.
    SimCLRNet : Train on two augmented views.
    """

    def __init__(
        self,
        *args: Any,
        translation_std: float = 0.0,
        n_pixels: int | None = None,
        n_copies: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.translation_std = translation_std
        self.n_pixels = n_pixels
        self.n_copies = n_copies

    def infer(self, x: Tensor, **fit_params: Any) -> Any:
        """Return the output of one training step.

        Copies of each image are mirrored at random if z ignores reflections, then
        rotated, shifted, aligned if the encoder aligns, and changed by the encoder's
        variation; noisy ones get noise of their own. Images and copies are aligned
        together.

        Parameters
        ----------
        x : Tensor of shape (b, c, h, w)
            Raw images.
        **fit_params
            Accepted for skorch; ignored.

        Returns
        -------
        TrainingBatch
            Reconstruction, pose and mass of the images, and z of two views of each.
        """
        encoder = self.module_.encoder
        aligner, variation = encoder.aligner, encoder.variation
        images = aligner.scale(x.to(self.device))
        copies = rigid_views(
            images.repeat(self.n_copies, 1, 1, 1),
            translation_std=self.translation_std,
            fill=aligner.fill,
            reflection=variation.reflection,
        )
        plain, moved = aligner(torch.cat([images, copies])).tensor_split([len(images)])
        varied = aligner.add_noise(vary(moved, variation, aligner.fill))
        seen = torch.cat([plain, varied])
        return self.module_.forward_views(seen, self.n_pixels, self.n_copies)


class IRLINRObjective(nn.Module):
    """Loss of IRL-INR: ``w_r L_recon + w_c L_consis + w_s L_symm``.

    Parameters
    ----------
    reconstruction : {"cross_entropy", "squared_error"}
        Reconstruction loss, a key of ``losses.RECONSTRUCTIONS``.
    consistency : {"nt_xent", "cross_correlation", "centered_cosine", "cosine", "mse"}
        Consistency loss, a key of ``losses.CONSISTENCIES``.
    temperature : float, default=0.5
        Temperature of NT-Xent; other losses ignore it.
    pose_rule : PoseRule
        Rule that defines the targets of the pose.
    direction_scale : float
        Root mean square length of the rule's direction vectors over the training set,
        by which they are divided. Images with an ill-defined direction therefore have
        little weight. Not used by "center_of_mass".
    reconstruction_weight : float
        Weight w_r.
    consistency_weight : float
        Weight w_c.
    symmetry_weight : float
        Weight w_s.

    Attributes
    ----------
    weights : dict of str to float
        The weights by the name of the term.

    See Also
    --------
    IRLINRNet : The net that minimises this loss.

    Notes
    -----
    The paper's loss is "squared_error" with "cosine" and the weights 1, 1 and 15.

    References
    ----------
    S. Kwon, J. Y. Choi and E. K. Ryu, "Rotation and translation invariant
    representation learning with implicit neural representations", ICML 2023, sections
    3.3 and 3.4.
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
        """Return the loss, its terms and two diagnostics.

        Parameters
        ----------
        batch : TrainingBatch
            Output of :meth:`IRLINRNet.infer`.

        Returns
        -------
        dict of str to Tensor of shape ()
            "loss", the weighted sum; "reconstruction", "consistency" and "symmetry"
            without weights; "squared_error" of the pixels, whatever is minimised;
            "effective_d", the number of dimensions that z uses.
        """
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
        """Return the symmetry-breaking loss.

        Parameters
        ----------
        pose : PoseVectors
            Pose vectors that the head estimates.
        mass : Tensor of shape (n, h, w)
            Masses of the images, from which the targets are computed.

        Returns
        -------
        Tensor of shape ()
            Mean squared error of the centre, plus that of the scaled direction unless
            the rule is "center_of_mass". It is 0 if the rule is None; images without
            mass are ignored.

        See Also
        --------
        symmetry_targets : Return the targets.
        """
        rule = self.pose_rule
        has_mass = mass.sum(dim=(1, 2)) > NO_MASS
        center, direction = symmetry_targets(
            mass, rule.name, translates=rule.translates
        )
        if rule.name is None:
            return pose.center.sum() * 0
        loss = symmetry_loss(pose.center, center, has_mass)
        if rule.name == "center_of_mass":
            return loss
        target = direction / self.direction_scale
        return loss + symmetry_loss(pose.direction, target, has_mass)
