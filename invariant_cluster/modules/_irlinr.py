"""IRL-INR: encoder, hypernetwork and implicit network (paper, figure 1)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from invariant_cluster.modules._image_model import ImageModel, Reconstruction
from invariant_cluster.modules._pose_head import PoseVectors
from invariant_cluster.modules._trunk_encoder import Encoding, PoseEncoder


class TrainingBatch(NamedTuple):
    """Output of one training step, from which the losses are computed.

    Attributes
    ----------
    reconstruction : Reconstruction
        Reconstructed pixels of the images, with their targets.
    pose : PoseVectors
        Pose vectors that the head estimates for the images.
    mass : Tensor of shape (n, h, w)
        Masses of the images as encoded, the source of the symmetry-breaking targets.
    z1 : Tensor of shape (n, d)
        z of each image, or of its first moved copy if there are two.
    z2 : Tensor of shape (n, d)
        z of the last moved copy of each image.
    """

    reconstruction: Reconstruction
    pose: PoseVectors
    mass: Tensor
    z1: Tensor
    z2: Tensor


class IRLINR(ImageModel):
    """The IRL-INR model, with the forward passes of training.

    Parameters
    ----------
    encoder : PoseEncoder
        Maps raw images to z and pose.
    decoder : nn.Module
        Maps z (n, d) and canonical points (n, p, 2) to logits (n, p, c).

    See Also
    --------
    PoseEncoder : The encoder.
    HypernetworkDecoder : The decoder of the paper.

    References
    ----------
    S. Kwon, J. Y. Choi and E. K. Ryu, "Rotation and translation invariant
    representation learning with implicit neural representations", ICML 2023.
    """

    encoder: PoseEncoder

    def forward_views(
        self, seen: Tensor, n_pixels: int | None, n_copies: int = 2
    ) -> TrainingBatch:
        """Encode images and one or two views of each, and reconstruct the images.

        Parameters
        ----------
        seen : Tensor of shape ((1 + n_copies) n, c, h, w)
            Scaled, already aligned images: n images, then the first views of them, then
            the second ones if there are two.
        n_pixels : int or None
            Number of pixels to reconstruct per image; None takes all pixels of the
            disc.
        n_copies : {1, 2}, default=2
            Number of views of each image.

        Returns
        -------
        TrainingBatch
            Reconstruction, pose and mass of the images, and z of the last two of image
            and views.
        """
        z, seen, pose = self.encoder.encode_aligned(seen)
        n = len(seen) // (1 + n_copies)
        first = Encoding(z[:n], seen[:n], PoseVectors(*(part[:n] for part in pose)))
        reconstruction = self.reconstruct_sample(first, n_pixels)
        mass = self.encoder.aligner.mass(first.seen)
        z1, z2 = z.split(n)[-2:]
        return TrainingBatch(reconstruction, first.pose, mass, z1, z2)

    def reconstruct_sample(
        self, encoding: Encoding, n_pixels: int | None = None
    ) -> Reconstruction:
        """Reconstruct pixels of the disc in the pose that the encoder estimates.

        Parameters
        ----------
        encoding : Encoding
            Encoded images, their z and pose vectors.
        n_pixels : int, optional
            Number of pixels drawn at random, the same ones for the whole batch; by
            default all pixels of the disc.

        Returns
        -------
        Reconstruction
            Logits and targets of the pixels.

        Notes
        -----
        For aligned images, no gradient of the reconstruction reaches the pose unless
        the rule is None: only the symmetry-breaking loss trains it. Otherwise the pose
        of some images keeps flipping, and their z with it.
        """
        rule, pose = self.encoder.pose_rule, encoding.pose
        if self.encoder.aligner.align and rule.name is not None:
            # Otherwise the pose of some images keeps flipping, and their z with it.
            pose = PoseVectors(*(part.detach() for part in pose))
        rotation, tau = rule.rotation(pose), rule.tau(pose)
        return self.draw_pixels(encoding.z, encoding.seen, rotation, tau, n_pixels)
