"""IRL-INR: encoder, hypernetwork and implicit network together (paper, figure 1)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from invariant_cluster.modules._image_model import ImageModel, Reconstruction
from invariant_cluster.modules._pose_head import PoseVectors
from invariant_cluster.modules._trunk_encoder import Encoding, PoseEncoder


class TrainingBatch(NamedTuple):
    """What one training step yields: all that the losses need.

    Attributes
    ----------
    reconstruction : Reconstruction
    pose : PoseVectors
    mass : Tensor of shape (n, h, w)
    z1, z2 : Tensor of shape (n, d)
        Of two moved copies of each image.
    """

    reconstruction: Reconstruction
    pose: PoseVectors
    mass: Tensor
    z1: Tensor
    z2: Tensor


class IRLINR(ImageModel):
    """The whole model, with the passes that training takes."""

    encoder: PoseEncoder

    def forward_views(self, seen: Tensor, n_pixels: int | None) -> TrainingBatch:
        """Encode n images, then two views of each, all aligned, (3 n, c, h, w)."""
        z, seen, pose = self.encoder.encode_aligned(seen)
        n = len(seen) // 3
        first = Encoding(z[:n], seen[:n], PoseVectors(*(part[:n] for part in pose)))
        reconstruction = self.reconstruct_sample(first, n_pixels)
        mass = self.encoder.aligner.mass(first.seen)
        _, z1, z2 = z.split(n)
        return TrainingBatch(reconstruction, first.pose, mass, z1, z2)

    def reconstruct_sample(
        self, encoding: Encoding, n_pixels: int | None = None
    ) -> Reconstruction:
        """Reconstruct pixels of the disc in the pose that the encoder estimates.

        In images that are aligned already no gradient reaches the pose from here:
        symmetry breaking alone trains it.

        Parameters
        ----------
        encoding : Encoding
        n_pixels : int, optional
            How many pixels are drawn, the same for the whole batch; all by default.
        """
        rule, pose = self.encoder.pose_rule, encoding.pose
        if self.encoder.aligner.align and rule.rule is not None:
            # Else the pose of some images swings around, and z with it.
            pose = PoseVectors(*(part.detach() for part in pose))
        rotation, tau = rule.rotation(pose), rule.tau(pose)
        return self.draw_pixels(encoding.z, encoding.seen, rotation, tau, n_pixels)
