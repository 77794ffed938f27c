"""What all encoders share: raw images -> z, alignment included."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from invariant_cluster.geometry import canonicalize_images, compose_poses
from invariant_cluster.modules._image_aligner import ImageAligner
from invariant_cluster.modules._pose_head import PoseRule
from invariant_cluster.views import NO_VARIATION, Variation


class Latents(NamedTuple):
    """What an image shows and how it lies: z (n, d), theta (n,) and tau (n, 2)."""

    z: Tensor
    theta: Tensor
    tau: Tensor


class ImageEncoder(nn.Module, metaclass=ABCMeta):
    """Maps raw images to z: aligns them, encodes them.

    Parameters
    ----------
    aligner : ImageAligner
    d : int
    train_dtype : torch.dtype or None
        Precision of the networks in training; they evaluate in float32.
    normalize : bool
        Whether each dimension of z has mean 0 and variance 1 over the training images
        (batch normalisation without learned scale).
    variation : Variation
        By what training varies the images.

    Attributes
    ----------
    blueprint : Blueprint or None
        What it takes to build the encoder again, set by the embedder that made it.
    """

    def __init__(
        self,
        aligner: ImageAligner,
        *,
        d: int,
        train_dtype: torch.dtype | None = None,
        normalize: bool = True,
        variation: Variation = NO_VARIATION,
    ) -> None:
        super().__init__()
        self.aligner = aligner
        self.norm = nn.BatchNorm1d(d, affine=False) if normalize else nn.Identity()
        self.d = d
        self.train_dtype = train_dtype
        self.variation = variation
        self.blueprint: Any = None

    @property
    def pose_rule(self) -> PoseRule:
        """What fixes the canonical orientation."""
        return self.aligner.pose_rule

    def forward(self, raw: Tensor) -> Tensor:
        """Raw images (n, c, h, w) -> z (n, d)."""
        return self.embed(self.aligner.scale(raw))

    def embed(self, images: Tensor) -> Tensor:
        """Align scaled images (n, c, h, w) and return their z (n, d)."""
        return self.embed_aligned(self.aligner(images))

    def embed_aligned(self, seen: Tensor) -> Tensor:
        """Return z (n, d) of scaled images that need no alignment (any more)."""
        return self.infer_aligned(seen).z

    @abstractmethod
    def infer_aligned(self, seen: Tensor) -> Latents:
        """Return z and pose of scaled images that need no alignment (any more)."""

    def infer(self, images: Tensor) -> Latents:
        """Return z and pose of scaled images; the alignment, if any, is part of it."""
        aligner = self.aligner
        if not aligner.align:
            return self.infer_aligned(images)
        pose_before = aligner.analytic_pose(images)
        z, theta, tau = self.infer_aligned(aligner.move(images, *pose_before))
        pose = compose_poses(*pose_before, theta, tau * aligner.zoom)
        return Latents(z, *pose)

    def predict_pose(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the learned pose of scaled images, on top of the alignment if any."""
        _, theta, tau = self.infer(images)
        return theta, tau

    def canonical(self, images: Tensor, *, learned: bool) -> Tensor:
        """Return scaled images (n, c, h, w) moved to canonical orientation."""
        estimate = self.predict_pose if learned else self.aligner.analytic_pose
        return canonicalize_images(images, *estimate(images), self.aligner.fill)
