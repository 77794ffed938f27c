"""Encoders of a convolutional trunk and an MLP head."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from invariant_cluster.modules._image_aligner import ImageAligner
from invariant_cluster.modules._image_encoder import ImageEncoder, Latents
from invariant_cluster.modules._mlp import make_mlp
from invariant_cluster.modules._pose_head import PoseVectors
from invariant_cluster.runtime import autocast

_SHORT = 0.01  # grid units: hardly a shift, long enough for a direction


class Encoding(NamedTuple):
    """z (n, d), the images as the trunk saw them (n, c, h, w), and pose vectors."""

    z: Tensor
    seen: Tensor
    pose: PoseVectors


class TrunkEncoder(ImageEncoder):
    """A trunk and a head that yields z; the pose is the symmetry-breaking rule's.

    Parameters
    ----------
    aligner : ImageAligner
    trunk : nn.Module
        (n, c, h, w) -> (n, n_features).
    n_features : int
    d : int
    **options
        Of ImageEncoder.
    """

    def __init__(
        self,
        aligner: ImageAligner,
        trunk: nn.Module,
        n_features: int,
        *,
        d: int,
        **options: Any,
    ) -> None:
        super().__init__(aligner, d=d, **options)
        self.trunk = trunk
        self.head = make_mlp([n_features] * 3 + [d + self._n_pose_outputs])

    @property
    def _n_pose_outputs(self) -> int:
        return 0

    def embed_aligned(self, seen: Tensor) -> Tensor:
        """Return z (n, d) of scaled images that need no alignment (any more)."""
        return self.norm(self._outputs(seen)[:, : self.d])

    def infer_aligned(self, seen: Tensor) -> Latents:
        """Return z and pose of scaled images that need no alignment (any more)."""
        z = self.embed_aligned(seen)
        if self.aligner.align:
            return Latents(z, z.new_zeros(len(z)), z.new_zeros(len(z), 2))
        return Latents(z, *self.aligner.analytic_pose(seen))

    def _outputs(self, seen: Tensor) -> Tensor:
        """Return what the head says of aligned images, in float32."""
        with autocast(seen.device, self.train_dtype if self.training else None):
            outputs = self.head(self.trunk(seen.contiguous()))
        return cast(Tensor, outputs.float())


class PoseEncoder(TrunkEncoder):
    """A trunk and a head that yields z and pose: IRL-INR's.

    Without normalisation z starts almost constant, and training long stays on the
    plateau where z tells only how bright an image is.
    """

    def __init__(self, aligner: ImageAligner, *args: Any, **options: Any) -> None:
        super().__init__(aligner, *args, **options)
        if aligner.align:
            self._start_at_the_alignment()

    @property
    def _n_pose_outputs(self) -> int:
        return self.pose_rule.n_outputs

    @torch.no_grad()
    def _start_at_the_alignment(self) -> None:
        """Let the head begin with the pose of an aligned image: (0, 0), or nearly."""
        last, rule = cast(nn.Linear, self.head[-1]), self.pose_rule
        last.weight[-rule.n_outputs :] = 0
        last.bias[-rule.n_outputs :] = 0
        is_tau = rule.n_outputs == 2 and rule.translates
        last.bias[-2] = _SHORT if is_tau else 1  # x of the direction

    def encode(self, images: Tensor) -> Encoding:
        """Align and encode scaled images (n, c, h, w)."""
        return self.encode_aligned(self.aligner(images))

    def encode_aligned(self, seen: Tensor) -> Encoding:
        """Encode scaled images that need no alignment (any more)."""
        outputs = self._outputs(seen)
        pose = self.pose_rule.split(outputs[:, self.d :])
        return Encoding(self.norm(outputs[:, : self.d]), seen, pose)

    def infer_aligned(self, seen: Tensor) -> Latents:
        """Return z and pose of scaled images that need no alignment (any more)."""
        z, _, pose = self.encode_aligned(seen)
        return Latents(z, self.pose_rule.theta(pose), self.pose_rule.tau(pose))
